"""What the data says, in sentences, each with its figure; of other data they are other sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from examples.oct10.data import Data
from examples.oct10.figures import count, decimals, dollars, million_atoms, millions, percent, times
from examples.oct10.laboratory import PATH_PPM, VENUE, Played, compare
from examples.oct10.published import DEBATED, Check, Verdict, find_quotients, get_figures, sum_of
from examples.oct10.tables import name
from examples.oct10.waves import Counted, get_heaviest, get_once

#: Head, and what follows.
Sentence = tuple[str, str]


def conclude(data: Data, checks: Sequence[Check], counted: Sequence[Counted], played: Played) -> list[Sentence]:
    """The study's findings, in the order of its parts."""
    return [
        *_say_published(checks),
        *_say_repeats(data, counted),
        *_say_overshoot(data, counted),
        *_say_multiples(data, counted),
        *_say_cost(played),
        *_say_who(played),
        *_say_waves(played),
    ]


def _say_published(checks: Sequence[Check]) -> Iterator[Sentence]:
    verdicts = Counter(one.verdict for one in checks)
    made = verdicts[Verdict.AGREES] + verdicts[Verdict.DIFFERS]
    differing = ", ".join(one.what for one in checks if one.verdict is Verdict.DIFFERS)
    rest = f" Another is: {differing}." if differing else ""
    yield (
        "The published totals are reproduced." if not differing else "Most published totals are reproduced.",
        f"{verdicts[Verdict.AGREES]} of {count(made, 'figure')} that the rows can give are the same again.{rest}"
        f" {count(verdicts[Verdict.NOT_HERE], 'figure')} cannot be made from the rows, and are taken as published.",
    )


def _say_repeats(data: Data, counted: Sequence[Counted]) -> Iterator[Sentence]:
    repeats = [one for one in counted if one.first is not None]
    deficit, once = sum_of([one.wave.deficit for one in counted]), get_once(counted)
    if not repeats:
        yield "No loss is seen twice.", f"No two waves have the same largest loss; the deficit is {millions(deficit)}."
        return
    losses = Counter(one.wave.largest for one in repeats)
    loss, again = max(losses.items(), key=lambda one: (one[1] * one[0], one[0]))
    yield (
        f"One loss is counted {count(again + 1, 'time')}.",
        f"The deficit of {millions(deficit)} has one account's loss of exactly {dollars(loss)} in {again + 1} of"
        f" {len(counted)} waves. With each loss once it is {millions(once)}, which is a most: smaller losses may repeat"
        " unseen, for of each wave only the largest is published.",
    )


def _say_overshoot(data: Data, counted: Sequence[Counted]) -> Iterator[Sentence]:
    waves = [one.wave for one in counted]
    total, heaviest = sum_of([wave.overshoot for wave in waves]), get_heaviest(waves)
    most = sum_of([wave.overshoot for wave in heaviest])
    below = [wave for wave in waves if wave.production < wave.needed]
    under = sum_of([wave.needed - wave.production for wave in below])
    names = " and ".join(str(wave.number) for wave in heaviest)
    yield (
        f"Overshoot is in {count(len(heaviest), 'wave')}.",
        f"{'Waves' if len(heaviest) > 1 else 'Wave'} {names} made {millions(most)} of the {millions(total)}"
        f" that production was above needed. In {len(below)} of {len(waves)} waves less was taken than needed, by"
        f" {millions(under)} together.",
    )
    production, needed = sum_of([wave.production for wave in waves]), sum_of([wave.needed for wave in waves])
    baselines = ("needed", needed), ("the deficit with each loss once", get_once(counted)), (
        "the deficit as published", data.published.totals["deficit"],
    )  # fmt: skip
    readings = ", ".join(
        f"{millions(abs(production - value))} {'above' if production >= value else 'below'} {words}"
        for words, value in baselines
    )
    yield (
        "How much it is hangs on the baseline.",
        f"The same {millions(production)} of wealth that winners had less is {readings}.",
    )


def _say_multiples(data: Data, counted: Sequence[Counted]) -> Iterator[Sentence]:
    figures = get_figures(data, get_once(counted))
    found = [(multiple, find_quotients(figures, multiple)) for multiple in DEBATED]
    words = [
        f"{multiple}x is {ones[0].above.name} over {ones[0].below.name}"
        f" ({millions(ones[0].above.value)} / {millions(ones[0].below.value)} = {times(ones[0].value)})"
        for multiple, ones in found
        if ones
    ]
    if words:
        yield (
            "The multiples divide different things.",
            f"Of the figures here, as near as they come: {'; '.join(words)}.",
        )


def _say_cost(played: Played) -> Iterator[Sentence]:
    outcomes = [one for one in played.outcomes if one.share_ppm == PATH_PPM]
    least, most = min(outcomes, key=lambda one: one.realised), max(outcomes, key=lambda one: one.realised)
    costs = {one.forgone for one in outcomes}
    cost = f"the same {million_atoms(outcomes[0].forgone)}" if len(costs) == 1 else "different amounts"
    yield (
        "Profit realised by force is no cost of a policy.",
        f"At {percent(Fraction(PATH_PPM, 10**6))} of the winners' size each policy costs them {cost} against mark, by"
        f" the study's deficit. The profit that they realise at that, and keep, is from {million_atoms(least.realised)}"
        f" ({name(least.policy)}) to {million_atoms(most.realised)} ({name(most.policy)}). Who counts it as lost"
        " measures whose profit was realised.",
    )


def _say_who(played: Played) -> Iterator[Sentence]:
    venue, parts = played.get(VENUE, PATH_PPM), played.get("part_by_contracts", PATH_PPM)
    shift = compare(venue.closed, parts.closed)
    yield (
        "A policy decides who closes.",
        f"At that size the venue's rule, profit x leverage, closes {count(venue.touched, 'account')}, and ten of them"
        f" {percent(venue.get_top(10))} of the lots; in proportion to contracts it is {count(parts.touched, 'account')}"
        f" and {percent(parts.get_top(10))}. {shift.fewer:,} would have closed fewer lots, {shift.more:,} more, and"
        f" {percent(Fraction(shift.moved, venue.lots))} of the lots move.",
    )


def _say_waves(played: Played) -> Iterator[Sentence]:
    shares = {one.policy: Fraction(one.shift.moved, sum(one.sizes)) for one in played.courses}
    own = next(one for one in played.courses if one.policy == VENUE)
    waves = sum(lots > 0 for lots in own.sizes)
    calm = min(shares.values())
    calmest = ", ".join(name(policy) for policy, share in shares.items() if share == calm)
    yield (
        f"{count(waves, 'wave')} are not one.",
        f"With a price that stands still, the venue's rule closes {percent(shares[VENUE])} of the lots"
        f" ({decimals(Fraction(own.shift.moved), 0)}) on other accounts when they come in"
        f" {count(waves, 'wave')} than when they come at once: a winner that is partly closed has less leverage, and falls back. Least moves under"
        f" {calmest}: {percent(calm)}.",
    )
