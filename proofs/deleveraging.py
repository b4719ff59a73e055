"""An episode's payments: parts of a share that telescope to it, each within what was promised."""

from __future__ import annotations

from typing import Any

from riskcore import deleveraging
from riskcore.prover.lemma import Lemma, assume
from riskcore.prover.symbols import new_int
from riskcore.prover.tracer import Tracer
from riskcore.state import Deleveraging
from specs.arithmetic import every


def _any_episode(tracer: Tracer) -> Any:
    lots, share, done, head = (new_int(name) for name in ("lots", "share", "done", "head"))
    nobody: Any = None
    assume(tracer, lots > 0, done >= 0, done <= lots)
    return Deleveraging(nobody, nobody, lots, share, done, (), head, new_int("excess"))


def _all_lots_pay_the_share(tracer: Tracer) -> Any:
    episode = _any_episode(tracer)
    return every(
        deleveraging.get_paid(episode, episode.lots) == episode.share,
        deleveraging.get_paid(episode, 0) == 0,
        deleveraging.get_passed_on(episode, episode.lots) == episode.excess,
        deleveraging.get_passed_on(episode, 0) == 0,
    )


def _parts_are_rounded_down(tracer: Tracer) -> Any:
    episode = _any_episode(tracer)
    paid: Any = deleveraging.get_paid(episode, episode.done)
    exact = episode.share * episode.done
    passed_on: Any = deleveraging.get_passed_on(episode, episode.done)
    due = episode.excess * episode.done
    return every(
        paid * episode.lots <= exact,
        (paid + 1) * episode.lots > exact,
        passed_on * episode.lots <= due,
        (passed_on + 1) * episode.lots > due,
    )


LEMMAS = (
    Lemma(
        "all_lots_pay_the_share",
        "ADL-4",
        "no lots pay nothing, all lots pay the share exactly, and of it the excess to the fund",
        _all_lots_pay_the_share,
    ),
    Lemma(
        "parts_are_rounded_down",
        "ADL-4",
        "what is paid for some lots is their part, rounded down",
        _parts_are_rounded_down,
    ),
)
