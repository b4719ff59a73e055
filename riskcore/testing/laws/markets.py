"""Marks, indices, and a market's life and end."""

from __future__ import annotations

from fractions import Fraction

from riskcore import events
from riskcore.choices import CloseOut
from riskcore.quantities import RATE_ONE
from riskcore.testing.desk import Passage
from riskcore.testing.laws.frames import BEST
from riskcore.testing.laws.passages import FORCED_EVENTS
from riskcore.testing.naive.ledger import ENDS
from riskcore.testing.naive.needs import get_maintenance, is_reducing


def mark_1(passage: Passage) -> bool:
    """A mark moves by an event of its own, above zero, and within its market's limit."""
    event, before, after = passage.event, passage.before, passage.after
    for name, market in before.markets.items():
        now = after.markets[name]
        is_set = passage.rejected is None and isinstance(event, events.MarkPrice | events.SettleMarket)
        if not (is_set and event.market == name):  # type: ignore[union-attr]
            assert (market.mark, market.mark_time) == (now.mark, now.mark_time)
            assert market.previous == now.previous
        elif isinstance(event, events.MarkPrice):
            limit = Fraction(market.rules.mark_move_limit, RATE_ONE)
            assert now.mark > 0 and now.mark_time == event.timestamp
            assert not limit or abs(now.mark - market.mark) <= limit * market.mark
            assert market.mark == now.previous
            band, distance = Fraction(market.rules.mark_index_band, RATE_ONE), abs(now.mark - market.index_price)
            assert not band or distance <= band * market.index_price or distance < abs(market.mark - market.index_price)
            return bool(limit)
    return False


def mark_3(passage: Passage) -> bool:
    """An index moves by an event of its own; a stale one decides nothing."""
    event, before, after = passage.event, passage.before, passage.after
    for name, market in before.markets.items():
        if passage.rejected is None and isinstance(event, events.IndexPrice) and event.market == name:
            assert (event.price, event.timestamp) == (after.markets[name].index_price, after.markets[name].index_time)
            limit = Fraction(market.rules.index_move_limit, RATE_ONE)
            assert event.price > 0
            assert not limit or abs(event.price - market.index_price) <= limit * market.index_price
        else:
            assert (market.index_price, market.index_time) == (
                after.markets[name].index_price,
                after.markets[name].index_time,
            )
    if passage.rejected is not None:
        return False
    if isinstance(event, events.MarkPrice):
        decides = before.markets[event.market].rules.mark_index_band > 0
    elif isinstance(event, events.ApplyFunding):
        decides = before.rulebook.funding_on_index
    elif isinstance(event, events.BeginDeleveraging):
        decides = before.rulebook.adl_close_out is CloseOut.INDEX
    else:
        return False
    if decides:
        market, rules = before.markets[event.market], before.markets[event.market].rules
        age_limit = rules.index_age_limit or rules.mark_age_limit
        assert not age_limit or event.timestamp - market.index_time <= age_limit
    return decides


def mark_2(passage: Passage) -> bool:
    """By a stale mark nobody is closed or paid out, and who trades reduces."""
    event, before, after = passage.event, passage.before, passage.after
    if passage.rejected is not None:
        return False

    def is_stale(market: str) -> bool:
        listing = before.markets[market]
        limit = listing.rules.mark_age_limit
        return limit > 0 and event.timestamp - listing.mark_time > limit and listing.status not in ENDS

    if isinstance(event, (*FORCED_EVENTS, events.CoverDeficit)):
        held = before.get_account(event.account).positions
        assert not any(map(is_stale, held))
        return any(before.markets[market].rules.mark_age_limit > 0 for market in held)
    if isinstance(event, events.BeginLossSharing):
        assert not is_stale(event.market)
        return before.markets[event.market].rules.mark_age_limit > 0
    if isinstance(event, events.Fill) and is_stale(event.market):
        for account in (event.taker, event.maker):
            assert is_reducing(before.get_size(account, event.market), after.get_size(account, event.market))
        return True
    if isinstance(event, events.SetLeverage):
        needs = [view.get_health(event.account).initial for view in (before, passage.after)]
        assert needs[1] <= needs[0] or not any(map(is_stale, before.get_account(event.account).positions))
    if isinstance(event, events.Withdraw | events.Transfer):
        payer = event.account if isinstance(event, events.Withdraw) else event.payer
        assert not any(map(is_stale, before.get_account(payer).positions))
    return False


