"""Published claims on policies of deleveraging, in exact numbers: which hold as stated, and which need a condition."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

from riskcore.policies.cases import Case, Round, Winner
from riskcore.policies.catalogue import list_policies


def get_haircuts(endowments: Sequence[int], caps: Sequence[Fraction], budget: int) -> list[Fraction]:
    """Capped pro-rata: one rate of endowments for all, but at most each one's cap, so that the budget is raised."""
    for rate in sorted({*caps}):
        if sum(min(rate, cap) * own for own, cap in zip(endowments, caps, strict=True)) >= budget:
            break
    full = [cap < rate for cap in caps]
    raised = sum(cap * own for own, cap, is_full in zip(endowments, caps, full, strict=True) if is_full)
    rest = sum(own for own, is_full in zip(endowments, full, strict=True) if not is_full)
    level = Fraction(budget - raised) / rest
    return [min(level, cap) for cap in caps]


def get_survivors(endowments: Sequence[int], caps: Sequence[Fraction], budget: int) -> list[Fraction]:
    haircuts = get_haircuts(endowments, caps, budget)
    return [(1 - rate) * own for rate, own in zip(haircuts, endowments, strict=True)]


def test_capped_pro_rata_keeps_the_order_while_no_cap_binds() -> None:
    for endowments in product(range(1, 8), repeat=3):
        survivors = get_survivors(endowments, [Fraction(1)] * 3, 2)
        pairs = list(zip(endowments, survivors, strict=True))

        assert 2 == sum(endowments) - sum(survivors)
        assert all(one >= other for own, one in pairs for rest, other in pairs if own >= rest)


def test_where_caps_differ_capped_pro_rata_is_not_monotone() -> None:
    survivors = get_survivors([10, 9], [Fraction(1), Fraction(1, 10)], 10)

    assert [Fraction(9, 10), Fraction(81, 10)] == survivors


def test_risk_aware_pro_rata_does_not_minimise_what_is_left_at_risk() -> None:
    """Of two winners, endowment and equity 1 each, risks 2 and 1: left is the sum of risk times what survives."""

    def left_at_risk(first: Fraction, second: Fraction) -> Fraction:
        return 2 * (1 - first) + (1 - second)

    aware = left_at_risk(Fraction(2, 3), Fraction(1, 3))

    assert Fraction(4, 3) == aware
    assert Fraction(1) == left_at_risk(Fraction(1), Fraction(0))
    assert aware > min(left_at_risk(Fraction(part, 12), 1 - Fraction(part, 12)) for part in range(13))


def test_no_rule_parts_one_lot_alike() -> None:
    twins = (Winner("amber", ((2, 110),), 50), Winner("birch", ((2, 110),), 50))

    for policy in list_policies():
        (closing,) = policy.play(Case(100, twins, (Round(1),)))

        assert [0, 1] == sorted(part.closed for part in closing.parts)


def test_solvent_fair_and_unpaid_for_all_at_once_in_a_venue_as_it_is() -> None:
    """A deficit of an atom, out of a profit of a thousand: nothing is left unpaid, and the winner keeps the rest."""
    case = Case(100, (Winner("amber", ((1, 1100),), 5000),), (Round(1, 1),))

    for policy in list_policies():
        if policy.kernel is not None:
            (closing,) = policy.play(case, in_kernel=True)
            (part,) = closing.parts

            assert (1, 1, 1000) == (part.closed, part.forgone, part.profit)
            assert closing.deficit == part.forgone
