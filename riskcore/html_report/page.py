"""The page itself: what the recorder saw, as one HTML file. The same log gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from typing import Any, Final

from attrs import frozen

from riskcore.bad_input import printable
from riskcore.codec import get_members
from riskcore.html_report import MARK, charts
from riskcore.html_report.episodes import LARGEST, QUEUES, Concentration, Episode
from riskcore.html_report.names import shorten
from riskcore.html_report.recorder import Recorder
from riskcore.html_report.shell import read, render, seal
from riskcore.html_report.shown import to_table
from riskcore.journal import Stage
from riskcore.law_rows import get_law_rows
from riskcore.replay import Failure, Replay
from riskcore.report import (
    ASSUMED,
    get_command,
    get_counts,
    get_diff,
    get_jumps,
    get_rejections,
    get_verdict_words,
)
from riskcore.units import Units, format_decimal
from riskcore.waterfall_tables import get_closes, get_payments, get_solvency_table

#: Points of a chart that has one for each deleveraging.
_POINTS: Final = 400
#: Lines of a violation that are shown, and characters of each.
_LINES: Final = 400
_LINE: Final = 4000
#: Units that are told.
_SHOWN_UNITS: Final = 12


@frozen
class Origin:
    """``file``: the log's name; ``rules``: that of the file of rules that it ran with."""

    file: str
    rules: str | None = None


def make_page(replay: Replay, recorder: Recorder, origin: Origin) -> Iterator[str]:
    """The page's text, piece by piece."""
    recorder.finish(replay.state, replay.waterfall)
    steps = recorder.steps.finish()
    data = {
        "charts": _get_charts(replay, recorder),
        "queues": _get_queues(recorder.episodes.all),
        "steps": steps | {"explain": f"riskcore explain {_quote(origin.file)} --event"},
    }
    return render(
        read("page.html"),
        begin=MARK,
        style=read("page.css"),
        script=read("charts.js") + read("page.js"),
        data=data,
        parts=map(seal, recorder.steps.parts),
        **_get_words(replay, recorder, origin),
    )


def _quote(name: str) -> str:
    return get_command(name).removeprefix("riskcore replay ")


def _get_charts(replay: Replay, recorder: Recorder) -> dict[str, Any]:
    """The charts by the id of their place, where there is anything to draw."""
    cash, samples, episodes = Fraction(replay.header.units.cash), recorder.series.samples, recorder.episodes.all
    losses = charts.get_losses(replay.waterfall, -replay.solvency.uncovered, cash)
    funds = charts.get_funds(samples, cash)
    specs = {
        "insurance": charts.to_spec(charts.draw_fund(funds, "insurance fund"), 150, "Insurance fund over the log"),
        "vault": charts.to_spec(charts.draw_fund(funds, "vault equity"), 150, "Equity of the vault over the log"),
        "uncovered": charts.to_spec(charts.draw_fund(funds, "uncovered loss"), 150, "Uncovered loss over the log"),
    }
    if any(row["amount"] for row in losses):
        specs["losses"] = charts.to_spec(charts.draw_losses(losses), 260, "Who bore the losses beyond margin")
    if cascade := charts.get_cascade(samples, cash):
        specs["cascade"] = charts.to_spec(charts.draw_cascade(cascade), 300, "Mark price against notional closed")
        closed = charts.draw_closed(charts.get_closed(samples, cash))
        specs["closed"] = charts.to_spec(closed, 200, "Notional closed by stage over the log")
    if episodes:
        needs = charts.draw_needs(charts.get_needs(episodes, cash, _POINTS))
        specs["needs"] = charts.to_spec(needs, 220, "Needed and taken in deleveragings so far")
        points = charts.draw_concentrations(charts.get_concentrations(episodes, _POINTS))
        specs["concentration"] = charts.to_spec(points, 220, "Concentration of each queue before and after")
        specs["queue"] = charts.to_spec(charts.draw_queue(), 220, "The chosen queue, place by place")
    return specs


def _get_queues(episodes: list[Episode]) -> list[dict[str, Any]]:
    """The queues that can be chosen; sizes as texts, since they may be longer than a script's numbers."""
    return [
        {
            "step": one.number,
            "title": f"step {one.number:,}: {shorten(one.market)}, against {shorten(one.account)}",
            "facts": _get_facts(one),
            "places": [[shorten(own.account), str(abs(own.before)), str(abs(own.after))] for own in one.places],
        }
        for one in episodes
        if one.places
    ]


def _get_facts(episode: Episode) -> list[list[str]]:
    before, after = _describe(episode.before), _describe(episode.after)
    names = ("holders", "lots", "largest holder", f"largest {LARGEST}", "Herfindahl index")
    return [list(row) for row in zip(names, before, after, strict=True)]


