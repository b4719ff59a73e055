"""What each preset promises: the verdict of each law that hangs on a choice, and the logs that refute."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from attrs import frozen

from riskcore.refute import save_harm
from riskcore.rulebook_check import judge
from riskcore.venues.presets import get_preset_names, load_preset
from specs.laws.choices import CHOICES

FOLDER = Path(__file__).parent
FILE = FOLDER / "verdicts.json"


@frozen
class Line:
    """A verdict; ``market``: the first for which the choice is not made, where it is refuted."""

    verdict: str
    market: str | None = None


Verdicts: TypeAlias = Mapping[str, Mapping[str, Line]]


def read_verdicts() -> dict[str, dict[str, Line]]:
    """All that is written, by preset and law; nothing where nothing is."""
    if not FILE.exists():
        return {}
    written = json.loads(FILE.read_text())
    return {name: {law: Line(*entry.split(" ", 1)) for law, entry in lines.items()} for name, lines in written.items()}


def write_verdicts(verdicts: Verdicts) -> None:
    """One line for each verdict."""
    found = {
        name: {law: " ".join(filter(None, (line.verdict, line.market))) for law, line in sorted(lines.items())}
        for name, lines in sorted(verdicts.items())
    }
    FILE.write_text(json.dumps(found, indent=1) + "\n")


def get_log(name: str, law: str) -> Path:
    """Where the log of a refutation is."""
    return FOLDER / name / f"{law}.jsonl"


def judge_all(verdicts: dict[str, dict[str, Line]], names: tuple[str, ...] = ()) -> None:
    """Judge what is not judged yet, or these presets anew; what is found is written after each preset."""
    for name in get_preset_names():
        known = {} if name in names else verdicts.get(name, {})
        found: dict[str, Line] = {}
        for choice in CHOICES:
            found[choice.id] = known.get(choice.id) or _judge(choice.id, name)
            print(name, choice.id, found[choice.id].verdict, flush=True)
        verdicts[name] = found
        write_verdicts(verdicts)


def _judge(law: str, name: str) -> Line:
    promise = judge(law, load_preset(name))
    log = get_log(name, law)
    for path in (log, log.with_suffix(".state.jsonl")):
        path.unlink(missing_ok=True)
    if promise.harm is not None:
        log.parent.mkdir(exist_ok=True)
        save_harm(promise.harm, log.parent)
    return Line(promise.verdict, promise.market)
