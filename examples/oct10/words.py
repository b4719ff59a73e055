"""What the data says, in sentences, each with its figure; of other data they are other sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from examples.oct10.data import Data
from examples.oct10.figures import count, dollars, million_atoms, millions, percent, plain, size, times
from examples.oct10.laboratory import PATH_PPM, VENUE, Played, compare
from examples.oct10.published import DEBATED, Check, Verdict, find_quotients, get_figures, sum_of
from examples.oct10.tables import name
from examples.oct10.waves import Counted, get_heaviest, get_once, get_over

#: Head, and what follows.
Sentence = tuple[str, str]


def conclude(data: Data, checks: Sequence[Check], counted: Sequence[Counted], played: Played) -> list[Sentence]:
    """The study's findings, in the order of its parts."""
    return [
        *_say_published(checks),
        *say_repeats(counted),
        *_say_overshoot(data, counted),
        *_say_multiples(data, counted),
        *_say_cost(data, played),
        *_say_who(played),
        *_say_waves(played),
    ]


def _say_published(checks: Sequence[Check]) -> Iterator[Sentence]:
    verdicts = Counter(one.verdict for one in checks)
    made = verdicts[Verdict.AGREES] + verdicts[Verdict.DIFFERS]
    differing = [one for one in checks if one.verdict is Verdict.DIFFERS]
    words = "; ".join(
        f"{one.what} ({plain(one.published)} published, {plain(one.found)} from the rows)"
        for one in differing
        if one.found is not None
    )
    yield (
        "Most published totals are reproduced." if differing else "The published totals are reproduced.",
        f"{verdicts[Verdict.AGREES]} of {count(made, 'figure')} that the data can give are the same again,"
        f" sums over coins and waves among them.{' What differs: ' + words + '.' if differing else ''}"
        f" {count(verdicts[Verdict.NOT_HERE], 'figure')} cannot be made from it, and are taken as published.",
    )


def say_repeats(counted: Sequence[Counted]) -> Iterator[Sentence]:
    """Which loss is counted again, and how often."""
    repeats = [one for one in counted if one.first is not None]
    deficit, once = sum_of([one.wave.deficit for one in counted]), get_once(counted)
    if not repeats:
        yield "No loss is seen twice.", f"No two waves have the same largest loss; the deficit is {millions(deficit)}."
        return
    losses = Counter(one.wave.largest for one in repeats)
    loss, again = max(losses.items(), key=lambda one: (one[1] * one[0], one[0]))
    yield (
        f"One loss is counted {count(again + 1, 'time')}.",
        f"In {again + 1} of {len(counted)} waves the largest loss is exactly {dollars(loss)}, to the cent. With each"
        f" loss once the deficit is not {millions(deficit)} but {millions(once)}, at most: of each wave only the"
        " largest loss is published, and smaller ones may repeat unseen.",
    )


def _say_overshoot(data: Data, counted: Sequence[Counted]) -> Iterator[Sentence]:
    waves = [one.wave for one in counted]
    total, heaviest = sum_of([wave.overshoot for wave in waves]), get_heaviest(waves)
    most, over = sum_of([wave.overshoot for wave in heaviest]), get_over(waves)
    below = [wave for wave in waves if wave.production < wave.needed]
    under = sum_of([wave.needed - wave.production for wave in below])
    names = " and ".join(str(wave.number) for wave in heaviest)
    share = f"hold {percent(most / over)} of the overshoot." if over else "come nearest to an overshoot."
    yield (
        f"{count(len(heaviest), 'wave')} {share}",
        f"In {names} production was {millions(most)} above needed, of {millions(over)} in all waves where it was above."
        f" In {len(below)} of {len(waves)} waves less was taken than needed, by {millions(under)} together; left is"
        f" {millions(total)}.",
    )
    production, needed = sum_of([wave.production for wave in waves]), sum_of([wave.needed for wave in waves])
    baselines = (
        ("needed", needed),
        ("the deficit with each loss once", get_once(counted)),
        ("the deficit as published", data.published.totals["deficit"]),
    )
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


def _say_cost(data: Data, played: Played) -> Iterator[Sentence]:
    outcomes = [one for one in played.outcomes if one.share_ppm == PATH_PPM]
    least, most = min(outcomes, key=lambda one: one.realised), max(outcomes, key=lambda one: one.realised)
    costs = {one.forgone for one in outcomes}
    cost = f"the same {million_atoms(outcomes[0].forgone)}" if len(costs) == 1 else "different amounts"
    yield (
        "Profit realised by force is no cost of a policy.",
        f"At {size(PATH_PPM)} of the winners' size each policy costs them {cost} against mark, by"
        f" the study's deficit. The profit that they realise at that, and keep, is from {million_atoms(least.realised)}"
        f" ({name(least.policy)}) to {million_atoms(most.realised)} ({name(most.policy)}). The queue model's"
        f" {millions(data.published.totals['queue_model'])} is a figure of that kind: its budget is profit realised.",
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
    times_over = count(waves, "wave")
    yield (
        f"{times_over} are not one.",
        f"With a price that stands still, the venue's rule closes {percent(shares[VENUE])} of the lots on other"
        f" accounts when they come in {times_over} than when they come at once: a winner that is partly closed has less"
        f" leverage, and falls back. Least moves under {calmest}: {percent(calm)}. How many lots each wave had is an"
        " assumption: no figure says it.",
    )