def settle_1(passage: Passage) -> bool:
    """A settlement closes the smaller of two sides against the other, and makes nobody richer or poorer."""
    event, before, after = passage.event, passage.before, passage.after
    if not isinstance(event, events.SettlePair) or passage.rejected is not None:
        return False
    sizes = [
        (view.get_size(event.long, event.market), view.get_size(event.short, event.market)) for view in (before, after)
    ]
    (long, short), (long_after, short_after) = sizes
    lots = min(long, -short)

    assert lots > 0
    assert (long - lots, short + lots) == (long_after, short_after)
    assert 0 in (long_after, short_after)
    for account in {*before.accounts, *after.accounts}:
        assert before.get_equity(account) == after.get_equity(account)
    return True


def settle_2(passage: Passage) -> bool:
    """A settling market stays so, at its price and funding, and open interest in it only falls."""
    settling = [name for name, market in passage.before.markets.items() if market.status in ENDS]
    for name in settling:
        before, after = passage.before.markets[name], passage.after.markets[name]
        assert after.status in ENDS
        kept = {field: getattr(before, field) for field in ("open_interest", "status", *BEST)}
        assert after._replace(**kept) == before
        assert after.open_interest <= before.open_interest
        assert after.open_interest == before.open_interest or isinstance(passage.event, events.SettlePair)
    return bool(settling)


#: What may come next.
LIFE = {
    "open": ("open", "close_only", "paused", "settling"),
    "close_only": ("open", "close_only", "paused", "settling"),
    "paused": ("open", "close_only", "paused", "settling"),
    "settling": ("settling", "delisted"),
    "delisted": ("delisted",),
}


def life_1(passage: Passage) -> bool:
    """A market's status moves one way, and what is delisted is empty."""
    moved = False
    for name, market in passage.after.markets.items():
        before = passage.before.markets[name].status if name in passage.before.markets else None
        if before is None:
            assert market.status == "open"
        else:
            assert market.status in LIFE[before]
            moved |= market.status != before
        if market.status == "delisted":
            assert (market.open_interest, market.insurance) == (0, 0)
    return moved


def get_moves(passage: Passage, status: str) -> list[tuple[str, str, int, int]]:
    """Whose sizes changed, where, from what and to what, in markets of that status."""
    before, after = passage.before, passage.after
    markets = [name for name, market in before.markets.items() if market.status == status]
    accounts = {*before.accounts, *after.accounts}
    sizes = [(id, name, before.get_size(id, name), after.get_size(id, name)) for id in accounts for name in markets]
    return [move for move in sizes if move[2] != move[3]]


def life_2(passage: Passage) -> bool:
    """Nothing moves in a paused market."""
    assert get_moves(passage, "paused") == []
    return any(market.status == "paused" and market.open_interest for market in passage.before.markets.values())


def life_3(passage: Passage) -> bool:
    """In a close-only market all reduce, but for the vault when it takes over."""
    moves = get_moves(passage, "close_only")
    for account, _, old, new in moves:
        is_takeover = isinstance(passage.event, events.Takeover) and account == passage.before.rulebook.vault
        assert is_takeover or is_reducing(old, new)
    return bool(moves)


def life_4(passage: Passage) -> bool:
    """Open interest rises in fills alone, within the market's limit."""
    told = False
    for name, market in passage.after.markets.items():
        before = passage.before.markets[name].open_interest if name in passage.before.markets else 0
        if market.open_interest > before:
            assert isinstance(passage.event, events.Fill)
            limit = market.rules.open_interest_limit
            assert not limit or market.open_interest * market.mark <= limit
            told |= limit > 0
    return told


def life_5(passage: Passage) -> bool:
    """Nobody needs more maintenance for other rules, unless their notice is over."""
    event, before, after = passage.event, passage.before, passage.after
    is_change = isinstance(event, events.ChangeRules | events.ApplyRules)
    changed = [name for name, market in before.markets.items() if market.rules != after.markets[name].rules]
    assert not changed or is_change
    if isinstance(event, events.ApplyRules) and passage.rejected is None:
        market = before.markets[event.market]
        assert market.pending == after.markets[event.market].rules
        assert event.timestamp >= market.pending_time
        return True
    for name in changed:
        for account in before.accounts if before.rulebook.rules_notice else ():
            size, mark = before.get_size(account, name), before.markets[name].mark
            old, new = (get_maintenance(view.markets[name].rules, mark, size) for view in (before, after))
            assert new <= old
    if isinstance(event, events.ChangeRules) and passage.rejected is None and not changed:
        waits = after.markets[event.market].pending_time - event.timestamp
        assert waits >= before.rulebook.rules_notice or after.markets[event.market].pending is None
    return bool(changed)
