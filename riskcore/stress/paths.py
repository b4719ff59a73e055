"""A path of a family, played under every rulebook, and what became of it in figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from itertools import islice

from attrs import evolve, frozen

from riskcore.events import BeginDeleveraging
from riskcore.journal import Stage, Trade
from riskcore.margin import get_margin
from riskcore.simulation.play import simulate
from riskcore.simulation.scenario import Scenario
from riskcore.state import State, genesis
from riskcore.step import step
from riskcore.stress.family import Family
from riskcore.waterfall import Waterfall


@frozen
class Row:
    """A path under a rulebook. Amounts are atoms.

    ``figures``: those drawn. ``sold``, ``taken_over``, ``deleveraged``: notional at mark, closed in the book, by the
    vault and against winners; ``episodes`` of the last, of so many accounts ``touched``, who ``forwent`` so much;
    ``largest``: lots of the one that closed most, in parts per million of all. ``insurance``: what the fund paid;
    ``uncovered``: what nobody paid; ``owing``: accounts below zero at the end.
    """

    path: int
    rulebook: str
    seed: int
    figures: dict[str, str]
    events: int
    sold: int
    taken_over: int
    deleveraged: int
    episodes: int
    touched: int
    largest: int
    forwent: int
    insurance: int
    uncovered: int
    owing: int


#: What is summed up of the paths, in the order of the table.
MEASURES = (
    "sold",
    "taken_over",
    "deleveraged",
    "episodes",
    "touched",
    "largest",
    "forwent",
    "insurance",
    "uncovered",
    "owing",
)


def play_path(family: Family, path: int) -> list[Row]:
    """A row for each rulebook, of the same figures and the same chances."""
    figures, scenario = family.draw(path)
    texts = {name: str(figure) for name, figure in figures.items()}
    return [
        play(path, choice.name, texts, evolve(scenario, rulebook=choice.apply(scenario.rulebook)))
        for choice in family.choices
    ]


def play(path: int, rulebook: str, figures: dict[str, str], scenario: Scenario) -> Row:
    state: State = genesis(scenario.rulebook, mutable=True)
    waterfall, closed, episodes, events = Waterfall(), Counter[str](), 0, 0
    for event in simulate(scenario):
        outcome = step(state, event)
        waterfall.record(state, event, outcome)
        if isinstance(event, BeginDeleveraging):
            episodes += 1
        for line in outcome.effects:
            if isinstance(line, Trade) and line.stage is Stage.DELEVERAGING and state.deleveraging is not None:
                bankrupt = state.deleveraging.account
                closed[line.buyer if line.seller == bankrupt else line.seller] += line.lots
        state = outcome.state
        events += 1
    deleveraging = waterfall.get_total(Stage.DELEVERAGING)
    return Row(
        path=path,
        rulebook=rulebook,
        seed=scenario.seed,
        figures=figures,
        events=events,
        sold=waterfall.get_total(Stage.BOOK).notional,
        taken_over=waterfall.get_total(Stage.VAULT).notional,
        deleveraged=deleveraging.notional,
        episodes=episodes,
        touched=len(closed),
        largest=max(closed.values()) * 1_000_000 // sum(closed.values()) if closed else 0,
        forwent=deleveraging.forgone,
        insurance=sum(waterfall.insurance_paid.values()),
        uncovered=-state.reserves.uncovered,
        owing=sum(get_margin(account, state.markets).equity < 0 for _, account in state.accounts.items()),
    )


def play_batch(family: Family, paths: range) -> list[Row]:
    return [row for path in paths for row in play_path(family, path)]


def play_all(
    family: Family, executor: Executor, jobs: int, report: Callable[[int, int], None] | None = None, batch: int = 5
) -> list[Row]:
    """Every path on any executor, its rows in the order of paths. ``report`` is told how many are done."""
    batches = (range(first, min(first + batch, family.paths)) for first in range(0, family.paths, batch))
    rows: dict[int, list[Row]] = {}
    done = 0
    for paths, found in _run_all(family, batches, executor, 2 * jobs):
        rows[paths.start] = found
        done += len(paths)
        if report is not None:
            report(done, family.paths)
    return [row for first in sorted(rows) for row in rows[first]]


def _run_all(
    family: Family, batches: Iterator[range], executor: Executor, most: int
) -> Iterator[tuple[range, list[Row]]]:
    """Batches as they are done, no more than ``most`` under way."""
    under_way: dict[Future[list[Row]], range] = {}
    while True:
        for paths in islice(batches, most - len(under_way)):
            under_way[executor.submit(play_batch, family, paths)] = paths
        if not under_way:
            return
        ended, _ = wait(under_way, return_when=FIRST_COMPLETED)
        for future in ended:
            yield under_way.pop(future), future.result()
