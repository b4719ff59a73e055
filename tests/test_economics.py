"""What splitting gains where it does: refutations of ECON-2, each a sequence that the kernel accepts."""

from __future__ import annotations

from typing import Any

from riskcore.capacity import compute_opening
from riskcore.choices import Allocation, RankPolicy
from riskcore.events import BeginDeleveraging, Deleverage, Fill, MarkPrice, Transfer
from riskcore.quantities import AccountId, MarketId
from riskcore.ranking import get_score
from riskcore.rules import Rule
from riskcore.testing.desk import Desk
from riskcore.testing.rulebooks import make_rulebook, make_rules


def test_two_accounts_need_less_than_one_where_rates_rise() -> None:
    """10 % up to 5,000 atoms of notional and half of what is above: 8,000 need 2,000 in one account, 800 in two."""
    rules = make_rules(tiers=((5000, 500_000, 300_000),))
    whole, parts = Desk(make_rulebook()), Desk(make_rulebook())
    whole.open("BTC", 100, rules, amber=1600, birch=10**6)
    parts.open("BTC", 100, rules, amber=800, cedar=800, birch=10**6)

    assert Rule.TAKER_MARGIN is whole.do(Fill, "amber", "birch", "BTC", 80, 100).rejected
    for account in ("amber", "cedar"):
        assert parts.do(Fill, account, "birch", "BTC", 40, 100).rejected is None


def get_heads(*shorts: tuple[str, int], **rulebook: Any) -> tuple[str, ...]:
    """Who comes in which order where a long of ten is bankrupt, and each of its counterparties has 100 atoms a lot."""
    desk = Desk(make_rulebook(**rulebook))
    desk.open("BTC", 1000, None, amber=1000, **{name: 100 * lots for name, lots in shorts})
    for name, lots in shorts:
        desk.must(Fill, "amber", name, "BTC", lots, 1000)
    desk.must(MarkPrice, "BTC", 890)
    opening = compute_opening(desk.state, AccountId("amber"), MarketId("BTC"))
    desk.must(BeginDeleveraging, "amber", "BTC", opening.queue)
    return opening.queue


def test_in_a_queue_who_splits_comes_after_others_of_its_rank() -> None:
    assert ("birch", "cedar") == get_heads(("birch", 6), ("cedar", 4))
    assert ("cedar", "birch", "twin") == get_heads(("birch", 3), ("twin", 3), ("cedar", 4))


def test_by_size_who_splits_comes_last() -> None:
    by_size = {"adl_rank": RankPolicy.SIZE}

    assert ("birch", "cedar") == get_heads(("birch", 6), ("cedar", 4), **by_size)
    assert ("cedar", "birch", "twin") == get_heads(("birch", 3), ("twin", 3), ("cedar", 4), **by_size)


def test_by_profit_times_notional_a_part_ranks_below_its_whole() -> None:
    policy = RankPolicy.PROFIT_TIMES_NOTIONAL_TO_EQUITY
    whole, part = (get_score(policy, *figures, 0, 0) for figures in ((6, 6000, 1100, 600), (3, 3000, 1100, 300)))

    assert part.numerator * whole.denominator < whole.numerator * part.denominator


def get_closed(*shorts: tuple[str, int, int], policy: Allocation) -> dict[str, int]:
    """Lots that each closes, of ten of a bankrupt long; with these lots, and atoms of cash moved to each after."""
    desk = Desk(make_rulebook(adl_allocation=policy))
    desk.open("BTC", 1000, None, amber=1000, elm=10**6, **{name: 1000 for name, *_ in shorts})
    room = 10
    for name, lots, cash in shorts:
        own = min(room, lots)
        desk.must(Fill, "amber", name, "BTC", own, 1000)
        if lots > own:
            desk.must(Fill, "elm", name, "BTC", lots - own, 1000)
        room -= own
        if cash:
            desk.must(Transfer, "elm", name, cash)
    desk.must(MarkPrice, "BTC", 890)
    opening = compute_opening(desk.state, AccountId("amber"), MarketId("BTC"))
    desk.must(BeginDeleveraging, "amber", "BTC", *opening[:1], 0, *opening[1:])
    held = {name: desk.get_position(name, "BTC")[0] for name, *_ in shorts}
    while desk.state.deleveraging is not None:
        desk.must(Deleverage)
    return {name: desk.get_position(name, "BTC")[0] - held[name] for name in held}


def test_by_equity_who_keeps_his_cash_elsewhere_closes_less() -> None:
    whole = get_closed(("birch", 8, 8000), ("cedar", 8, 8000), policy=Allocation.EQUITY)
    parts = get_closed(("birch", 7, 0), ("twin", 1, 8000), ("cedar", 8, 8000), policy=Allocation.EQUITY)

    assert {"birch": 5, "cedar": 5} == whole
    assert parts["birch"] + parts["twin"] < 5


def test_by_contracts_who_splits_closes_as_much_but_for_a_lot() -> None:
    whole = get_closed(("birch", 9, 0), ("cedar", 9, 0), policy=Allocation.CONTRACTS)
    parts = get_closed(("birch", 4, 0), ("twin", 5, 0), ("cedar", 9, 0), policy=Allocation.CONTRACTS)

    assert {"birch": 5, "cedar": 5} == whole
    assert {"birch": 2, "twin": 3, "cedar": 5} == parts
