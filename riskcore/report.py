"""A replay as people read it, and as programs do.

Text goes to a rich console and reads the same in a pipe: no colour carries
meaning alone. Names from a log are shown escaped where a terminal would obey them.
"""

from __future__ import annotations

import difflib
import json
import shlex
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

import attrs
from rich.console import Console
from rich.table import Table
from rich.text import Text

from riskcore.bad_input import escape, printable
from riskcore.close_outs import CloseOutStep
from riskcore.codec import encode, get_members
from riskcore.columns import add_row, make_table
from riskcore.journal import Reason, Stage
from riskcore.replay import Failure, Replay, Tally, Verdict
from riskcore.units import Units, format_decimal
from riskcore.waterfall import CLOSING_STAGES, Waterfall
from riskcore.waterfall_tables import counted, get_closes, get_payments, get_solvency_table

_COLOURS: Final = {Verdict.HOLDS: "bold green", Verdict.VIOLATED: "bold red", Verdict.INCONCLUSIVE: "bold yellow"}
#: Steps of deleveragings that the text shows.
_CLOSE_OUTS: Final = 10
ASSUMED: Final = (
    "WFALL-1, order book: ASSUMED(log). The state holds no resting orders, so that the book was "
    "exhausted before the next stage is the log's word."
)


def get_command(file: str, rules: str | None = None) -> str:
    """The command that repeats a replay, with the rules of a file where it had any."""
    return f"riskcore replay {'' if rules is None else f'--rules {shlex.quote(rules)} '}{shlex.quote(file)}"


def get_json(replay: Replay, file: str, prefix: str | None = None, rules: str | None = None) -> dict[str, Any]:
    """The replay as one JSON object; amounts are atoms, ``file`` and ``prefix`` as for ``print_replay``."""
    tallies, command = replay.tallies or {}, get_command(prefix or file, rules)
    return {
        "verdict": replay.verdict.value,
        "events": replay.events,
        "rejected": replay.rejected,
        "rejections": dict(sorted((rule.name, count) for rule, count in replay.rejections.items())),
        "accounts": replay.accounts,
        "laws": {
            law: {"checked": tally.checked, "violations": tally.violations} for law, tally in sorted(tallies.items())
        },
        "jumps": replay.jumps,
        "waterfall": _get_waterfall_json(replay.waterfall),
        "close_outs": [_get_close_out_json(close_out) for close_out in replay.close_outs],
        "solvency": {
            **replay.solvency._asdict(),
            "claims": replay.solvency.claims,
            "ties": replay.solvency.ties,
        },
        "failure": None if replay.failure is None else _get_failure_json(replay.failure, command),
        "state_hash": replay.state_hash,
        "seconds": round(replay.seconds, 3),
    }


def _get_waterfall_json(waterfall: Waterfall) -> dict[str, Any]:
    stages: dict[str, Any] = {}
    for stage in CLOSING_STAGES:
        stages[stage] = {
            **encode(waterfall.get_total(stage), None),
            "takers": len(waterfall.takers[stage]),
            "markets": {market: encode(closed, None) for market, closed in sorted(waterfall.closed[stage].items())},
        }
    stages[Stage.BOOK]["insurance_paid"] = waterfall.insurance_paid[Stage.BOOK]
    stages[Stage.BOOK]["liquidation_fees"] = waterfall.liquidation_fees
    stages[Stage.INSURANCE] = {
        "paid": waterfall.insurance_paid[Stage.INSURANCE],
        "deposits": waterfall.insurance_received[Reason.DEPOSIT],
        "fee_share": waterfall.insurance_received[Reason.FEE_SHARE],
        "overshoot": waterfall.insurance_received[Reason.OVERSHOOT],
    }
    stages[Stage.UNCOVERED] = {
        "written_off": waterfall.written_off,
        "haircuts": waterfall.haircuts,
        "repaid": waterfall.repaid,
        "shared": waterfall.shared,
        "sharers": len(waterfall.sharers),
    }
    return stages


