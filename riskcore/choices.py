"""The choices of a rulebook, or of a market's rules, that are words."""

from enum import StrEnum


class RankPolicy(StrEnum):
    """Who is deleveraged first (``ranking.py`` has the formulas)."""

    PROFIT_TIMES_LEVERAGE = "profit_times_leverage"
    LEVERAGE = "leverage"
    SIZE = "size"
    FIFO = "fifo"
    PSEUDO_RANDOM = "pseudo_random"
    PROFIT_RATIO = "profit_ratio"
    PROFIT_TO_EQUITY = "profit_to_equity"
    PROFIT_TIMES_NOTIONAL_TO_EQUITY = "profit_times_notional_to_equity"
    SIGNED_PROFIT_TIMES_LEVERAGE = "signed_profit_times_leverage"
    PRICE_RATIO_TIMES_LEVERAGE = "price_ratio_times_leverage"


class CloseOut(StrEnum):
    """At which price a deleveraging closes (``close_out.py`` has what follows from it)."""

    BANKRUPTCY = "bankruptcy"
    MARK = "mark"
    PREVIOUS_MARK = "previous_mark"
    INDEX = "index"


class AdlSize(StrEnum):
    """How much of a position a deleveraging closes: all, or of an account with equity left no more than it needs."""

    WHOLE = "whole"
    NEEDED = "needed"


class Allocation(StrEnum):
    """How the lots of a deleveraging are parted among its queue (``allocation.py`` has the formulas).

    ``QUEUE``: all of each, in rank order. ``CONTRACTS``, ``PROFIT``, ``EQUITY``: in proportion to lots, to profit at
    mark or to equity, at most all (capped pro-rata). ``LEVERAGE``: the highest leverages are brought down to one
    (water-filling).
    """

    QUEUE = "queue"
    CONTRACTS = "contracts"
    PROFIT = "profit"
    EQUITY = "equity"
    LEVERAGE = "leverage"


class TierRule(StrEnum):
    """What the rate of a bracket is a rate of (``tiers.py`` has the formulas)."""

    MARGINAL = "marginal"
    SLAB = "slab"


class MarketStatus(StrEnum):
    """How far a market is in its life (``life.py`` has the moves). The last two are for good."""

    OPEN = "open"
    CLOSE_ONLY = "close_only"
    PAUSED = "paused"
    SETTLING = "settling"
    DELISTED = "delisted"


class LossSharing(StrEnum):
    """By what an uncovered loss is shared out (``sharing.py`` has the formulas)."""

    NONE = "none"
    PROFIT = "profit"
    CONTRACTS = "contracts"
