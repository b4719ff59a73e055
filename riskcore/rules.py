"""Why an event is rejected.

Rejected means: a transition raised ``Rejected`` before its first write, so that
the state is what it was; no other exception counts, and none may escape.
"""

from enum import StrEnum


class Rule(StrEnum):
    """The rule that a rejected event breaks; the value is the sentence shown to people."""

    DUPLICATE_ID = "an event with this id was accepted before"
    SEQUENCE_NOT_AHEAD = "the sequence number must be above that of the last accepted event"
    TIME_BACKWARDS = "the timestamp must not be before that of the last accepted event"
    DELEVERAGING_OPEN = "a deleveraging is open: only its own steps are accepted"
    DELEVERAGING_NOT_OPEN = "no deleveraging is open"
    SHARING_OPEN = "a loss is being shared out: only its own steps are accepted"
    SHARING_NOT_OPEN = "no loss is being shared out"

    UNKNOWN_MARKET = "the market is not listed"
    MARKET_LISTED = "the market is listed already"
    MARKET_SETTLING = "the market is being settled, or delisted: only settlement closes positions in it"
    MARKET_OPEN = "the market is not being settled"
    MARKET_PAUSED = "the market is paused: no contracts move until it goes on or is settled"
    MARKET_CLOSE_ONLY = "the market is close-only: whoever trades reduces, but for the vault that takes over"
    MARKET_NOT_FLAT = "the market still has positions"
    STATUS_IS_AN_END = "a market ends by being settled, and then delisted, not by setting its status"
    OPEN_INTEREST_LIMIT = "open interest would rise beyond the market's limit"
    NOT_OPPOSITE = "a settlement needs an account that is long and one that is short"
    RULES_INADMISSIBLE = "the market's rules are outside the admissible range"
    INSURANCE_PART_FIXED = "a market keeps its part of the insurance fund, or has none, as it was listed"
    NO_RULES_PENDING = "no rules of the market wait"
    RULES_NOTICE_RUNS = "the notice of the market's new rules is not over"
    PRICE_NOT_POSITIVE = "a price must be above zero"
    PRICE_BAND = "the price is further from mark than the market's rules allow"
    MARK_JUMP = "the mark price moves by more than the market's rules allow at once"
    MARK_STALE = "a mark price is older than its market's rules allow"
    MARK_OFF_INDEX = "the mark price is further from the index price than the market's rules allow, and no nearer"
    INDEX_JUMP = "the index price moves by more than the market's rules allow at once"
    INDEX_STALE = "the index price is older than its market's rules allow"
    AMOUNT_NOT_POSITIVE = "an amount must be above zero"
    SIZE_ZERO = "a size must not be zero"
    SIZE_NOT_POSITIVE = "a size must be above zero"
    SELF_TRADE = "an account cannot trade with itself"
    SELF_TRANSFER = "an account cannot pay itself"

    POOL_EXHAUSTED = "the pool holds less than the amount"
    WITHDRAWAL_LIMIT = "more than the rulebook's limit leaves to be withdrawn in this window"
    LOSS_UNCOVERED = "the rulebook lets nobody withdraw while a loss is uncovered"
    NOT_UNCOVERED = "more than is uncovered"
    LEVERAGE_NEGATIVE = "a leverage must not be below zero"
    VAULT_LEVERAGE = "the vault chooses no leverage: what it needs is what its depositors and takeovers can rely on"
    BELOW_INITIAL_MARGIN = "the account would be below its initial margin"
    TAKER_MARGIN = "the taker would be below its initial margin, and does not reduce its risk"
    MAKER_MARGIN = "the maker would be below its initial margin, and does not reduce its risk"

    NO_BOOK = "the rulebook has no order book"
    OFF_BOOK = "the rulebook has an order book and the trade names no order of it, or it has none"
    ORDER_CROSSES = "the order would trade at once: it fills first what is there"
    ORDER_OUT_OF_PLACE = "the order's place is behind all of its price and better, ahead of all of a worse"
    UNKNOWN_ORDER = "no such order rests in the market's book"
    NOT_THE_BEST_ORDER = "the order is not the best of the other side"
    NOT_THE_ORDERS_TERMS = "the trade is not with the order's account at the order's price"
    SIZE_EXCEEDS_ORDER = "more lots than are left of the order"
    NOT_REDUCING = "the order may only bring a position toward zero"
    ORDERS_REST = "orders rest that are cancelled first: of the account, or in the market that ends"
    BOOK_NOT_EXHAUSTED = "the best order of the other side can still take a lot"

    FUNDING_NOT_DUE = "no time has passed since the market's last funding"
    FUNDING_RATE_CAPPED = "the funding rate is beyond the rulebook's cap"

    NOT_LIQUIDATABLE = "the account is at or above its maintenance margin"
    SIZE_EXCEEDS_POSITION = "more lots than the position has"
    LIQUIDATION_SHARE = "more lots than the market's share of a large position that was not just liquidated"
    LIQUIDATION_COOLDOWN = "the account was liquidated within the rulebook's cooldown, and is not bankrupt"
    LIQUIDATION_TARGET = "fewer lots bring the account to the rulebook's target of margin"
    LIQUIDATION_STEP = "fewer lots bring the position down to the floor of its bracket"
    LIQUIDATION_BLOCK = "more than the block's limit leaves to be sold of the account, or in the market"
    DUST = "a position would be left with less than the market's minimum size"
    WORSE_THAN_BANKRUPTCY = "worse than the bankruptcy price, and the insurance fund does not pay the difference"
    VAULT_NOT_DUE = "the account's equity is still above the rate of maintenance at which the vault takes over"
    VAULT_TAKES_NO_DEFICIT = "the rulebook lets the vault take over no account of negative equity"
    VAULT_LIMIT = "the vault's position would be beyond its limit"
    VAULT_MARGIN = "the vault would be below its initial margin, and does not reduce its risk"

    VAULT_ITSELF = "the vault cannot hold its own shares by request"
    VAULT_DEPOSIT_TOO_SMALL = "the deposit is below the rulebook's minimum"
    VAULT_DEPOSIT_WAITING = "a deposit of the account waits already"
    VAULT_REDEMPTION_WAITING = "a redemption of the account waits already"
    NO_VAULT_DEPOSIT = "no deposit of the account waits"
    NO_VAULT_REDEMPTION = "no redemption of the account waits"
    VAULT_NOTICE_RUNS = "the request's notice is not over"
    VAULT_REQUEST_LAPSED = "the request has lapsed"
    VAULT_REQUEST_STANDS = "the request has not lapsed"
    VAULT_SHARES_EXCEEDED = "more shares than the account holds"
    VAULT_WORTHLESS = "the vault has no equity to share"
    VAULT_SHARE_TOO_DEAR = "the deposit does not pay for one share"
    VAULT_CAPITAL_IN_USE = "the vault would be below its initial margin"
    VAULT_HAS_HOLDERS = "others than the vault hold its shares"

    NO_DEFICIT = "the account's equity is not negative"
    INSURANCE_NOT_SEPARATE = "the market has no part of the insurance fund of its own"
    INSURANCE_OPEN_POSITION = "the rulebook lets insurance cover flat accounts only"
    INSURANCE_EXHAUSTED = "the insurance fund has nothing above its floor, or its limit leaves it nothing to pay"
    INSURANCE_NOT_EXHAUSTED = "the insurance fund still has something above its floor that it may pay"
    VAULT_NOT_EXHAUSTED = "the vault can still take over a lot"
    ADL_SOLVENT = "the rulebook deleverages only accounts with no equity left"
    NOT_THE_LOTS_TO_CLOSE = "not as many lots as the rulebook closes: all, or the fewest that are enough"
    QUEUE_NOT_RANKED = "the queue is not all eligible accounts in rank order"
    LEVEL_NOT_EXACT = "the level does not part the lots among the queue exactly"
    NOTHING_TO_BOOK = "nobody is eligible, and there is no loss to book"
    QUEUE_EXHAUSTED = "nobody is left in the queue"
    QUEUE_NOT_EXHAUSTED = "somebody is left in the queue"
    NOT_FLAT = "the account still has positions"
    LOSS_NOT_SHARED = "the rulebook shares no loss out"
    NOTHING_UNCOVERED = "no loss is uncovered"
    MEMBERS_NOT_ALL = "the members are not everyone who has weight, in the order of their ids, or nobody has any"


class Rejected(Exception):
    """A guard failed. ``rule`` is the rule it stands for."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(rule.value)
        self.rule = rule


def require(condition: bool, rule: Rule) -> None:
    """Reject the event unless ``condition``."""
    if not condition:
        raise Rejected(rule)
