"""Relations between two runs of the kernel alone: no model, no laws, only the same day told in another way.

A day is fills, marks, funding, deposits and withdrawals among rich accounts, so that nothing is rejected. Where
rounding makes equality false, the relation says by how much, and why. ``Broken`` where one does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

from attrs import evolve

from riskcore.events import ApplyFunding, Deposit, Event, Fill, ListMarket, MarkPrice, Withdraw
from riskcore.quantities import RATE_ONE, AccountId, Atoms, EventId, Lots, MarketId, Price, Rate, Time
from riskcore.rulebook import MarketRules, Rulebook
from riskcore.state import State, genesis
from riskcore.step import step
from riskcore.testing.broken import Broken
from riskcore.testing.naive.views import View
from riskcore.testing.observation import observe
from riskcore.testing.rulebooks import TRADERS, make_rulebook, make_rules

MARKETS: Final = ("BTC", "ETH", "SOL")
#: Milliseconds between two events; funding is charged for an interval of as many.
TICK: Final = 1000
RICH: Final = 10**15


def run(bodies: Sequence[Event], rulebook: Rulebook) -> View:
    """The state after the events, numbered and timed anew. ``Broken`` where one is rejected."""
    state: State = genesis(rulebook)
    for number, event in enumerate(bodies, start=1):
        numbered = evolve(event, id=EventId(f"e{number}"), sequence=number)
        outcome = step(state, numbered)
        if outcome.rejected is not None:
            raise Broken("KIT", f"rejected by {outcome.rejected.name}: {numbered}")
        state = outcome.state
    return observe(state)


def draw_rulebook(random: Random) -> Rulebook:
    return make_rulebook(funding_interval=TICK * random.choice((1, 7, 60)), funding_rate_cap=RATE_ONE)


def draw_day(random: Random, length: int = 30, rules: MarketRules | None = None) -> list[Event]:
    """Listings and deposits, then events at distinct times. Headers but the time are placeholders."""
    day: list[Event] = []
    marks = {market: random.randint(50, 1000) for market in MARKETS}
    for market, mark in marks.items():
        own = (
            rules if rules is not None else make_rules(taker=random.choice((0, 333, 500)), maker=random.choice((0, 77)))
        )
        day.append(ListMarket(*_head(day), MarketId(market), own, Price(mark)))
    for trader in TRADERS:
        day.append(Deposit(*_head(day), AccountId(trader), Atoms(RICH)))
    for _ in range(length):
        market = random.choice(MARKETS)
        kind = random.choice(("fill", "fill", "fill", "mark", "funding", "deposit", "withdraw"))
        if kind == "fill":
            taker, maker = random.sample(TRADERS, 2)
            size = random.choice((-1, 1)) * random.randint(2, 400)
            price = max(1, marks[market] + random.randint(-5, 5))
            day.append(Fill(*_head(day), *_parties(taker, maker), MarketId(market), Lots(size), Price(price)))
        elif kind == "mark":
            marks[market] = max(1, marks[market] * random.randint(80, 125) // 100)
            day.append(MarkPrice(*_head(day), MarketId(market), Price(marks[market])))
        elif kind == "funding":
            rate = Rate(random.randint(-9999, 9999))
            day.append(ApplyFunding(*_head(day), MarketId(market), rate))
        else:
            make = Deposit if kind == "deposit" else Withdraw
            day.append(make(*_head(day), AccountId(random.choice(TRADERS)), Atoms(random.randint(1, 10**6))))
    return day


def _head(day: Sequence[Event]) -> tuple[EventId, int, Time]:
    return EventId("e"), 0, Time(len(day) * TICK)


def _parties(taker: str, maker: str) -> tuple[AccountId, AccountId]:
    return AccountId(taker), AccountId(maker)


def change(event: Event, **fields: Any) -> Event:
    changed: Event = evolve(event, **fields)
    return changed


def require(name: str, holds: bool, words: str) -> None:
    if not holds:
        raise Broken(name, words)


# The relations


def check_rename(random: Random) -> None:
    """Accounts under other names, in the same order of names, end with the same, to the atom."""
    rulebook, day = draw_rulebook(random), draw_day(random)
    named = run([_rename(event) for event in day], rulebook)

    plain = run(day, rulebook)
    for account, view in plain.accounts.items():
        require("RENAME", view == named.accounts.get(_new_name(account)), f"{account}: {view}")
    require("RENAME", (plain.markets, plain.reserves) == (named.markets, named.reserves), "markets or reserves differ")


def _new_name(account: str) -> str:
    return f"the {account}"


def _rename(event: Event) -> Event:
    names = [name for name in ("account", "taker", "maker") if hasattr(event, name)]
    return change(event, **{name: AccountId(_new_name(getattr(event, name))) for name in names})


def check_mirror(random: Random) -> None:
    """With all sides turned, what an account won is what it loses, fees apart, to the atom.

    Marks and funding indices do not depend on sides, and fees not on signs: equity + mirrored equity
    = 2 * (deposits - withdrawals - fees). Initial margin is that of the mirrored position.
    """
    rulebook, day = draw_rulebook(random), draw_day(random)
    plain = run(day, rulebook)
    mirrored = run([evolve(one, size=Lots(-one.size)) if isinstance(one, Fill) else one for one in day], rulebook)
    for account in TRADERS:
        both = plain.get_equity(account) + mirrored.get_equity(account)
        put_in = _sum_cash(day, account) - _sum_fees(day, account)
        require("MIRROR", both == 2 * put_in, f"{account}: expected {2 * put_in}, got {both}")
        for market in MARKETS:
            sizes = plain.get_size(account, market), mirrored.get_size(account, market)
            require("MIRROR", sizes[0] == -sizes[1], f"{account} in {market}: {sizes}")
    for market in MARKETS:
        own = [view.markets[market].open_interest for view in (plain, mirrored)]
        require("MIRROR", own[0] == own[1], f"{market}: open interest {own}")


def _sum_cash(day: Sequence[Event], account: str) -> int:
    signs = {Deposit: 1, Withdraw: -1}
    return sum(
        signs[type(event)] * event.amount
        for event in day
        if isinstance(event, Deposit | Withdraw) and event.account == account
    )


def _sum_fees(day: Sequence[Event], account: str) -> int:
    rules = {event.market: event.rules for event in day if isinstance(event, ListMarket)}
    fees = 0
    for event in day:
        if isinstance(event, Fill) and account in (event.taker, event.maker):
            own = rules[event.market]
            rate = own.taker_fee_rate if account == event.taker else own.maker_fee_rate
            fees -= -rate * abs(event.size) * event.price // RATE_ONE
    return fees


def check_split(random: Random) -> None:
    """A fill in parts is the whole fill: sizes are equal, and cash but for fees.

    Each part's fee is rounded up on its own: in n parts a party pays less than n atoms more than for the whole, and
    never less; so the fees' reserve gains.
    """
    rulebook, day = draw_rulebook(random), draw_day(random)
    parts = [part for event in day for part in _split(event, random)]
    extra = len(parts) - len(day)
    whole, split = run(day, rulebook), run(parts, rulebook)
    for account in TRADERS:
        own = whole.get_equity(account) - split.get_equity(account)
        require("SPLIT", 0 <= own <= extra, f"{account}: {own} atoms more for {extra} parts more")
        for market in MARKETS:
            require("SPLIT", whole.get_size(account, market) == split.get_size(account, market), f"{account}: sizes")
    lost = sum(whole.get_equity(account) - split.get_equity(account) for account in TRADERS)
    gained = split.reserves["fees"] - whole.reserves["fees"]
    require("SPLIT", lost == gained, f"accounts lose {lost}, fees gain {gained}")


def _split(event: Event, random: Random) -> list[Event]:
    if not isinstance(event, Fill) or random.random() < 0.5:
        return [event]
    side, lots = (1, event.size) if event.size > 0 else (-1, -event.size)
    first = random.randint(1, lots - 1)
    return [evolve(event, size=Lots(side * first)), evolve(event, size=Lots(side * (lots - first)))]


def check_touch(random: Random) -> None:
    """A position touched after each funding, by a lot more and a lot less at one price, is worth what it is untouched.

    To the atom, where there are no fees: funding is an integer index per lot, and settled often or once it is one sum.
    """
    rulebook, day = draw_rulebook(random), draw_day(random, rules=make_rules())
    touched = [part for event in day for part in _touch(event)]
    plain, often = run(day, rulebook), run(touched, rulebook)
    for account in TRADERS:
        worth = plain.get_equity(account), often.get_equity(account)
        require("TOUCH", worth[0] == worth[1], f"{account}: {worth[0]} untouched, {worth[1]} touched")
    for market in MARKETS:
        indices = [view.markets[market].funding_index for view in (plain, often)]
        require("TOUCH", indices[0] == indices[1], f"{market}: indices {indices}")


def _touch(event: Event) -> list[Event]:
    if not isinstance(event, ApplyFunding):
        return [event]
    head = EventId("e"), 0, event.timestamp
    there = Fill(*head, *_parties(TRADERS[0], TRADERS[1]), event.market, Lots(1), Price(100))
    return [event, there, evolve(there, size=Lots(-1))]


def check_accrual(random: Random) -> None:
    """Funding charged often, at one rate and mark, is funding charged once for all of the time: to the atom."""
    rulebook, rate, times = draw_rulebook(random), Rate(random.randint(-9999, 9999)), random.randint(2, 9)
    day = draw_day(random, 12, make_rules())
    market = MarketId(random.choice(MARKETS))
    opened = [event for event in day if not isinstance(event, ApplyFunding)]
    start, wait = len(day) * TICK, random.randint(1, 10**5)
    # both begin to count here
    first: Event = ApplyFunding(EventId("e"), 0, Time(start), market, Rate(0))
    charges = [change(first, timestamp=Time(start + n * wait), rate=rate) for n in range(1, times + 1)]
    often, once = run([*opened, first, *charges], rulebook), run([*opened, first, charges[-1]], rulebook)

    require(
        "ACCRUAL", often.markets == once.markets, f"{often.markets[market]} in {times}, {once.markets[market]} once"
    )
    for account in TRADERS:
        worth = often.get_equity(account), once.get_equity(account)
        require("ACCRUAL", worth[0] == worth[1], f"{account}: {worth[0]} in {times} charges, {worth[1]} in one")


def check_permute(random: Random) -> None:
    """Neighbours that touch no account and no market in common may change places: the state is the same.

    But for ``opened``, the number of the event before a position, by which age ranks.
    """
    rulebook, day = draw_rulebook(random), draw_day(random)
    other, place = list(day), len(MARKETS) + len(TRADERS)
    while place + 1 < len(day):
        if _are_independent(day, place):
            first, second = day[place], day[place + 1]
            other[place] = evolve(second, timestamp=first.timestamp)
            other[place + 1] = evolve(first, timestamp=second.timestamp)
            place += 1
        place += 1
    plain, permuted = run(day, rulebook), run(other, rulebook)

    require("PERMUTE", _without_age(plain) == _without_age(permuted), "accounts differ")
    markets = [{name: one._replace(mark_time=0) for name, one in view.markets.items()} for view in (plain, permuted)]
    require("PERMUTE", (markets[0], plain.reserves) == (markets[1], permuted.reserves), "markets or reserves differ")


def _are_independent(day: Sequence[Event], place: int) -> bool:
    """Neither funding, whose time counts, nor cash and a mark that its account may have a position at."""
    pair = day[place], day[place + 1]
    if any(isinstance(event, ApplyFunding) for event in pair):
        return False
    markets = [getattr(event, "market", None) for event in pair]
    accounts = [{getattr(event, name, None) for name in ("account", "taker", "maker")} - {None} for event in pair]
    return markets[0] != markets[1] and not accounts[0] & accounts[1]


def _without_age(view: View) -> dict[str, object]:
    return {
        id: account._replace(positions={name: one._replace(opened=0) for name, one in account.positions.items()})
        for id, account in view.accounts.items()
    }


def check_scale(random: Random) -> None:
    """Amounts and prices times k give balances and indices times k, to the atom, where nothing rounds.

    Here all are multiples of a million times the funding interval, so that no fee, requirement or index has a
    remainder. Elsewhere each division may round by less than an atom, which k multiplies. The memo of cost is left
    out: it is an average, rounded down.
    """
    rulebook, day, factor = draw_rulebook(random), draw_day(random), random.randint(2, 10**6)
    unit = RATE_ONE * rulebook.funding_interval
    base = run([_scale(event, unit) for event in day], rulebook)
    scaled = run([_scale(event, unit * factor) for event in day], rulebook)
    for account in TRADERS:
        worth = base.get_equity(account) * factor, scaled.get_equity(account)
        require("SCALE", worth[0] == worth[1], f"{account}: expected {worth[0]}, got {worth[1]}")
        health = [view.get_health(account) for view in (base, scaled)]
        require("SCALE", health[0].initial * factor == health[1].initial, f"{account}: initial margin {health}")
    reserves = {name: own * factor for name, own in base.reserves.items()}
    require("SCALE", reserves == scaled.reserves, f"expected {reserves}, got {scaled.reserves}")


def _scale(event: Event, factor: int) -> Event:
    names = [name for name in ("amount", "price", "mark_price") if hasattr(event, name)]
    return change(event, **{name: getattr(event, name) * factor for name in names})


RELATIONS: Final[dict[str, Callable[[Random], None]]] = {
    "RENAME": check_rename,
    "MIRROR": check_mirror,
    "SPLIT": check_split,
    "TOUCH": check_touch,
    "ACCRUAL": check_accrual,
    "PERMUTE": check_permute,
    "SCALE": check_scale,
}
