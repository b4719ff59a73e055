"""Margin: requirements, and what own events leave behind."""

from __future__ import annotations

from riskcore import events
from riskcore.margin import get_initial_requirement, get_maintenance_requirement
from riskcore.state import Market
from riskcore.testing.desk import Passage
from riskcore.testing.laws.passages import OWN_EVENTS, get_trade
from riskcore.testing.naive.needs import get_initial, get_maintenance, get_requirement, is_reducing, is_safe
from riskcore.testing.naive.views import View
from riskcore.tiers import get_initial_rates, get_maintenance_rates, is_continuous


def get_own_initial(market: Market, size: int) -> int:
    """At the market's open interest, with no leverage chosen."""
    return get_initial_requirement(market, size, market.open_interest, 0)


def get_held(view: View, market: str) -> set[int]:
    """The sizes of a market's positions, without their signs."""
    return {abs(account.positions[market].size) for account in view.accounts.values() if market in account.positions}


def marg_1(passage: Passage) -> bool:
    """The requirement is 0 at 0, monotone, without jumps, and initial is not below maintenance.

    Of a market that stays as it was, sizes that were held before were looked at before.
    """
    state, before, after = passage.new, passage.before, passage.after
    for name, market in state.markets.items():
        assert market is not None
        sizes = {0, 1, *get_held(after, name)}
        if passage.old.markets.get(name) == market:
            sizes -= {0, 1, *get_held(before, name)}
        for size in sizes:
            rules, mark = market.rules, market.mark_price
            expected = get_initial(rules, mark, size, market.open_interest), get_maintenance(rules, mark, size)
            for get, wanted, top in zip(
                (get_own_initial, get_maintenance_requirement),
                expected,
                (get_initial_rates(rules, market.open_interest * mark)[-1], get_maintenance_rates(rules)[-1]),
                strict=True,
            ):
                required, next_required = get(market, size), get(market, size + 1)
                assert wanted == required == get(market, -size)
                assert required <= next_required
                assert not is_continuous(rules) or next_required <= required + get_requirement(top, mark, 1) + 1
            assert get_own_initial(market, size) >= get_maintenance_requirement(market, size)
            needs = [
                get_initial_requirement(market, size, market.open_interest, leverage) for leverage in (0, 40, 3, 1)
            ]
            assert sorted(needs) == needs
        assert 0 == get_own_initial(market, 0) == get_maintenance_requirement(market, 0)
    return bool(after.markets)


def assert_safe(passage: Passage, account: str, market: str) -> None:
    before, after = passage.before, passage.after
    reducing = is_reducing(before.get_size(account, market), after.get_size(account, market))
    assert is_safe(before.get_health(account), after.get_health(account), reducing)


def marg_2(passage: Passage) -> bool:
    """After an own fill, withdrawal or transfer an account is at initial margin, or safer than it was."""
    event = passage.event
    if passage.rejected is not None:
        return False
    payer = None
    if isinstance(event, events.Withdraw | events.RequestVaultDeposit):
        payer = event.account
    if isinstance(event, events.Transfer):
        payer = event.payer
    if isinstance(event, events.ExecuteVaultRedemption):
        payer = passage.after.rulebook.vault
    if payer is not None:
        health = passage.after.get_health(payer)
        assert health.equity >= health.initial
        return True
    if isinstance(event, events.Fill):
        assert_safe(passage, event.taker, event.market)
        assert_safe(passage, event.maker, event.market)
        return True
    if isinstance(event, events.SetLeverage):
        before, health = passage.before.get_health(event.account), passage.after.get_health(event.account)
        assert health.equity >= health.initial or health.initial <= before.initial
        return True
    return False


def marg_4(passage: Passage) -> bool:
    """Where a side of a trade only reduces, open interest does not grow."""
    event, before, after = passage.event, passage.before, passage.after
    if not isinstance(event, events.Fill | events.LiquidationFill | events.Takeover) or passage.rejected is not None:
        return False
    trade = get_trade(passage)
    sizes = [
        (before.get_size(id, event.market), after.get_size(id, event.market)) for id in (trade.buyer, trade.seller)
    ]
    if not any(is_reducing(*pair) for pair in sizes):
        return False
    assert after.markets[event.market].open_interest <= before.markets[event.market].open_interest
    return True


def marg_5(passage: Passage) -> bool:
    """Only its own choice changes an account's leverage, and nothing else."""
    event, before, after = passage.event, passage.before, passage.after
    if not isinstance(event, events.SetLeverage) or passage.rejected is not None:
        for account in {*before.accounts, *after.accounts}:
            assert before.get_account(account).leverages == after.get_account(account).leverages
        return False
    assert event.leverage == after.get_account(event.account).leverages.get(event.market, 0)
    for account in {*before.accounts, *after.accounts}:
        old, new = before.get_account(account), after.get_account(account)
        assert (old.balance, old.positions, old.liquidated) == (new.balance, new.positions, new.liquidated)
        assert before.get_health(account).maintenance == after.get_health(account).maintenance
    return True


def marg_3(passage: Passage) -> bool:
    """An own event leaves a healthy account healthy, and one below maintenance not worse."""
    event = passage.event
    if not isinstance(event, OWN_EVENTS) or passage.rejected is not None:
        return False
    if isinstance(event, events.Fill):
        parties: tuple[str, ...] = (event.taker, event.maker)
    else:
        parties = (event.payer, event.payee) if isinstance(event, events.Transfer) else (event.account,)
    for account in parties:
        before, after = passage.before.get_health(account), passage.after.get_health(account)
        if after.equity >= after.maintenance:
            continue
        assert before.equity < before.maintenance or before.equity < 0
        assert after.equity * max(before.maintenance, 1) >= before.equity * max(after.maintenance, 1)
    return True
