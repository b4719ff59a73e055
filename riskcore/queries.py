"""What people ask of a state: worth, margin, prices at which things happen, places in a queue.

Pure and exact: atoms and lots are ``int``, ratios are ``Fraction``, never a float. The
questions take the state, and an account id (an unknown account is an empty one); those about
a market raise ``Rejected`` where it is not listed. All read the marks of the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from attrs import evolve, field, frozen

from riskcore.cash import get_haircut, get_pooled
from riskcore.domains import has_part
from riskcore.draws import get_drawn
from riskcore.events import MarkPrice
from riskcore.insurance import get_available
from riskcore.liquidation import get_equity_share
from riskcore.liquidation_price import get_long_price, get_short_price
from riskcore.margin import Margin, get_maintenance_requirement, get_margin, is_below_maintenance
from riskcore.markets import get_market
from riskcore.planner import Liquidity, Resolution, compute_queue, resolve
from riskcore.quantities import (
    RATE_ONE,
    AccountId,
    Atoms,
    EventId,
    MarketId,
    Price,
    Rate,
    Shares,
    Time,
    divide_down,
    divide_up,
)
from riskcore.state import State, genesis
from riskcore.step import step


def _get_margin(state: State, id: AccountId) -> Margin:
    account = state.accounts.get(id)
    return get_margin(account, state.markets)


def equity(state: State, account: AccountId) -> Atoms:
    """Balance plus positions at mark, less the funding they owe; signed."""
    return Atoms(_get_margin(state, account).equity)


def initial_margin(state: State, account: AccountId) -> Atoms:
    """Atoms that a new trade or a withdrawal must leave; each position's part rounded up."""
    return Atoms(_get_margin(state, account).initial)


def maintenance_margin(state: State, account: AccountId) -> Atoms:
    """Atoms below which the account is liquidated; each position's part rounded up."""
    return Atoms(_get_margin(state, account).maintenance)


def free_collateral(state: State, account: AccountId) -> Atoms:
    """Equity above initial margin; below zero where equity is short of it."""
    margin = _get_margin(state, account)
    return Atoms(margin.equity - margin.initial)


def max_withdrawable(state: State, account: AccountId) -> Atoms:
    """The largest amount that a ``Withdraw`` is accepted for now, what stays behind of it included; 0 if none is.

    Free collateral, as far as the pool has what is paid out of it (``haircut``); nothing while a
    deleveraging or a sharing of a loss is open, while a loss is uncovered and the rulebook makes withdrawals wait,
    nor for a vault that others hold shares of.
    """
    reserves, rulebook = state.reserves, state.rulebook
    loss, pool = -reserves.uncovered, -reserves.outside
    is_open = state.deleveraging is not None or state.sharing is not None
    if is_open or (rulebook.withdrawals_wait and loss):
        return Atoms(0)
    if account == rulebook.vault and state.stakes.get(account).shares != state.vault_shares:
        return Atoms(0)
    most = pool
    if rulebook.withdrawals_are_cut and loss:
        pooled = get_pooled(state)
        if pooled <= 0:
            return Atoms(0)
        # amount * pooled / (pooled + loss), rounded down, is paid out; amount less the loss where that is more
        most = min(divide_up((pool + 1) * (pooled + loss), pooled) - 1, pool + loss)
    return Atoms(max(min(free_collateral(state, account), most), 0))


def haircut(state: State, amount: Atoms) -> Atoms:
    """Atoms that would stay behind of a withdrawal of ``amount`` for the uncovered loss, rounded up.

    Nothing where the rulebook does not cut withdrawals or nothing is uncovered. Raises
    ``Rejected`` where withdrawals are cut and the pool holds nothing that is the accounts'.
    """
    return Atoms(get_haircut(state, amount))


def is_liquidatable(state: State, account: AccountId) -> bool:
    """Whether the account is below its maintenance margin."""
    return is_below_maintenance(_get_margin(state, account))


def liquidation_price(state: State, account: AccountId, market: MarketId) -> Price | None:
    """The mark of the market, all others fixed, at which the account is first below maintenance.

    For a long position the largest such price, for a short the smallest; an integer, exact
    to the rounding of the requirement. It lies on the far side of the mark where the account
    is below already. With slabs, which jump, a long may be below at some prices and healthy under
    them: then it is the first such price on the way down from the mark, or where the account is
    below already the last on the way up. None without a position, or where a long has no such
    price: it is healthy at every price, or (at a maintenance rate of one) below at every price.
    """
    listed = get_market(state, market)
    size = state.accounts.get(account).positions.get(market).size
    margin = _get_margin(state, account)
    # equity and requirement are cushion + size * price, and rest + that of the lots at the price
    cushion = margin.equity - size * listed.mark_price
    missing = margin.maintenance - get_maintenance_requirement(listed, size) - cushion
    if size < 0:
        return get_short_price(listed.rules, -size, missing)
    if size > 0:
        return get_long_price(listed.rules, size, missing, listed.mark_price, is_below_maintenance(margin))
    return None


