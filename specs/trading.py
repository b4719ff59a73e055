"""A fill between a taker and a maker, each at initial margin or safer afterwards."""

from __future__ import annotations

from typing import Any

from riskcore import events
from riskcore.journal import Reason, Reserve, Stage
from riskcore.rules import Rule
from specs.arithmetic import magnitude, rate_of
from specs.case import Case
from specs.contract import Contract, Effect, bearable, header_guard, more_longs, moved, owed, pay, toward_zero, trade
from specs.gates import no_dust
from specs.markets import fresh, open_market, within_band


def _fees(case: Case) -> tuple[Any, Any]:
    notional = magnitude(case.event.size) * case.event.price
    rules = case.before.market.rules
    return rate_of(notional, rules.taker_fee_rate), rate_of(notional, rules.maker_fee_rate)


def _guard(case: Case) -> dict[Rule, Any]:
    event = case.event
    rules = {**header_guard(case), **open_market(case)}
    if case.before.market is None:
        return rules
    taker, maker = case.before.account(event.taker), case.before.account(event.maker)
    taker_fee, maker_fee = _fees(case)
    gain = event.size * (case.before.market.mark_price - event.price)
    return {
        **rules,
        Rule.SELF_TRADE: event.taker != event.maker,
        Rule.SIZE_ZERO: event.size != 0,
        Rule.PRICE_NOT_POSITIVE: event.price > 0,
        **within_band(case, Rule.PRICE_BAND, "fill_price_band"),
        Rule.MARK_STALE: fresh(case)
        | (toward_zero(taker.size, taker.size + event.size) & toward_zero(maker.size, maker.size - event.size)),
        Rule.DUST: no_dust(case, taker.size, taker.size + event.size)
        & no_dust(case, maker.size, maker.size - event.size),
        Rule.TAKER_MARGIN: bearable(case, taker, taker.equity + gain - taker_fee, taker.size + event.size),
        Rule.MAKER_MARGIN: bearable(case, maker, maker.equity - gain - maker_fee, maker.size - event.size),
    }


def _effect(case: Case) -> Effect:
    event, before = case.event, case.before
    taker, maker = before.account(event.taker), before.account(event.maker)
    taker_fee, maker_fee = _fees(case)
    debit = event.size * event.price
    return Effect(
        accounts=(
            (event.taker, moved(case, taker, event.size, debit, taker_fee)),
            (event.maker, moved(case, maker, -event.size, -debit, maker_fee)),
        ),
        reserves={
            "fees": before.reserves.fees + taker_fee + maker_fee,
            "transit": before.reserves.transit + owed(case, taker) + owed(case, maker),
        },
        market={
            "open_interest": before.market.open_interest
            + more_longs(taker.size, event.size)
            + more_longs(maker.size, -event.size)
        },
        lines=(
            *trade(case, event.taker, event.maker, event.size, debit, Reason.FILL, Stage.ORDINARY),
            pay(event.taker, Reserve.FEES, taker_fee, Reason.FEE),
            pay(event.maker, Reserve.FEES, maker_fee, Reason.FEE),
        ),
    )


CONTRACTS = (Contract(event=events.Fill, guard=_guard, effect=_effect),)
