"""What proves a property of one of the kernel's policies: laws, lemmas, and how they fit together."""

from __future__ import annotations

from attrs import frozen

from riskcore.choices import Allocation, RankPolicy
from riskcore.policies.catalogue import Policy
from specs.policies import Property


@frozen
class Evidence:
    """``laws``: proven of every event. ``lemmas``: named as ``riskcore verify`` does. ``argument``: why that is it."""

    argument: str
    laws: tuple[str, ...] = ()
    lemmas: tuple[str, ...] = ()


SIDES = ("short", "long")

#: Of every policy: the kernel asks none of them.
ALWAYS = {
    "waterfall faithfulness": Evidence("no policy is asked before the earlier stages have nothing left", ("WFALL-1",)),
}

#: Of every policy that the kernel has.
OF_THE_KERNEL = {
    "conservation": Evidence("opposite sides shrink together, by all the lots or all there are", ("ADL-1", "ADL-10")),
    "minimality": Evidence("the payments of an episode total the deficit exactly", ("ADL-4",)),
    "capacity feasibility": Evidence("no step leaves a counterparty below zero", ("ADL-3",)),
}

#: Ranks by which more size, profit ratio and leverage is never further back.
FAITHFUL = (
    RankPolicy.PROFIT_TIMES_LEVERAGE,
    RankPolicy.SIGNED_PROFIT_TIMES_LEVERAGE,
    RankPolicy.PROFIT_TIMES_NOTIONAL_TO_EQUITY,
    RankPolicy.PROFIT_TO_EQUITY,
    RankPolicy.PROFIT_RATIO,
    RankPolicy.LEVERAGE,
    RankPolicy.SIZE,
)

_AT_ITS_PRICE = "; entry prices in whole atoms a lot, since a rounded cost may lift a rank by less than an atom"


def get_evidence(policy: Policy, property: Property) -> Evidence | None:
    """What proves it; None where nothing does."""
    if property.name in ALWAYS:
        return ALWAYS[property.name]
    if policy.kernel is None:
        return None
    if property.name in OF_THE_KERNEL:
        return OF_THE_KERNEL[property.name]
    rank, allocation = policy.kernel
    known = _get_of_queue(rank) if allocation is Allocation.QUEUE else _get_of_parts(allocation)
    return known.get(property.name)


def _by(name: str, policy: str) -> tuple[str, ...]:
    """A lemma's names for both sides."""
    return tuple(f"policies/{name}_by_{policy}_{side}" for side in SIDES)


def _get_of_queue(rank: RankPolicy) -> dict[str, Evidence]:
    known = {
        "monotonicity": Evidence("the order is the same, and a turn only grows", lemmas=("policies/turns_follow",)),
        "scale invariance": Evidence(
            "scores keep their order, and so do ties; turns grow alike",
            lemmas=(*_by("times_as_much_ranks_alike", rank), "policies/times_as_much_in_a_queue"),
        ),
        "early reduction": Evidence(
            "with fewer lots nobody ranks higher, in a tie neither, and has fewer to close" + _AT_ITS_PRICE,
            lemmas=(*_by("fewer_rank_no_higher", rank), "policies/turns_follow"),
        ),
    }
    if rank in FAITHFUL:
        known["rank faithfulness"] = Evidence(
            "who has more of each is ahead, the larger of a tie first, and closes all before the other closes any",
            ("ADL-2",),
            _by("more_ranks_no_lower", rank),
        )
    if rank is RankPolicy.SIZE:
        known["merge resistance"] = Evidence(
            "who is larger than both is no further back than the first of them", lemmas=("policies/turns_join",)
        )
    if rank is RankPolicy.FIFO:
        known["path independence"] = Evidence(
            "a position that is reduced is as old as before, so the order stays", lemmas=("policies/turns_add_up",)
        )
    return known


def _get_of_parts(allocation: Allocation) -> dict[str, Evidence]:
    follows, rounded = f"allocation/{allocation}_follow_the_level", "policies/rounded_parts_stay_close"
    known = {
        "symmetry": Evidence("the same figures have the same exact part, rounded down or up", ("ADL-9",)),
        "monotonicity": Evidence(
            "more lots are at a level further on, and parts follow it", ("ADL-9",), (follows, rounded)
        ),
        "early reduction": Evidence(
            "with fewer lots nobody has a larger part at the level that was, nor at the one that is then right"
            + _AT_ITS_PRICE,
            ("ADL-9",),
            (*_by("fewer_have_no_larger_part", allocation), follows, "policies/levels_agree", rounded),
        ),
    }
    if allocation is not Allocation.EQUITY:
        known["rank faithfulness"] = Evidence(
            "who has more of each has no smaller part",
            ("ADL-9",),
            (*_by("more_has_no_smaller_part", allocation), rounded),
        )
    if allocation is not Allocation.PROFIT:
        known["scale invariance"] = Evidence(
            "every part is so many times as much, each rounded for itself",
            ("ADL-9",),
            _by("times_as_much_has_the_part", allocation),
        )
    if allocation is Allocation.CONTRACTS:
        known["path independence"] = Evidence(
            "the level is the lots to close for the lots of all, before and after",
            ("ADL-9",),
            ("policies/contracts_add_up",),
        )
    if allocation in (Allocation.CONTRACTS, Allocation.LEVERAGE):
        known["split resistance"] = Evidence(
            "two have no smaller part than the whole at the level that was, nor at the one that is then right",
            ("ADL-9",),
            (f"economics/lots_of_parts_by_{allocation}", follows, "policies/levels_agree", rounded),
        )
    if allocation in (Allocation.CONTRACTS, Allocation.EQUITY):
        known["merge resistance"] = Evidence(
            "the whole has no smaller part than two at the level that was, nor at the one that is then right",
            ("ADL-9",),
            (*_by("joined_have_no_smaller_part", allocation), follows, "policies/levels_agree", rounded),
        )
    return known