def bankruptcy_price(state: State, account: AccountId, market: MarketId) -> Fraction | None:
    """Atoms per lot at which closing the whole position costs exactly its share of equity.

    In an account of one market it is the mark at which equity is zero; in others the
    share goes by maintenance requirement, rounded down to an atom. A liquidation fill beyond it
    is paid for by insurance, or refused. It may lie below zero. None without a position.
    """
    listed = get_market(state, market)
    size = state.accounts.get(account).positions.get(market).size
    if size == 0:
        return None
    share = get_equity_share(_get_margin(state, account), listed, size, abs(size))
    return listed.mark_price - Fraction(share, size)


def bankruptcy_tick(state: State, account: AccountId, market: MarketId) -> int | None:
    """The worst integer price that is no worse than the bankruptcy price.

    Rounded up for a long position, down for a short. Not above zero where every price
    is good enough for a long, or none is for a short. None without a position.
    """
    exact = bankruptcy_price(state, account, market)
    if exact is None:
        return None
    size = state.accounts.get(account).positions.get(market).size
    round_safely = divide_up if size > 0 else divide_down
    return round_safely(exact.numerator, exact.denominator)


def notional(state: State, account: AccountId) -> Atoms:
    """Absolute value of all positions at mark."""
    positions = state.accounts.get(account).positions
    return Atoms(sum(abs(position.size) * get_market(state, id).mark_price for id, position in positions.items()))


def leverage(state: State, account: AccountId) -> Fraction | None:
    """Notional per equity; None where equity is not above zero."""
    margin = _get_margin(state, account)
    return Fraction(notional(state, account), margin.equity) if margin.equity > 0 else None


def margin_ratio(state: State, account: AccountId) -> Fraction | None:
    """Maintenance margin per equity: liquidated above 1. None where equity is not above zero."""
    margin = _get_margin(state, account)
    return Fraction(margin.maintenance, margin.equity) if margin.equity > 0 else None


def entry_price(state: State, account: AccountId, market: MarketId) -> Fraction | None:
    """Average atoms per lot that the position was entered at; None without a position."""
    position = state.accounts.get(account).positions.get(market)
    return Fraction(position.cost, position.size) if position.size else None


def unrealised_pnl(state: State, account: AccountId, market: MarketId) -> Atoms:
    """The position at mark less what it cost, without funding; 0 without a position."""
    position = state.accounts.get(account).positions.get(market)
    return Atoms(position.size * get_market(state, market).mark_price - position.cost)


def funding_owed(state: State, account: AccountId, market: MarketId) -> Atoms:
    """Funding that the position owes and has not settled; below zero it is owed to it."""
    position = state.accounts.get(account).positions.get(market)
    return Atoms(position.size * (get_market(state, market).funding_index - position.entry_index))


def adl_queue(state: State, account: AccountId, market: MarketId) -> tuple[AccountId, ...]:
    """Who would be deleveraged against the account's position, first to last.

    Everybody on the opposite side who can bear a part of its loss; empty without a position, or where the market ends.
    """
    return compute_queue(state, account, market)


def adl_place(state: State, account: AccountId, market: MarketId, counterparty: AccountId) -> int | None:
    """The counterparty's place in that queue, the first being 0; None if it is not in it."""
    queue = compute_queue(state, account, market)
    return queue.index(counterparty) if counterparty in queue else None


@frozen
class VaultReport:
    """Who owns the vault, at the marks of the state.

    ``equity``: atoms, signed; what each takeover brought is in its effects. ``value_per_share``:
    exact, None where there are no shares. ``holders``: shares by account, sorted. ``waiting``: atoms in escrow.
    """

    equity: Atoms
    shares: Shares
    value_per_share: Fraction | None
    holders: Mapping[AccountId, Shares]
    waiting: Atoms

    def get_worth(self, account: AccountId) -> Atoms:
        """Atoms that all the account's shares are worth, rounded down; 0 where the vault has no equity.

        Whether they can be paid out now is for the vault's own margin to say.
        """
        held = self.holders.get(account, 0)
        return Atoms(divide_down(held * self.equity, self.shares) if held and self.equity > 0 else 0)


def get_vault_report(state: State) -> VaultReport:
    """The vault's equity and its owners. One scan of the stakes."""
    worth, shares = equity(state, state.rulebook.vault), state.vault_shares
    return VaultReport(
        worth,
        shares,
        Fraction(worth, shares) if shares else None,
        {id: stake.shares for id, stake in sorted(state.stakes.items(), key=lambda entry: entry[0]) if stake.shares},
        state.reserves.escrow,
    )


