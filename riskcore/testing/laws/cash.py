"""Cash and contracts: every atom has one owner, longs equal shorts, funding sums to zero."""

from __future__ import annotations

from collections import Counter

from riskcore import events
from riskcore.journal import Owner, Pay, Reserve, Trade
from riskcore.quantities import RATE_ONE
from riskcore.testing.desk import Passage
from riskcore.testing.naive.venue import Venue


def cash_1(passage: Passage) -> bool:
    """Every atom has one owner."""
    after = passage.after
    total = sum(account.balance for account in after.accounts.values()) + sum(after.reserves.values())

    assert total == 0
    return True


def cash_2(passage: Passage) -> bool:
    """Insurance, fees and the pool are never negative; transit is what was settled on one side only."""
    reserves = passage.after.reserves
    settled = sum(
        position.size * position.entry_index
        for account in passage.after.accounts.values()
        for position in account.positions.values()
    )

    assert min(reserves["insurance"], reserves["fees"], reserves["escrow"], -reserves["outside"]) >= 0
    assert settled == reserves["transit"]
    return True


def cash_3(passage: Passage) -> bool:
    """The effects reproduce every balance and size."""
    if passage.before is passage.after and not passage.effects:
        return False
    balances: Counter[Owner] = Counter()
    sizes: Counter[tuple[str, str]] = Counter()
    for line in passage.effects:
        payer, payee = (line.payer, line.payee) if isinstance(line, Pay) else (line.buyer, line.seller)
        balances[payer] -= line.amount
        balances[payee] += line.amount
        if isinstance(line, Trade):
            sizes[line.buyer, line.market] += line.lots
            sizes[line.seller, line.market] -= line.lots
    before, after = passage.before, passage.after

    for account in {*before.accounts, *after.accounts}:
        moved = after.get_account(account).balance - before.get_account(account).balance
        assert moved == balances.pop(account, 0)  # type: ignore[call-overload]
        for market in after.markets:
            grown = after.get_size(account, market) - before.get_size(account, market)
            assert grown == sizes.pop((account, market), 0)
    for reserve in Reserve:
        assert after.reserves[reserve.value] - before.reserves[reserve.value] == balances.pop(reserve, 0)
    assert not any(balances.values())
    assert not any(sizes.values())
    return bool(passage.effects)


def cash_4(passage: Passage) -> bool:
    """What left the pool in a window, less what came in, is within the limit."""
    before, after, event = passage.before, passage.after, passage.event
    limit, window = after.rulebook.withdrawal_limit, after.rulebook.withdrawal_window
    if not limit or passage.rejected is not None or not isinstance(event, events.Withdraw | events.Deposit):
        return False
    runs = event.timestamp - before.outflow.since < window
    taken = before.outflow.drawn if runs else 0
    left = after.reserves["outside"] - before.reserves["outside"]

    assert 0 <= after.outflow.drawn <= limit
    assert max(0, taken + left) == after.outflow.drawn
    assert after.outflow.since in (before.outflow.since, event.timestamp)
    return True


def bal_1(passage: Passage) -> bool:
    """In every market longs equal shorts."""
    for market in passage.after.markets:
        assert sum(passage.after.get_size(account, market) for account in passage.after.accounts) == 0
    return any(account.positions for account in passage.after.accounts.values())


def bal_2(passage: Passage) -> bool:
    """Stored open interest is that of the positions; a closed position leaves no trace."""
    after = passage.after
    for name, market in after.markets.items():
        assert sum(max(0, after.get_size(account, name)) for account in after.accounts) == market.open_interest
    for account in after.accounts.values():
        assert all(position.size for position in account.positions.values())
    return any(market.open_interest for market in after.markets.values())


def zero_1(passage: Passage) -> bool:
    """At any marks, what all are worth is the pool."""
    after, reserves = passage.after, passage.after.reserves
    stored = {name: market.mark for name, market in after.markets.items()}
    for marks in (stored, dict.fromkeys(stored, 1), {name: mark * 7 // 3 + 5 for name, mark in stored.items()}):
        worth = sum(after.get_equity(account, marks) for account in after.accounts)
        claims = worth + reserves["insurance"] + reserves["fees"] + reserves["escrow"]
        assert -reserves["outside"] == claims + reserves["uncovered"]
    return True


def fund_1(passage: Passage) -> bool:
    """Funding sums to zero, the index's remainder is carried, time only moves forward."""
    before, after, event = passage.before, passage.after, passage.event
    assert after.time >= before.time
    if not isinstance(event, events.ApplyFunding) or passage.rejected is not None:
        return False
    eager = Venue.read(before)
    for account in before.accounts:
        assert eager.get_equity(account) == before.get_equity(account)
    old, new = before.markets[event.market], after.markets[event.market]
    whole = RATE_ONE * before.rulebook.funding_interval
    price = old.index_price if before.rulebook.funding_on_index else old.mark
    accrued = price * event.rate * (event.timestamp - old.time)
    paid = {account: before.get_equity(account) - after.get_equity(account) for account in before.accounts}

    assert old.funding_index * whole + old.remainder + accrued == new.funding_index * whole + new.remainder
    assert 0 <= new.remainder < whole
    assert old.time < new.time == event.timestamp
    assert sum(paid.values()) == 0
    for account, amount in paid.items():
        assert before.get_size(account, event.market) * (new.funding_index - old.funding_index) == amount
    return True