def _get_close_out_json(close_out: CloseOutStep) -> dict[str, Any]:
    """Ratios as ``numerator/denominator``: JSON has no exact ones."""
    members = attrs.asdict(close_out.standing)
    figures = attrs.asdict(close_out, filter=attrs.filters.exclude("standing"))
    return {
        name: str(value) if isinstance(value, Fraction) else value for name, value in {**members, **figures}.items()
    }


def _get_failure_json(failure: Failure, command: str) -> dict[str, Any]:
    violation = failure.violation
    return {
        "law": violation.law,
        "sentence": violation.sentence,
        "clause": violation.clause,
        "event": None if violation.event is None else get_members(violation.event),
        "before": violation.before,
        "after": violation.after,
        "prefix_events": failure.events,
        "reproduce": command,
    }


def print_replay(
    replay: Replay, file: str, console: Console, prefix: str | None = None, rules: str | None = None
) -> None:
    """The whole report; ``file`` is the log as its user named it, ``prefix`` where the part that fails was saved.

    ``rules``: the file of rules that it ran with.
    """
    units = replay.header.units
    console.print(Text(f"Replay of {printable(file)}", "bold"))
    console.print(_get_summary(replay))
    if replay.rejections:
        _print_section(console, "Rejected", get_rejections(replay))
    rounded = "in quote currency to 0.01; exact with --format json"
    _print_section(console, f"Closed, stage by stage ({rounded})", get_closes(replay.waterfall, units))
    _print_section(console, "Who paid, and what was forgone, against mark", get_payments(replay.waterfall, units))
    if replay.close_outs:
        _print_section(console, "Deleveraged, the most forgone first", *_get_close_outs(replay, units))
    _print_section(console, "Solvency (in quote currency, exact)", get_solvency_table(replay.solvency, units))
    if replay.tallies is not None:
        assumed = () if replay.header.rulebook.has_book else (Text(ASSUMED, "dim"),)
        _print_section(console, "Laws", _get_laws(replay, replay.tallies), *get_jumps(replay), *assumed)
    if replay.failure is not None:
        violation = replay.failure.violation
        title = f"{printable(violation.law)} is VIOLATED: {printable(violation.sentence)}"
        _print_section(console, title, *_get_failure(replay.failure, get_command(prefix or file, rules), console))
    _print_section(console, "", *_get_end(replay))


def _print_section(console: Console, title: str, *parts: Text | Table) -> None:
    console.print()
    if title:
        console.print(Text(title, "bold"))
    for part in parts:
        console.print(part)


def _get_summary(replay: Replay) -> Text:
    return Text(f"{get_counts(replay)}; {replay.seconds:.2f} s")


def get_counts(replay: Replay) -> str:
    """How many events and accounts there are."""
    accepted = replay.events - replay.rejected
    return (
        f"{replay.events:,} events, {accepted:,} accepted, {replay.rejected:,} rejected; {replay.accounts:,} accounts"
    )


def get_rejections(replay: Replay) -> Table:
    table = make_table(["rule"], ["events"], ["because"])
    for rule, count in sorted(replay.rejections.items(), key=lambda entry: (-entry[1], entry[0].name)):
        add_row(table, rule.name, f"{count:,}", rule.value)
    return table


def _get_close_outs(replay: Replay, units: Units) -> Iterator[Text | Table]:
    """Who was closed, his place in the queue and by which rank, of which part, and what he got less than mark."""
    table = make_table(["account", "against", "market", "by"], ["place", "lots", "of", "atoms per lot", "forgone"])
    ordered = sorted(replay.close_outs, key=lambda one: -one.forgone)
    for close_out in ordered[:_CLOSE_OUTS]:
        standing = close_out.standing
        add_row(
            table,
            printable(standing.counterparty),
            printable(standing.account),
            printable(standing.market),
            standing.policy,
            f"{standing.place} of {standing.of}",
            f"{close_out.lots:,}",
            format_decimal(standing.part),
            format_decimal(close_out.price),
            units.format_amount(close_out.forgone, 2),
        )
    yield table
    if (left := len(ordered) - _CLOSE_OUTS) > 0:
        yield Text(f"and {left:,} more: all with --format json", "dim")


