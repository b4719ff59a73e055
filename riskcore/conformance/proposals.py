"""What a walk proposes: the fields of each kind of event, drawn around what the state before allows."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

from riskcore import events
from riskcore.capacity import compute_close_out_size, compute_members, compute_opening
from riskcore.choices import MarketStatus
from riskcore.conformance.families import Family
from riskcore.events import Header
from riskcore.margin import Margin, get_margin
from riskcore.order_index import OrderIndex
from riskcore.pairing import compute_pairs
from riskcore.planner import find_below_maintenance
from riskcore.quantities import RATE_ONE, AccountId, MarketId, Price
from riskcore.state import Market, genesis

MARKETS: Final = (MarketId("X"), MarketId("Y"))
TRADERS: Final = tuple(AccountId(name) for name in ("ann", "bob", "cat", "dan", "eve"))


class Scene:
    """A venue of two markets and a few accounts, and the dice. ``state`` is the kernel's."""

    def __init__(self, family: Family, seed: int) -> None:
        self.family = family
        self.state = genesis(family.rulebook)
        self._random = Random(seed)

    def draw(self, low: int, high: int) -> int:
        return self._random.randrange(low, high + 1)

    def pick(self, choices: Any) -> Any:
        return choices[self._random.randrange(len(choices))]

    def around(self, figure: int, percent: int) -> int:
        """A figure near another, by no more than so many per cent of it."""
        return max(figure + figure * self.draw(-percent, percent) // 100 + self.draw(-1, 1), 1)

    def get_market(self, market_id: MarketId) -> Market:
        market = self.state.markets.get(market_id)
        if market is None:
            raise LookupError(market_id)
        return market

    def get_size(self, account: AccountId, market_id: MarketId) -> int:
        return self.state.accounts.get(account).positions.get(market_id).size

    def get_margin(self, account: AccountId) -> Margin:
        return get_margin(self.state.accounts.get(account), self.state.markets)

    def pick_somebody(self) -> AccountId:
        account: AccountId = self.pick((*TRADERS, self.family.rulebook.vault))
        return account

    def pick_in_need(self) -> AccountId:
        """An account below maintenance, if there is one, mostly."""
        needy = sorted(id for _, id in find_below_maintenance(self.state))
        account: AccountId = self.pick(needy) if needy and self.draw(0, 9) else self.pick_somebody()
        return account

    def pick_position(self, account: AccountId) -> tuple[MarketId, int]:
        """A market in which the account has lots, if there is one, and those lots."""
        held = [id for id in MARKETS if self.get_size(account, id)]
        market_id: MarketId = self.pick(held or MARKETS)
        return market_id, self.get_size(account, market_id)

    def pick_lots(self, size: int) -> int:
        most = max(abs(size), 1)
        lots: int = self.pick((1, most, self.draw(1, most), abs(size) + 1))
        return lots


def draw_withdraw(scene: Scene) -> tuple[object, ...]:
    account = scene.pick_somebody()
    margin = scene.get_margin(account)
    spare = margin.equity - margin.initial
    return account, max(scene.pick((spare, spare + 1, spare // 2, scene.draw(1, 500))), 1)


def draw_transfer(scene: Scene) -> tuple[object, ...]:
    payer, amount = draw_withdraw(scene)
    return payer, scene.pick([id for id in TRADERS if id != payer]), amount


def draw_mark(scene: Scene) -> tuple[object, ...]:
    market_id = scene.pick(MARKETS)
    return market_id, scene.around(scene.get_market(market_id).mark_price, scene.pick((1, 4, 10, 25)))


def draw_index(scene: Scene) -> tuple[object, ...]:
    market_id = scene.pick(MARKETS)
    return market_id, scene.around(scene.get_market(market_id).index_price, scene.pick((1, 8, 20)))


def draw_funding(scene: Scene) -> tuple[object, ...]:
    cap = scene.state.rulebook.funding_rate_cap
    return scene.pick(MARKETS), scene.pick((cap, -cap, cap + 1, scene.draw(-cap, cap), scene.draw(-cap, cap)))


def draw_fill(scene: Scene) -> tuple[object, ...]:
    market_id, taker = scene.pick(MARKETS), scene.pick_somebody()
    market = scene.get_market(market_id)
    if scene.state.rulebook.has_book:
        return draw_hit(scene, market_id, market, taker)
    maker = scene.pick([id for id in TRADERS if id != taker])
    size = scene.get_size(taker, market_id)
    price = scene.around(market.mark_price, scene.pick((0, 2, 12)))
    if size and not scene.draw(0, 2):
        return taker, maker, market_id, -size * scene.draw(1, 3) // 2 or -size, price
    margin = scene.get_margin(taker)
    rate = market.rules.initial_margin_rate
    reach = (margin.equity - margin.initial) * RATE_ONE // (market.mark_price * rate)
    lots = max(reach * scene.draw(20, 105) // 100, 1)
    return taker, maker, market_id, scene.pick((lots, -lots)), price


def draw_hit(scene: Scene, market_id: MarketId, market: Market, taker: AccountId) -> tuple[object, ...]:
    """A fill with the best order of a side."""
    best = scene.pick([id for id in (market.best_bid, market.best_ask) if id])
    order = scene.state.orders.get(best)
    assert order is not None
    if order.account == taker:
        raise LookupError(taker)
    size = -order.size * scene.draw(1, 10) // 10 or -order.size
    return taker, order.account, market_id, size, order.price, best


def draw_liquidation(scene: Scene) -> tuple[object, ...]:
    account = scene.pick_in_need()
    market_id, size = scene.pick_position(account)
    market, lots = scene.get_market(market_id), scene.pick_lots(size)
    best = market.best_bid if size > 0 else market.best_ask
    order = scene.state.orders.get(best) if best else None
    if order is not None and order.account != account:
        return account, order.account, market_id, min(lots, abs(order.size)), order.price, best
    maker = scene.pick([id for id in TRADERS if id != account])
    return account, maker, market_id, lots, scene.around(market.mark_price, scene.pick((0, 3, 12)))


def draw_takeover(scene: Scene) -> tuple[object, ...]:
    account = scene.pick_in_need()
    market_id, size = scene.pick_position(account)
    return account, market_id, scene.pick_lots(size)


def draw_opening(scene: Scene) -> tuple[object, ...]:
    account = scene.pick_in_need()
    market_id, size = scene.pick_position(account)
    lots = compute_close_out_size(scene.state, account, market_id) if size else 0
    opening = compute_opening(scene.state, account, market_id, lots or None)
    queue = opening.queue
    if queue and not scene.draw(0, 5):
        queue = scene.pick((queue[::-1], queue[1:]))
    return account, market_id, queue, lots, opening.level_lots, opening.level_weight


def draw_order(scene: Scene) -> tuple[object, ...]:
    market_id, size = scene.pick(MARKETS), scene.draw(1, 30) * scene.pick((1, -1))
    market = scene.get_market(market_id)
    price = max(market.mark_price * (100 - scene.draw(-2, 12) * (1 if size > 0 else -1)) // 100, 1)
    ahead = OrderIndex(scene.state).get_ahead(market_id, size > 0, Price(price))
    return scene.pick_somebody(), market_id, size, price, not scene.draw(0, 5), ahead


def draw_cancel(scene: Scene) -> tuple[object, ...]:
    orders = sorted((id, order.market) for id, order in scene.state.orders.items() if order is not None)
    id, market_id = scene.pick(orders)
    return market_id, id


def draw_pair(scene: Scene) -> tuple[object, ...]:
    market_id = scene.pick(MARKETS)
    return market_id, *scene.pick(compute_pairs(scene.state, market_id))


def draw_rules(scene: Scene) -> tuple[object, ...]:
    """The rules of the market, or of the other, or rates that need more."""
    return scene.pick(MARKETS), scene.pick(scene.family.rules)


def draw_redemption(scene: Scene) -> tuple[object, ...]:
    account = scene.pick(TRADERS)
    shares = scene.state.stakes.get(account).shares
    return account, max(scene.pick((shares, shares // 2, shares + 1)), 1)


#: What each kind's fields beside the header are drawn by; a kind without one is not proposed by chance.
DRAWN: Final[dict[type[Header], Callable[[Scene], tuple[object, ...]]]] = {
    events.Deposit: lambda scene: (scene.pick_somebody(), scene.draw(1, 4_000)),
    events.Withdraw: draw_withdraw,
    events.Transfer: draw_transfer,
    events.FundInsurance: lambda scene: (scene.draw(1, 500), scene.pick((None, *MARKETS))),
    events.RepayLoss: lambda scene: (max(-scene.state.reserves.uncovered + scene.draw(-1, 1), 1),),
    events.AdvanceTime: lambda scene: (),
    events.MarkPrice: draw_mark,
    events.IndexPrice: draw_index,
    events.ApplyFunding: draw_funding,
    events.Fill: draw_fill,
    events.LiquidationFill: draw_liquidation,
    events.Takeover: draw_takeover,
    events.CoverDeficit: lambda scene: (scene.pick_in_need(),),
    events.WriteOff: lambda scene: (scene.pick_in_need(),),
    events.BeginDeleveraging: draw_opening,
    events.Deleverage: lambda scene: (),
    events.EndDeleveraging: lambda scene: (),
    events.BeginLossSharing: lambda scene: (market := scene.pick(MARKETS), compute_members(scene.state, market)),
    events.ShareLoss: lambda scene: (),
    events.SettlePair: draw_pair,
    events.SetMarketStatus: lambda scene: (scene.pick(MARKETS), scene.pick((*[MarketStatus.OPEN] * 9, *MarketStatus))),
    events.DelistMarket: lambda scene: (scene.pick(MARKETS),),
    events.ChangeRules: draw_rules,
    events.ApplyRules: lambda scene: (scene.pick(MARKETS),),
    events.SetLeverage: lambda scene: (scene.pick_somebody(), scene.pick(MARKETS), scene.draw(0, 12)),
    events.PlaceOrder: draw_order,
    events.CancelOrder: draw_cancel,
    events.RequestVaultDeposit: lambda scene: (scene.pick_somebody(), scene.draw(1, 800)),
    events.ExecuteVaultDeposit: lambda scene: (scene.pick(TRADERS),),
    events.CancelVaultDeposit: lambda scene: (scene.pick(TRADERS),),
    events.RequestVaultRedemption: draw_redemption,
    events.ExecuteVaultRedemption: lambda scene: (scene.pick(TRADERS),),
}
