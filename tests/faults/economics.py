"""Faults by which a split pays, or a whole does."""

from __future__ import annotations

from tests.faults.planting import Fault

FAULTS = (
    Fault(
        name="surcharge_on_size",
        words="a large amount is charged more than its parts",
        kinds=(),
        module="quantities",
        old="return -(-amount * rate // RATE_ONE)",
        new="return -(-amount * rate // RATE_ONE) + max(amount, 0) // RATE_ONE",
        unit="lemma:economics",
        kills=("charges_of_parts",),
    ),
    Fault(
        name="first_lot_shares_no_loss",
        words="the first lot of each account weighs nothing in a shared loss",
        kinds=(),
        module="sharing",
        old="return abs(size) if policy is LossSharing.CONTRACTS else 0",
        new="return max(abs(size) - 1, 0) if policy is LossSharing.CONTRACTS else 0",
        unit="lemma:economics",
        kills=("weights_of_parts_by_contracts",),
    ),
    Fault(
        name="first_lot_is_not_parted",
        words="parted by contracts, the first lot of each account counts for nothing",
        kinds=(),
        module="allocation",
        old="return max(abs(size), 1)",
        new="return max(abs(size) - 1, 1)",
        unit="lemma:economics",
        kills=("lots_of_parts_by_contracts",),
    ),
    Fault(
        name="leverage_ranks_the_large_first",
        words="by leverage, an account of twice as much of everything ranks ahead",
        kinds=(41,),
        module="ranking",
        old="return Score(notional, equity)",
        new="return Score(notional * notional, equity)",
        unit="lemma:economics",
        kills=("score_of_a_part_by_leverage",),
    ),
)
