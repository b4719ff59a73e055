"""A finding as files: a log that ``riskcore replay`` takes, and a test that fails as long as the law is broken."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import indent

from attrs import frozen

import riskcore
from riskcore.bad_input import LogError
from riskcore.files import write_whole
from riskcore.log import LogReader, write_log
from riskcore.snapshot import save_state
from riskcore.state import genesis
from riskcore.testing.desk import with_debts
from riskcore.testing.fuzzing.source_text import list_names, write_value
from riskcore.testing.fuzzing.trial import Finding
from riskcore.units import Units

ATOM = Units("1")

_TEST = '''"""{law}, after {kind}: {words}

Found in walk {trial} of seed {seed}: {length} events, {original} before they were shrunk.
"""

from riskcore import {names}
from riskcore.testing.fuzzing.trial import play

RULEBOOK = {rulebook}
#: What accounts owe at the start.
DEBTS = {debts}
EVENTS = (
{events}
)


def test_{name}() -> None:
    play(RULEBOOK, EVENTS, DEBTS)
'''


@frozen
class Saved:
    """Where a finding went. ``log`` is ``None`` where ``why`` says what the format cannot hold."""

    test: Path
    log: Path | None
    why: str = ""


def get_name(finding: Finding) -> str:
    return f"{finding.law}-{finding.kind}".lower().replace("-", "_")


def save_finding(finding: Finding, folder: Path, seed: int) -> Saved:
    """Write its files into a folder that is there. Raises ``OSError``."""
    name = get_name(finding)
    test = folder / f"test_{name}.py"
    with write_whole(test) as file:
        file.write(get_test(finding, seed).encode())
    try:
        return Saved(test, write_finding_log(finding, folder))
    except (LogError, ValueError) as error:
        return Saved(test, None, str(error))


def get_test(finding: Finding, seed: int) -> str:
    values = (finding.rulebook, *finding.events)
    names = {name for value in values for name in list_names(value)}
    assert names <= set(riskcore.__all__)
    words = " ".join(finding.words.split())
    return _TEST.format(
        law=finding.law,
        kind=finding.kind,
        # a docstring is ended by three quotes, and by nothing else
        words=words.replace("\\", "\\\\").replace('"""', "'''"),
        trial=finding.trial,
        seed=seed,
        length=len(finding.events),
        original=finding.original or "not",
        names=", ".join(sorted(names)),
        rulebook=write_value(finding.rulebook),
        debts=write_value(dict(finding.debts)),
        events=indent(",\n".join(map(write_value, finding.events)) + ",", "    "),
        name=get_name(finding),
    )


def write_finding_log(finding: Finding, folder: Path) -> Path:
    """Write the log, and the snapshot that it starts from where there are debts, and read it back.

    Raises ``LogError`` or ``ValueError`` where the format cannot hold an event; there is no log then.
    """
    name = get_name(finding)
    log, snapshot = folder / f"{name}.jsonl", None
    if finding.debts:
        snapshot = f"{name}.state.json"
        save_state(with_debts(genesis(finding.rulebook), dict(finding.debts)), folder / snapshot)
    try:
        write_log(log, finding.rulebook, ATOM, finding.events, snapshot=snapshot)
        with LogReader(log) as reader:
            for _ in reader:
                pass
    except (LogError, ValueError):
        log.unlink(missing_ok=True)
        if snapshot is not None:
            (folder / snapshot).unlink(missing_ok=True)
        raise
    return log


def can_be_replayed(finding: Finding) -> bool:
    """Whether a log can hold its events."""
    with TemporaryDirectory(prefix="riskcore-") as folder:
        try:
            write_finding_log(finding, Path(folder))
        except (LogError, ValueError):
            return False
    return True
