"""The same day told in another way, on the kernel alone; and the planted faults that this alone finds."""

from __future__ import annotations

from random import Random

import pytest

from riskcore.testing.broken import Broken
from riskcore.testing.metamorphic import RELATIONS
from tests.faults.catalogue import FAULTS
from tests.faults.planting import plant

SEEDS = 5

#: By relation, what it finds in a few days, with no model and no law beside it.
FOUND = {
    "RENAME": "deposit_pays_a_third",
    "PERMUTE": "reserves_written_in_wrong_order",
    "MIRROR": "requirement_rounded_down",
    "SPLIT": "requirement_rounded_down",
    "TOUCH": "rate_rounded_up_too_far",
    "ACCRUAL": "funding_remainder_not_carried",
    "SCALE": "rate_rounded_up_too_far",
}


@pytest.mark.parametrize("name", RELATIONS)
def test_a_day_told_in_another_way_is_the_same_day(name: str) -> None:
    for seed in range(SEEDS):
        RELATIONS[name](Random(seed))


@pytest.mark.parametrize(("name", "fault"), FOUND.items())
def test_a_planted_fault_is_found_with_all_else_off(name: str, fault: str) -> None:
    (planted,) = (one for one in FAULTS if one.name == fault)

    with plant(planted), pytest.raises(Broken, match=f"^{name}: "):
        for seed in range(SEEDS):
            RELATIONS[name](Random(seed))