def _get_laws(replay: Replay, tallies: Mapping[str, Tally]) -> Table:
    table = make_table(["law"], ["checked", "violations"], ["verdict"])
    for law, tally in sorted(tallies.items()):
        verdict = get_law_verdict(replay, law, tally)
        style = "red" if tally.violations else ""
        cells = (law, f"{tally.checked:,}", f"{tally.violations:,}", verdict)
        table.add_row(*(Text(cell, style) for cell in cells))
    return table


def get_law_verdict(replay: Replay, law: str, tally: Tally) -> str:
    """What the replay says of a law."""
    verdict = "VIOLATED" if tally.violations else f"REPLAYED({replay.events:,})" if tally.checked else "NOT CHECKED"
    if law == "WFALL-1" and tally.checked and not replay.header.rulebook.has_book:
        verdict += ", the book ASSUMED(log)"
    return verdict


def get_jumps(replay: Replay) -> Iterator[Text]:
    """The markets for which the law of margin without jumps is refuted, by their rules."""
    if replay.jumps:
        names = ", ".join(map(printable, replay.jumps))
        yield Text(f"MARG-1, continuity: REFUTED by the rules of {names}. A slab's rate is that of the whole notional.")


def _get_failure(failure: Failure, command: str, console: Console) -> Iterator[Text]:
    violation = failure.violation
    yield from _indent(console, "clause     ", violation.clause)
    if violation.event is not None:
        yield from _indent(console, "event      ", escape(json.dumps(get_members(violation.event), ensure_ascii=False)))
    end = f"to line {failure.events + 1} of the log" if failure.events else "the state that the log starts from"
    yield Text(f"prefix     {counted(failure.events, 'event', 'events')}, {end}")
    for mark, line, style in get_diff(violation.before, violation.after):
        yield from _indent(console, f"  {mark} ", line, style)
    yield Text(f"reproduce  {command}")


def _indent(console: Console, label: str, text: str, style: str = "") -> Iterator[Text]:
    """The text behind its label, on as many lines as it takes, all of them to the right of the label."""
    lines = Text(printable(text)).wrap(console, max(console.width - len(label), 1), overflow="fold")
    for index, line in enumerate(lines):
        yield Text((" " * len(label) if index else label) + line.plain.rstrip(), style)


def get_diff(before: str, after: str) -> Iterator[tuple[str, str, str]]:
    """The lines that differ, - before and + after, and those that do not; where nothing was before, what is."""
    old, new = before.splitlines(), after.splitlines()
    if not old:
        yield from ((" ", line, "") for line in new)
        return
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from ((" ", line, "dim") for line in old[i:j])
        else:
            yield from (("-", line, "red") for line in old[i:j])
            yield from (("+", line, "green") for line in new[k:m])


def _get_end(replay: Replay) -> list[Text | Table]:
    verdict = Text(replay.verdict.value, _COLOURS[replay.verdict])
    if words := get_verdict_words(replay):
        verdict.append(f": {words}", "default")
    return [Text(f"state hash  {replay.state_hash}"), Text("verdict     ").append_text(verdict)]


def get_verdict_words(replay: Replay) -> str:
    """What stands behind the verdict; nothing where a violation does, which is told apart."""
    if replay.verdict is Verdict.HOLDS:
        checks = sum(tally.checked for tally in (replay.tallies or {}).values())
        laws = counted(len(replay.tallies or {}), "law", "laws")
        return f"{laws}, {counted(checks, 'check', 'checks')}, no violation"
    if replay.verdict is Verdict.INCONCLUSIVE:
        return "the log holds no event" if replay.events == 0 else "no law was checked"
    return ""
