"""The faults of real engines, audits and proof suites that the planted ones stand for.

A kind is a class, not an instance: several faults may stand for one, and one for several.
"""

from __future__ import annotations

KINDS: dict[int, str] = {
    1: "funding floored account by account, so that it does not sum to zero",
    2: "a remainder not carried from one touch to the next",
    3: "parts rounded up where the whole is exact",
    4: "a fee credited as asked for and debited as capped",
    5: "an insurance fund that drains, or pays without a debit",
    6: "a requirement rounded down, or a loss cut toward zero",
    7: "insurance counted as an asset of the deficit that it then pays as well",
    8: "open interest lowered on one side of a forced close",
    9: "a partial close that realises the whole position",
    10: "a debt cleared before it is subtracted, and so forgiven",
    11: "a closing fee that nothing is left to pay",
    12: "profit paid out before the loss that it comes from",
    13: "health looked at before the new position is there",
    14: "totals moved by a position's old figures",
    15: "the first funding interval counted from time zero",
    16: "a clock that moves on without accruing",
    17: "one market's figure used for another",
    18: "the growth of funding where its index belongs, or the reverse",
    19: "opposite sizes added without netting",
    20: "an average entry left as it was on one path",
    21: "the boundary of maintenance margin on the wrong side",
    22: "the wrong party of a transfer judged",
    23: "margin judged before fees, or at another price than was traded",
    24: "a trade approved by its own unrealised gain",
    25: "a flip that meets maintenance margin only",
    26: "an average entry weighted by something other than size",
    27: "a tier without its deduction: the requirement jumps",
    28: "a sign lost: a loss as a profit, or the reverse",
    29: "a liquidation that does not reckon with its own fee",
    30: "a minimum fee for each of many small fills",
    31: "a liquidation that enlarges the position",
    32: "a reward above what the account has",
    33: "a liquidation refused because its fee does not fit",
    34: "a partial close that leaves the account worse, or a rest that cannot be closed",
    35: "a check left out on the liquidation's path",
    36: "one valuation for what is given, another for what is received",
    37: "a vault beyond its margin or limit",
    38: "a loss charged to the wrong fund",
    39: "deleveraging of the wrong side, or through zero",
    40: "a close-out price that leaves the bankrupt account with money",
    41: "a rank reversed, unsigned, or left to the order of a table",
    42: "more deleveraged than needed, or from somebody who has lost",
    43: "a stage entered while an earlier one could still act",
    44: "negative balances that nobody books",
    45: "a price of zero, an old one, or one that jumps",
}

#: Of some kinds a part has no place in this kernel.
NO_PLACE: dict[int, str] = {
    1: "accounts settle against one integer index, so no account's payment is ever rounded",
    2: "a trade moves lots times price, exactly; profit is never realised by a division",
    14: "no total is kept at a price; open interest and transit are sums of lots and of entries",
    17: "there are no flags beside a market's own record",
    19: "positions are not merged or transferred",
    20: "the cost is a memo: rank and display read it, no balance does",
    22: "positions are not split, merged or transferred",
    26: "the cost is a memo, and no margin enters it",
}
