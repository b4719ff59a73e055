"""The order book through ``Matcher`` and ``step`` on the dict table, against a mutable book on a sorted container.

    python benchmarks/orders.py [--orders 40000] [--markets 8] [--profile]

Limit orders in one market, around a mark that stands still, by accounts with positions in all: six in ten rest, a
quarter are cancelled, the rest trade with what is there. The mutable venue keeps prices in a ``SortedDict`` of queues
and does the same arithmetic: margin of all positions, and of the one that open orders could make, for who places and
for both sides of each fill; fees, cost and open interest. It makes no values, events, ids or effects and checks nothing
else. The two run by turns in one process; at the end balances, positions and books must be equal. Needs
``sortedcontainers``, which comes with Hypothesis.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
from random import Random
from statistics import median
from time import process_time
from typing import NamedTuple

from sortedcontainers import SortedDict

from riskcore import Account, Market, MarketRules, Position, Positions, RankPolicy, Rulebook, genesis
from riskcore.order_index import iter_side
from riskcore.order_planner import LimitOrder, Matcher, SelfTrade
from riskcore.quantities import AccountId, Atoms, EventId, Lots, MarketId, Price, Rate, Time

ACCOUNTS, ROUNDS, MARK, CASH = 1000, 20, 1_000_000, 10**12
BTC = MarketId("M0")
RULES = MarketRules(Rate(50_000), Rate(30_000), Rate(450), Rate(-100), Rate(10_000))
RULEBOOK = Rulebook(
    vault=AccountId("vault"),
    vault_position_limit=Atoms(0),
    insurance_floor=Atoms(0),
    insurance_backs_fills=True,
    insurance_fill_band=Rate(1_000_000),
    insurance_before_adl=True,
    adl_solvent=True,
    adl_requires_profit=True,
    adl_rank=RankPolicy.PROFIT_TIMES_LEVERAGE,
    funding_interval=Time(28_800_000),
    funding_rate_cap=Rate(40_000),
    has_book=True,
)


def get_size(account: int) -> int:
    """Lots that an account has in each market but the first."""
    return (100 + account // 2 % 13) * (1 if account % 2 == 0 else -1)


class Request(NamedTuple):
    """An order by its ``number``; or, where ``size`` is 0, the cancelling of the one of that number."""

    number: int
    account: str
    size: int
    price: int


def draw_requests(count: int, first: int, random: Random) -> list[Request]:
    requests: list[Request] = []
    for number in range(first, first + count):
        draw, account = random.random(), f"account{random.randrange(ACCOUNTS)}"
        size = random.randint(1, 20) * random.choice((1, -1))
        side = 1 if size > 0 else -1
        if draw < 0.25:
            requests.append(Request(max(0, number - random.randint(1, 2000)), "", 0, 0))
        elif draw < 0.85:
            requests.append(Request(number, account, size, MARK - side * random.randint(1, 1000)))
        else:
            requests.append(Request(number, account, size, MARK + side * random.randint(1, 200)))
    return requests


# The mutable venue


class PlainOrder:
    __slots__ = ("account", "number", "price", "size")

    def __init__(self, number: int, account: str, size: int, price: int) -> None:
        self.number, self.account, self.size, self.price = number, account, size, price


class PlainAccount:
    """``size``, ``cost``, ``bids`` and ``asks`` are in the market of the orders, ``others`` its sizes elsewhere."""

    __slots__ = ("asks", "balance", "bids", "cost", "others", "size")

    def __init__(self, balance: int, others: dict[str, int]) -> None:
        self.balance, self.others = balance, others
        self.size = self.cost = self.bids = self.asks = 0


class PlainVenue:
    """One market: prices in sorted dicts, of each the orders in the order of their age."""

    def __init__(self, markets: int) -> None:
        self.marks = {f"M{market}": MARK for market in range(markets)}
        self.accounts = {}
        for number in range(ACCOUNTS):
            others = {f"M{market}": get_size(number) for market in range(1, markets)}
            self.accounts[f"account{number}"] = PlainAccount(CASH - sum(others.values()) * MARK, others)
        self.bids: SortedDict = SortedDict()
        self.asks: SortedDict = SortedDict()
        self.orders: dict[int, PlainOrder] = {}
        self.fees = self.open_interest = 0

    def is_free(self, account: PlainAccount, gain: int, size: int, bids: int, asks: int) -> bool:
        """Whether equity is enough for its positions, and here the larger one that could come, after a gain."""
        mark = self.marks["M0"]
        equity = account.balance + account.size * mark + gain
        exposed = max(size + bids, asks - size)
        required = -(-exposed * mark * 50_000 // 1_000_000)
        for name, lots in account.others.items():
            mark = self.marks[name]
            equity += lots * mark
            required -= -abs(lots) * mark * 50_000 // 1_000_000
        return equity >= required

    def rest(self, order: PlainOrder) -> None:
        account, size = self.accounts[order.account], order.size
        bids, asks = account.bids + max(size, 0), account.asks + max(-size, 0)
        if not self.is_free(account, 0, account.size, bids, asks):
            return
        account.bids, account.asks = bids, asks
        side = self.bids if size > 0 else self.asks
        queue = side.get(order.price)
        if queue is None:
            queue = side[order.price] = {}
        queue[order.number] = order
        self.orders[order.number] = order

    def remove(self, order: PlainOrder) -> None:
        side = self.bids if order.size > 0 else self.asks
        queue = side[order.price]
        del queue[order.number], self.orders[order.number]
        if not queue:
            del side[order.price]

    def cancel(self, number: int) -> None:
        order = self.orders.get(number)
        if order is not None:
            self.remove(order)
            self.free(order, abs(order.size))

    def free(self, order: PlainOrder, lots: int) -> None:
        account = self.accounts[order.account]
        if order.size > 0:
            account.bids -= lots
        else:
            account.asks -= lots

    def get_best(self, buys: bool, price: int) -> PlainOrder | None:
        """The oldest order at the best price that an order at ``price`` trades with."""
        side = self.asks if buys else self.bids
        if not side:
            return None
        best, queue = side.peekitem(0 if buys else -1)
        if best > price if buys else best < price:
            return None
        oldest: PlainOrder = next(iter(queue.values()))
        return oldest

    def submit(self, number: int, account: str, size: int, price: int) -> None:
        left = size
        while left and (best := self.get_best(size > 0, price)) is not None:
            if best.account == account:
                self.cancel(best.number)
                continue
            lots = min(abs(left), abs(best.size))
            signed = lots if size > 0 else -lots
            if not self.fill(self.accounts[account], best, signed):
                return
            left -= signed
        if left:
            self.rest(PlainOrder(number, account, left, price))

    def fill(self, taker: PlainAccount, order: PlainOrder, size: int) -> bool:
        maker, price = self.accounts[order.account], order.price
        notional = abs(size) * price
        taker_fee, maker_fee = -(-notional * 450 // 1_000_000), -(-notional * -100 // 1_000_000)
        gain = size * (MARK - price)
        if not self.is_free(taker, gain - taker_fee, taker.size + size, taker.bids, taker.asks):
            return False
        bids, asks = maker.bids - max(-size, 0), maker.asks - max(size, 0)
        if not self.is_free(maker, -gain - maker_fee, maker.size - size, bids, asks):
            return False
        self.trade(taker, size, size * price, taker_fee)
        self.trade(maker, -size, -size * price, maker_fee)
        maker.bids, maker.asks = bids, asks
        if order.size + size == 0:
            self.remove(order)
        order.size += size
        return True

    def trade(self, account: PlainAccount, lots: int, debit: int, fee: int) -> None:
        size = account.size
        after = size + lots
        if size * lots >= 0:
            account.cost += debit
        elif size * after > 0:
            account.cost = account.cost * abs(after) // abs(size)
        else:
            account.cost = debit * abs(after) // abs(lots)
        self.open_interest += max(after, 0) - max(size, 0)
        account.size = after
        account.balance -= debit + fee
        self.fees += fee

    def run(self, requests: list[Request]) -> None:
        for number, account, size, price in requests:
            if size:
                self.submit(number, account, size, price)
            else:
                self.cancel(number)


# The kernel


class Session:
    """A matcher, and which order of it each number became."""

    def __init__(self, markets: int) -> None:
        self.ids: dict[int, EventId] = {}
        state = genesis(RULEBOOK, mutable=True)
        for market in range(markets):
            held = sum(max(get_size(number), 0) for number in range(ACCOUNTS)) if market else 0
            listed = Market(RULES, Price(MARK), Atoms(0), 0, Time(0), Lots(held))
            state.markets.put(MarketId(f"M{market}"), listed)
        for number in range(ACCOUNTS):
            position = Position(Lots(get_size(number)), Atoms(get_size(number) * MARK), Atoms(0))
            positions = Positions({MarketId(f"M{market}"): position for market in range(1, markets)})
            balance = Atoms(CASH - (markets - 1) * position.cost)
            state.accounts.put(AccountId(f"account{number}"), Account(balance, positions))
        self.matcher = Matcher(state, prefix="o")

    def run(self, orders: list[tuple[int, LimitOrder | None]]) -> None:
        matcher, ids = self.matcher, self.ids
        for number, order in orders:
            if order is None:
                if number in ids:
                    matcher.cancel(BTC, ids[number])
                continue
            resting = matcher.submit(order).resting
            if resting is not None:
                ids[number] = resting


def make_orders(requests: list[Request]) -> list[tuple[int, LimitOrder | None]]:
    return [
        (
            number,
            LimitOrder(AccountId(account), BTC, Lots(size), Price(price), self_trade=SelfTrade.CANCEL_OLDEST)
            if size
            else None,
        )
        for number, account, size, price in requests
    ]


def compare(session: Session, venue: PlainVenue) -> None:
    """Both must have done the same."""
    state = session.matcher.state
    for id, plain in venue.accounts.items():
        account = state.accounts.get(AccountId(id))
        position, resting = account.positions.get(BTC), account.resting.get(BTC)
        assert (account.balance, position.size, position.cost) == (plain.balance, plain.size, plain.cost), id
        assert (resting.bids, resting.asks) == (plain.bids, plain.asks), id
    market = state.markets.get(BTC)
    assert market is not None and market.open_interest == venue.open_interest
    assert state.reserves.fees == venue.fees
    for is_bid, side in ((True, venue.bids), (False, venue.asks)):
        prices = reversed(side) if is_bid else iter(side)
        listed = [(order.account, order.size, order.price) for price in prices for order in side[price].values()]
        assert listed == [(order.account, order.size, order.price) for _, order in iter_side(state, BTC, is_bid)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=40_000)
    parser.add_argument("--markets", type=int, default=8)
    parser.add_argument("--profile", action="store_true", help="where the kernel's time goes, instead of the ratio")
    arguments = parser.parse_args()
    random, chunk = Random(1), arguments.orders // ROUNDS
    session, venue = Session(arguments.markets), PlainVenue(arguments.markets)
    if arguments.profile:
        orders = make_orders(draw_requests(arguments.orders, 0, random))
        profile = cProfile.Profile()
        profile.runcall(session.run, orders)
        pstats.Stats(profile).sort_stats("tottime").print_stats(26)
        return
    stepped, looped = [], []
    for turn in range(ROUNDS):
        requests = draw_requests(chunk, turn * chunk, random)
        orders = make_orders(requests)
        gc.collect()
        begun = process_time()
        session.run(orders)
        between = process_time()
        venue.run(requests)
        ended = process_time()
        stepped.append((between - begun) / chunk)
        looped.append((ended - between) / chunk)
    compare(session, venue)
    ratios = [step_time / loop_time for step_time, loop_time in zip(stepped, looped, strict=True)]
    print(f"riskcore {median(stepped) * 1e6:6.2f} us an order, {1 / median(stepped):9,.0f} orders a second")
    print(f"mutable  {median(looped) * 1e6:6.2f} us an order, {1 / median(looped):9,.0f} orders a second")
    print(f"ratio    {median(ratios):6.2f} (from {min(ratios):.2f} to {max(ratios):.2f} in {ROUNDS} turns)")


if __name__ == "__main__":
    main()