def _describe(own: Concentration | None) -> list[str]:
    if own is None or not own.lots:
        return ["0", "0", "none", "none", "none"]
    return [f"{own.holders:,}", f"{own.lots:,}", _percent(own.largest), _percent(own.top), _decimals(own.herfindahl, 4)]


def _percent(part: Fraction) -> str:
    return f"{_decimals(100 * part, 1)} %"


def _decimals(number: Fraction, places: int) -> str:
    return format_decimal(Fraction(round(number * 10**places), 10**places))


def _get_words(replay: Replay, recorder: Recorder, origin: Origin) -> dict[str, Any]:
    """What the template's sentences and tables say."""
    units, episodes = replay.header.units, recorder.episodes.all
    last, command = recorder.steps.first + recorder.steps.count - 1, get_command(origin.file, origin.rules)
    assumed = () if replay.header.rulebook.has_book else (ASSUMED,)
    lots = (f"1 lot of {shorten(market)} is {lot}" for market, lot in sorted(units.lots.items()))
    return {
        "name": printable(origin.file),
        "verdict": replay.verdict.value,
        "verdict_words": get_verdict_words(replay),
        "counts": get_counts(replay),
        "command": printable(command),
        "state_hash": replay.state_hash,
        "tiles": _get_tiles(replay, episodes),
        "tables": {
            "rejections": to_table(get_rejections(replay)) if replay.rejections else None,
            "closes": to_table(get_closes(replay.waterfall, units)),
            "payments": to_table(get_payments(replay.waterfall, units)),
            "solvency": to_table(get_solvency_table(replay.solvency, units)),
            "needs": _get_needs_table(episodes, units),
        },
        "laws": get_law_rows(replay),
        "broken": _get_broken(replay.failure, recorder),
        "notes": [*(note.plain for note in get_jumps(replay)), *assumed],
        "failure": None if replay.failure is None else _get_failure(replay.failure, command),
        "events": replay.events,
        "first": recorder.steps.first,
        "last": last,
        "sampled": recorder.series.stride,
        "deleveragings": len(episodes),
        "queues": min(len(episodes), QUEUES),
        "units": [f"1 atom is {units.cash} of quote currency", *lots][:_SHOWN_UNITS],
    }


def _get_tiles(replay: Replay, episodes: list[Episode]) -> list[tuple[str, str]]:
    units, waterfall = replay.header.units, replay.waterfall
    paid = sum(waterfall.insurance_paid.values())
    return [
        ("notional closed", units.format_amount(waterfall.get_notional(), 2)),
        ("paid by insurance", units.format_amount(paid, 2)),
        ("forgone by deleveraged", units.format_amount(waterfall.get_total(Stage.DELEVERAGING).forgone, 2)),
        ("accounts deleveraged", f"{len(waterfall.takers[Stage.DELEVERAGING]):,}"),
        ("deleveragings", f"{len(episodes):,}"),
        ("uncovered", units.format_amount(-replay.solvency.uncovered, 2)),
    ]


def _get_needs_table(episodes: list[Episode], units: Units) -> dict[str, Any]:
    """Needed against taken, over all deleveragings."""
    figures = (
        ("needed: lost beyond the equity of those who were closed, at mark", "needed"),
        ("taken: what counterparties got less than mark", "taken"),
        ("of it passed on to the insurance fund", "overshoot"),
        ("given: what counterparties got more than mark", "given"),
        ("left by exhausted queues to the insurance fund", "insured"),
        ("left by them to nobody, written off", "written_off"),
    )
    rows = [[words, units.format_amount(sum(getattr(one, name) for one in episodes), 2)] for words, name in figures]
    return {"header": [("", False), ("quote currency", True)], "rows": rows, "right": [False, True]}


def _get_broken(failure: Failure | None, recorder: Recorder) -> dict[str, int]:
    """Of each broken law the first step that breaks it; what only a full check sees is known of the first violation."""
    known = {law: number for law, (number, _) in recorder.broken.items()}
    return known if failure is None else {failure.violation.law: failure.events} | known


def _get_failure(failure: Failure, command: str) -> dict[str, Any]:
    violation = failure.violation
    lines = get_diff(violation.before, violation.after)
    event = None if violation.event is None else json.dumps(get_members(violation.event), ensure_ascii=False)
    return {
        "law": printable(violation.law),
        "sentence": printable(violation.sentence),
        "clause": printable(violation.clause),
        "event": None if event is None else shorten(event, _LINE),
        "events": failure.events,
        "lines": [(mark, shorten(line, _LINE)) for mark, line, _ in islice(lines, _LINES)],
        "command": printable(command),
    }
