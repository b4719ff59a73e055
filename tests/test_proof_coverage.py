"""Every line of the kernel's functions lies on some proof path, or says here why not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from proofs.lemmas import LEMMAS
from riskcore.prover.case import EPISODES, run_event
from riskcore.prover.kernel import MODULES
from riskcore.prover.tracer import Tracer, get_paths
from specs.contracts import CONTRACTS

#: Functions that no proof runs, by what stands for them or checks them.
ELSEWHERE = {
    # values of the two real books; the prover has a third, and tests compare the three
    "per_market.py": {
        "PerMarket.items",
        "PerMarket.__len__",
        "PerMarket.__eq__",
        "PerMarket.__hash__",
        "PerMarket.__repr__",
    },
    # a check of a field's type
    "rulebook.py": {"_tiers", "_tiers.<locals>.<genexpr>"},
    # replays and tests; the proof runs ``apply`` and ``post``, which it wraps
    "step.py": {"step", "get_effects", "get_effects.<locals>.<genexpr>"},
    # what a monitor asks for
    "journal.py": {
        "Journal.parties",
        "Journal.parties.<locals>.<genexpr>",
        "Journal.holders",
        "Journal.holders.<locals>.<genexpr>",
        "Journal.orders",
        "Journal.orders.<locals>.<genexpr>",
    },
    # of the tools; and the checks of fields, which symbols pass by
    "quantities.py": {"exact_int", "exact_bool", "some_text"},
}


def get_functions(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from get_functions(constant)


def get_lines(path: Path) -> set[tuple[str, int]]:
    """The lines inside functions, with the functions' names; ``def`` lines and class bodies left out."""
    module = compile(path.read_text(), str(path), "exec")
    lines: set[tuple[str, int]] = set()
    for code in get_functions(module):
        if code.co_name in ("<module>",) or not code.co_flags & 0x2:
            continue
        body = {line for _, _, line in code.co_lines() if line is not None and line > code.co_firstlineno}
        lines |= {(code.co_qualname, line) for line in body}
    return lines


def trace_proofs(files: dict[str, str]) -> set[tuple[str, int]]:
    """The lines of these files that run while every event and every lemma is traced."""
    covered: set[tuple[str, int]] = set()

    def trace_line(frame: FrameType, kind: str, argument: Any) -> Any:
        if kind == "line":
            covered.add((files[frame.f_code.co_filename], frame.f_lineno))
        return trace_line

    def trace_call(frame: FrameType, kind: str, argument: Any) -> Any:
        return trace_line if frame.f_code.co_filename in files else None

    sys.settrace(trace_call)
    try:
        for kind in CONTRACTS:
            for episode in EPISODES:

                def run(tracer: Tracer, kind: Any = kind, open: str | None = episode) -> Any:
                    case = run_event(tracer, kind, episode=open)
                    return case.rejected

                assert list(get_paths(run))
        for module, lemmas in LEMMAS.items():
            for lemma in lemmas:
                assert lemma.get_obligation(module).claims
    finally:
        sys.settrace(None)
    return covered


@pytest.mark.slow
def test_every_line_of_the_kernel_is_on_a_proof_path() -> None:
    paths = [Path(str(module.__file__)) for module in MODULES]
    covered = trace_proofs({str(path): path.name for path in paths})
    missing = [
        f"{path.name}:{line} in {function}"
        for path in paths
        for function, line in sorted(get_lines(path), key=lambda entry: entry[1])
        if (path.name, line) not in covered and function not in ELSEWHERE.get(path.name, set())
    ]

    assert [] == missing
