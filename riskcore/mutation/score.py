"""The score of a campaign, as text, as JSON and as a page: what proofs and tests kill, and what survives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import asdict, frozen

from riskcore.mutation.campaign import PROVEN, RECORDED, SIDES, Trial
from riskcore.mutation.hunting import Fate


@frozen
class Score:
    """Of ``count`` mutants that are faults, how many died."""

    killed: int
    unknown: int
    count: int

    @property
    def rate(self) -> str:
        """Per cent, rounded down."""
        return "none" if not self.count else f"{self.killed * 1000 // self.count / 10:.1f} %"


def get_faults(trials: Sequence[Trial]) -> list[Trial]:
    """All but those that are known to be no faults."""
    return [trial for trial in trials if trial.is_killed or not trial.equivalent]


def get_score(trials: Sequence[Trial], side: str) -> Score:
    """By ``proofs``, by ``tests``, or by ``both``: whichever finds it first."""
    faults = get_faults(trials)
    killed = [one for one in faults if (one.is_killed if side == "both" else getattr(one, side) == Fate.KILLED)]
    unknown = [one for one in faults if side != "tests" and one.proofs == Fate.UNKNOWN and one not in killed]
    return Score(len(killed), len(unknown), len(faults))


def get_exit_code(trials: Sequence[Trial]) -> int:
    """0 all are killed or known, 1 one survives or a known one is a fault, 3 z3 gave up on what nothing else found."""
    gaps = [trial for trial in trials if trial.is_gap]
    if any(trial.proofs != Fate.UNKNOWN for trial in gaps) or get_wrong_records(trials):
        return 1
    return 3 if gaps else 0


def get_wrong_records(trials: Sequence[Trial]) -> list[Trial]:
    """Those that are recorded as no faults, or proven to be none, and die."""
    return [trial for trial in trials if trial.is_killed and trial.equivalent]


def to_json(trials: Sequence[Trial], by: str) -> dict[str, object]:
    """The object that ``--format json`` prints."""
    return {
        "mutants": len(trials),
        "equivalent": {
            kind: sum(one.equivalent == kind for one in trials if not one.is_killed) for kind in (PROVEN, RECORDED)
        },
        "scores": {side: asdict(get_score(trials, side)) for side in SIDES[by]},
        "survivors": [asdict(trial) for trial in trials if trial.is_gap],
        "wrong_records": [trial.name for trial in get_wrong_records(trials)],
        "trials": [asdict(trial) for trial in trials],
    }


def to_text(trials: Sequence[Trial], by: str) -> str:
    return "\n".join(_get_lines(trials, by)) + "\n"


def _get_lines(trials: Sequence[Trial], by: str) -> Iterator[str]:
    same = [trial for trial in trials if trial.equivalent and not trial.is_killed]
    proven = sum(trial.equivalent == PROVEN for trial in same)
    yield f"{len(trials):,} mutants, {len(same)} of them no faults: {proven} proven, {len(same) - proven} recorded"
    for side in SIDES[by]:
        score = get_score(trials, side)
        name = "proofs or tests" if side == "both" else f"{side} alone"
        open_ones = f", {score.unknown} unknown" if score.unknown else ""
        yield f"  {name:15} {score.rate:>8}  {score.killed:,} of {score.count:,} killed{open_ones}"
    if by != "tests" and trials:
        yield f"  a mutant took the proofs {sum(one.proof_seconds for one in trials) / len(trials):.2f} s of work"
    for trial in get_wrong_records(trials):
        yield f"{trial.equivalent} as no fault, and killed: {trial.name}"
    gaps = [trial for trial in trials if trial.is_gap]
    if gaps:
        yield "survivors"
    for trial in gaps:
        yield f"  {trial.name}{' (unknown)' if trial.proofs == Fate.UNKNOWN else ''}"
        yield f"    - {trial.old}"
        yield f"    + {trial.new}"


def to_page(trials: Sequence[Trial], by: str, command: str) -> str:
    """The page that is kept in the repository."""
    lines = [
        "# Mutants",
        "",
        "Small wrong changes of the kernel's source, one at a time, and what finds them. Written by",
        "",
        f"    {command}",
        "",
        "`riskcore/mutation` says which changes there are, and what is asked of a mutant. What z3 gives up on is not "
        "killed.",
        "",
        "| found by | killed | of | rate | unknown |",
        "|---|---|---|---|---|",
    ]
    for side in SIDES[by]:
        score = get_score(trials, side)
        lines.append(f"| {side} | {score.killed} | {score.count} | {score.rate} | {score.unknown} |")
    lines += ["", f"| module | mutants | no faults | {' | '.join(SIDES[by])} |", f"|{'---|' * (3 + len(SIDES[by]))}"]
    modules = list(dict.fromkeys(trial.name.partition(":")[0] for trial in trials))
    for module in modules:
        own = [trial for trial in trials if trial.name.startswith(f"{module}:")]
        counts = " | ".join(str(get_score(own, side).killed) for side in SIDES[by])
        lines.append(f"| {module} | {len(own)} | {len(own) - len(get_faults(own))} | {counts} |")
    for title, found in _get_lists(trials):
        lines += ["", f"## {title}", ""]
        lines += [f"* `{one.name}`: `{one.old}` becomes `{one.new}`{_explain(one)}" for one in found] or ["None."]
    return "\n".join(lines) + "\n"


def _get_lists(trials: Sequence[Trial]) -> Iterator[tuple[str, list[Trial]]]:
    yield "Survivors", [trial for trial in trials if trial.is_gap]
    yield "Found by tests alone", [one for one in trials if one.is_killed and one.proofs not in ("", Fate.KILLED)]
    yield "No faults", [trial for trial in trials if trial.equivalent and not trial.is_killed]


def _explain(trial: Trial) -> str:
    if trial.is_killed:
        return f" ({trial.test})"
    return f": {trial.reason}" if trial.reason else ""
