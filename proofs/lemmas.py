"""All lemmas, by the kernel module whose functions they speak of."""

from __future__ import annotations

from proofs import (
    allocation,
    cash,
    changes,
    close_out,
    deleveraging,
    economics,
    fields,
    insurance,
    journal,
    limits,
    liveness,
    margin,
    markets,
    policies,
    ranking,
    sharing,
    source,
    state,
    step,
    tables,
    tiers,
)
from riskcore.prover.lemma import Lemma
from riskcore.prover.obligations import Obligation

LEMMAS: dict[str, tuple[Lemma, ...]] = {
    "margin": margin.LEMMAS,
    "tiers": tiers.LEMMAS,
    "changes": changes.LEMMAS,
    "markets": markets.LEMMAS,
    "cash": cash.LEMMAS,
    "limits": limits.LEMMAS,
    "insurance": insurance.LEMMAS,
    "journal": journal.LEMMAS,
    "allocation": allocation.LEMMAS,
    "ranking": ranking.LEMMAS,
    "close_out": close_out.LEMMAS,
    "deleveraging": deleveraging.LEMMAS,
    "sharing": sharing.LEMMAS,
    "economics": economics.LEMMAS,
    "policies": policies.LEMMAS,
    "liveness": liveness.LEMMAS,
    "state": state.LEMMAS,
    "tables": tables.LEMMAS,
    "fields": fields.LEMMAS,
    "step": step.LEMMAS,
    "source": source.LEMMAS,
}


def get_lemma_obligations(module: str) -> list[Obligation]:
    return [lemma.get_obligation(module) for lemma in LEMMAS[module]]
