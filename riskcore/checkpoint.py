"""A replay on its way, kept in a file: one that was ended at any moment goes on from there, and ends the same.

The file holds a line with the figures of the report, the names that the log used and what the replay is of, then the
state as a snapshot does, then the SHA-256 of all before. It is only written after a check of everything that found
nothing: all that a monitor knows, its sums, is then what counting the state anew gives, so that a new monitor
takes its place.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import msgspec
from attrs import define, field, fields

import riskcore
import specs
from riskcore.bad_input import Fault, LogError, get_cause, within
from riskcore.close_outs import CloseOutStep
from riskcore.codec import check_version, require_fields
from riskcore.files import get_length
from riskcore.log import LogReader, Names
from riskcore.replay_run import Figures, Run
from riskcore.rules import Rule
from riskcore.snapshot import decode_snapshot, encode_snapshot
from riskcore.state import State
from riskcore.strict_json import SNAPSHOT_DIGITS, parse_object
from riskcore.waterfall import Waterfall

SCHEMA_VERSION: Final = 1
_FIELDS: Final = ("of", "log", "figures", "names")
#: Saving takes no more than one part in so many of the time.
_SHARE: Final = 20


@define
class Checkpoint:
    """Keeps a replay in a file; ``of`` says of what kind it is, and one of another kind is not gone on with.

    ``tell`` is called with the number of events at which a replay goes on.
    """

    path: Path
    of: dict[str, str]
    tell: Callable[[int], None]
    saved: int = 0
    _next: float = field(default=0.0, init=False)

    def resume(self, log: LogReader) -> Figures | None:
        """Bring the log to where the file was saved; None where there is none.

        Raises ``LogError`` where it is no such file, or one of another log, other rules or another riskcore.
        """
        if not os.path.exists(self.path):
            self._check_place()
            return None
        state, figures, names, digest = self._load()
        log.resume(figures.events, names, state)
        if digest != log.digest:
            raise self._refuse("log", f"a checkpoint of this log's first {figures.events:,} events", "one of others")
        self.saved = figures.events
        self.tell(figures.events)
        return figures

    def keep(self, log: LogReader, run: Run, seconds: float) -> None:
        """Save the run, unless that was done a moment ago. Raises ``LogError`` where it cannot be."""
        begun = time.perf_counter()
        if begun < self._next:
            return
        try:
            self._save(log, run, seconds)
        except (OSError, ValueError) as error:
            cause = error.got if isinstance(error, Fault) else get_cause(error)
            raise LogError(str(self.path), None, None, "a place for a checkpoint", cause) from None
        self.saved = run.events
        ended = time.perf_counter()
        self._next = ended + _SHARE * (ended - begun)

    def _save(self, log: LogReader, run: Run, seconds: float) -> None:
        """A new file that takes the place of the old one once all of it is on the disk."""
        target = Path(os.path.realpath(self.path))
        new = target.with_name(f"{target.name}.new")
        digest = hashlib.sha256()
        with open(new, "wb") as file:

            def write(text: str) -> None:
                data = text.encode("ascii")
                digest.update(data)
                file.write(data)

            write(json.dumps(self._get_members(log, run, seconds)) + "\n")
            for piece in encode_snapshot(run.state):
                write(piece)
            file.write(digest.hexdigest().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, target)

    def _get_members(self, log: LogReader, run: Run, seconds: float) -> dict[str, Any]:
        figures, names = run.figures, log.get_names()
        return {
            "riskcore_checkpoint": SCHEMA_VERSION,
            "of": self.of,
            "log": log.digest,
            "figures": {
                "events": figures.events,
                "rejections": {rule.name: count for rule, count in figures.rejections.items()},
                "waterfall": msgspec.to_builtins(figures.waterfall),
                "close_outs": msgspec.to_builtins(figures.close_outs, enc_hook=str),
                "checked": {law: tally.checked for law, tally in (run.tallies or {}).items()},
                "milliseconds": round(1000 * (figures.seconds + seconds)),
            },
            "names": {name: sorted(getattr(names, name)) for name in ("ids", "accounts", "markets")},
        }

    def _load(self) -> tuple[State, Figures, Names, str]:
        expected = "a checkpoint of riskcore replay"
        get_length(self.path, expected)
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise LogError(str(self.path), None, None, expected, get_cause(error)) from None
        body, digest = data[:-65], data[-65:].strip()
        if not body.endswith(b"\n") or hashlib.sha256(body).hexdigest().encode() != digest:
            raise LogError(str(self.path), None, None, expected, "another file, or a damaged one")
        first, _, rest = body.partition(b"\n")
        try:
            members = parse_object(first, SNAPSHOT_DIGITS)
            self._check_kind(members)
            figures, names = _decode_figures(members["figures"]), msgspec.convert(members["names"], Names)
            return decode_snapshot(rest, mutable=True), figures, names, str(members["log"])
        except (Fault, msgspec.ValidationError) as error:
            fault = error if isinstance(error, Fault) else Fault(expected, str(error))
            raise self._refuse(fault.field, fault.expected, fault.got) from None

    def _check_kind(self, members: dict[str, Any]) -> None:
        check_version(members, "riskcore_checkpoint", SCHEMA_VERSION)
        require_fields(members, _FIELDS, "a checkpoint")
        for name, value in self.of.items():
            if members["of"].get(name) != value:
                raise Fault(f"a checkpoint with {value}", str(members["of"].get(name)), name)

    def _check_place(self) -> None:
        """``LogError`` where no file can be made, before hours have gone by."""
        folder = Path(os.path.realpath(self.path)).parent
        if not os.access(folder, os.W_OK | os.X_OK):
            cause = "no permission" if folder.is_dir() else "no such folder"
            raise LogError(str(self.path), None, None, "a place for a checkpoint", cause)

    def _refuse(self, field: str | None, expected: str, got: str) -> LogError:
        return LogError(str(self.path), None, field, f"{expected} (remove the file to begin anew)", got)


def _decode_figures(members: Any) -> Figures:
    """The figures of a report; ``Fault`` or ``ValidationError`` where they are none."""
    with within("figures"):
        require_fields(
            members, ("events", "rejections", "waterfall", "close_outs", "checked", "milliseconds"), "figures"
        )
    return Figures(
        events=members["events"],
        rejections=Counter({Rule[name]: count for name, count in members["rejections"].items()}),
        waterfall=_decode_waterfall(members["waterfall"]),
        close_outs=msgspec.convert(members["close_outs"], list[CloseOutStep], dec_hook=lambda _, text: Fraction(text)),
        checked=Counter(members["checked"]),
        seconds=members["milliseconds"] / 1000,
    )


def _decode_waterfall(members: Any) -> Waterfall:
    """Tallies that can be added to, as a new one's can: what is not there yet counts as nothing."""
    read, waterfall = msgspec.convert(members, Waterfall), Waterfall()
    for attribute in fields(Waterfall):
        value = getattr(read, attribute.name)
        if attribute.name == "closed":
            for stage, markets in value.items():
                waterfall.closed[stage].update(markets)
        elif isinstance(value, dict):
            getattr(waterfall, attribute.name).update(value)
        else:
            setattr(waterfall, attribute.name, value)
    return waterfall


def describe_run(laws: bool, every: int | None, rules: Path | None) -> dict[str, str]:
    """What a checkpoint is of beside a log: nothing of it may differ where a replay goes on."""
    return {
        "riskcore": f"riskcore as it is here, {_hash_sources()}",
        "laws": "every law checked" if laws else "no law checked",
        "checks": "everything checked as often as by default" if every is None else f"--checkpoint-every {every}",
        "rules": "no --rules" if rules is None else f"--rules as they are, {_hash([rules])}",
    }


def _hash_sources() -> str:
    """The start of a hash of all that a replay runs: the kernel, what stands around it, and the specification."""
    folders = (Path(str(riskcore.__file__)).parent, Path(str(specs.__file__)).parent)
    return _hash(sorted(path for folder in folders for path in folder.rglob("*.py")))


def _hash(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]
