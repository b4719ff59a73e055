"""The reference risk engine for perpetual swaps, as a pure function.

``step(state, event)`` gives the new state and its effects, or the rule that the
event breaks. The quantities are exact integers; ``quantities.py`` names the units.
"""

from riskcore import queries
from riskcore.events import (
    AdvanceTime,
    ApplyFunding,
    BeginDeleveraging,
    CoverDeficit,
    Deleverage,
    Deposit,
    EndDeleveraging,
    Event,
    Fill,
    FundInsurance,
    LiquidationFill,
    ListMarket,
    MarkPrice,
    Takeover,
    Withdraw,
    WriteOff,
)
from riskcore.journal import Line, Owner, Pay, Reason, Reserve, Stage, Trade
from riskcore.planner import Liquidity, Offer, Resolution, resolve
from riskcore.quantities import AccountId, Atoms, EventId, Lots, MarketId, Price, Rate, Time
from riskcore.queries import stress
from riskcore.rules import Rejected, Rule
from riskcore.state import (
    Account,
    Deleveraging,
    Market,
    MarketRules,
    Position,
    Positions,
    RankPolicy,
    Reserves,
    Rulebook,
    State,
    Tier,
    TierRule,
    genesis,
)
from riskcore.step import Outcome, step

__all__ = [
    "Account",
    "AccountId",
    "AdvanceTime",
    "ApplyFunding",
    "Atoms",
    "BeginDeleveraging",
    "CoverDeficit",
    "Deleverage",
    "Deleveraging",
    "Deposit",
    "EndDeleveraging",
    "Event",
    "EventId",
    "Fill",
    "FundInsurance",
    "Line",
    "LiquidationFill",
    "Liquidity",
    "ListMarket",
    "Lots",
    "MarkPrice",
    "Market",
    "MarketId",
    "MarketRules",
    "Offer",
    "Outcome",
    "Owner",
    "Pay",
    "Position",
    "Positions",
    "Price",
    "RankPolicy",
    "Rate",
    "Reason",
    "Rejected",
    "Reserve",
    "Reserves",
    "Resolution",
    "Rule",
    "Rulebook",
    "Stage",
    "State",
    "Takeover",
    "Tier",
    "TierRule",
    "Time",
    "Trade",
    "Withdraw",
    "WriteOff",
    "genesis",
    "queries",
    "resolve",
    "step",
    "stress",
]