@frozen
class InsuranceFund:
    """How the insurance fund stands at a time; atoms.

    ``available``: what its shared part may pay out now. ``drawn``: what it has paid out in the window that runs, and
    ``window_ends``: when that is over; none where nothing limits it or no window runs.
    ``used``: what it has paid for each market's liquidation fills and deleveragings. Deficits of
    whole accounts are no market's: they are in the effects alone.
    ``parts``: what separate markets have of it for themselves, and ``available_there`` of that each may pay out now.
    """

    balance: Atoms
    available: Atoms
    drawn: Atoms
    window_ends: Time | None
    used: Mapping[MarketId, Atoms]
    parts: Mapping[MarketId, Atoms] = field(factory=dict)
    available_there: Mapping[MarketId, Atoms] = field(factory=dict)


def insurance_fund(state: State, time: Time | None = None) -> InsuranceFund:
    """The fund at ``time``, by default that of the state."""
    now = state.timestamp if time is None else time
    drawn = get_drawn(state.rulebook, state.draws, now)
    ends = Time(state.draws.since + state.rulebook.insurance_draw_window) if drawn else None
    listed = sorted((id, market) for id, market in state.markets.items() if market is not None)
    used = {id: market.insurance_used for id, market in listed}
    separate = [(id, market) for id, market in listed if has_part(market)]
    parts = {id: market.insurance for id, market in separate}
    there = {id: get_available(state, now, market) for id, market in separate}
    return InsuranceFund(state.reserves.insurance, get_available(state, now), drawn, ends, used, parts, there)


@frozen
class Exposure:
    """How a venue stands at some marks.

    ``equities``: atoms of each account. ``below_maintenance``: ids, sorted.
    ``deficits``: atoms by which accounts are below zero, in sum.
    ``uncovered``: atoms of losses that nobody could pay.
    """

    equities: Mapping[AccountId, Atoms]
    below_maintenance: tuple[AccountId, ...]
    deficits: Atoms
    insurance: Atoms
    uncovered: Atoms


@frozen
class Stress:
    """A what-if: the moved marks, how the venue stands there, and how after a resolution."""

    marks: Mapping[MarketId, Price]
    before: Exposure
    after: Exposure
    resolution: Resolution


def get_exposure(state: State) -> Exposure:
    """How the venue stands at the marks of the state. One scan."""
    equities: dict[AccountId, Atoms] = {}
    below: list[AccountId] = []
    for id, account in sorted(state.accounts.items()):
        margin = get_margin(account, state.markets)
        equities[id] = Atoms(margin.equity)
        if is_below_maintenance(margin):
            below.append(id)
    deficits = -sum(min(worth, 0) for worth in equities.values())
    return Exposure(equities, tuple(below), Atoms(deficits), state.reserves.insurance, state.reserves.uncovered)


def stress(
    state: State, shocks: Mapping[MarketId, Rate], liquidity: Liquidity | None = None, *, partial: bool = True
) -> Stress:
    """What would happen if marks moved by ``shocks``, in parts per million of the mark, signed.

    Moved marks are rounded down. The state itself is left alone, whatever its tables.
    Raises ``ValueError`` where a mark would not be above zero, a market ends or a deleveraging is open,
    ``Rejected`` where a market is not listed.
    """
    marks = {id: _shock(get_market(state, id).mark_price, shock) for id, shock in sorted(shocks.items())}
    moved = copy_state(state)
    for id, mark in marks.items():
        sequence = moved.sequence + 1
        outcome = step(moved, MarkPrice(EventId(f"stress-mark-{sequence}"), sequence, moved.timestamp, id, mark))
        if outcome.rejected is not None:
            raise ValueError(f"{id} cannot be marked to {mark}: {outcome.rejected.value}")
        moved = outcome.state
    resolution = resolve(moved, liquidity, prefix="stress", partial=partial)
    return Stress(marks, get_exposure(moved), get_exposure(resolution.state), resolution)


def _shock(mark: int, shock: int) -> Price:
    return Price(divide_down(mark * (RATE_ONE + shock), RATE_ONE))


def copy_state(state: State) -> State:
    """The same state on persistent tables, a value whatever happens to the other; without the ids seen so far."""
    blank = genesis(state.rulebook)
    accounts, markets, stakes, orders = blank.accounts, blank.markets, blank.stakes, blank.orders
    for id, account in state.accounts.items():
        accounts = accounts.put(id, account)
    for market_id, market in state.markets.items():
        markets = markets.put(market_id, market)
    for holder, stake in state.stakes.items():
        stakes = stakes.put(holder, stake)
    for order_id, order in state.orders.items():
        orders = orders.put(order_id, order)
    return evolve(state, accounts=accounts, markets=markets, seen=blank.seen, stakes=stakes, orders=orders)
