"""Every line of the kernel's functions lies on some proof path, or says here why not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypeAlias

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


#: A function: its file, its name, and the line that it begins in.
Function: TypeAlias = tuple[str, str, int]


def get_function(code: CodeType) -> Function:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def get_lines(path: Path) -> dict[Function, set[int]]:
    """The lines inside each function that the proofs are to run; ``def`` lines and class bodies left out."""
    module = compile(path.read_text(), str(path), "exec")
    found: dict[Function, set[int]] = {}
    for code in get_functions(module):
        if code.co_name in ("<module>",) or not code.co_flags & 0x2:
            continue
        body = {line for _, _, line in code.co_lines() if line is not None and line > code.co_firstlineno}
        if body and code.co_qualname not in ELSEWHERE.get(path.name, set()):
            found[get_function(code)] = body
    return found


def iter_proofs() -> Iterator[None]:
    """Trace every lemma and every event, a unit at a time."""
    for module, lemmas in LEMMAS.items():
        for lemma in lemmas:
            assert lemma.get_obligation(module).claims
        yield
    for kind in CONTRACTS:
        for episode in EPISODES:

            def run(tracer: Tracer, kind: Any = kind, open: str | None = episode) -> Any:
                case = run_event(tracer, kind, episode=open)
                return case.rejected

            assert list(get_paths(run))
        yield


def find_untraced(lines: dict[Function, set[int]]) -> dict[Function, set[int]]:
    """The lines that run in no proof. Of a function all of whose lines have run none is looked for again."""
    left = {function: set(body) for function, body in lines.items()}
    files = {file for file, _, _ in lines}

    def trace_call(frame: FrameType, kind: str, argument: Any) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        function = get_function(frame.f_code)
        body = left.get(function)
        if body is None:
            return None

        def trace_line(frame: FrameType, kind: str, argument: Any) -> Any:
            if kind == "line":
                body.discard(frame.f_lineno)
                if not body:
                    left.pop(function, None)
            return trace_line

        return trace_line

    sys.settrace(trace_call)
    try:
        for _ in iter_proofs():
            if not left:
                break
    finally:
        sys.settrace(None)
    return left


@pytest.mark.slow
def test_every_line_of_the_kernel_is_on_a_proof_path() -> None:
    lines: dict[Function, set[int]] = {}
    for module in MODULES:
        lines |= get_lines(Path(str(module.__file__)))
    left = find_untraced(lines)

    missing = [(Path(file).name, line, name) for (file, name, _), body in left.items() for line in body]

    assert [] == sorted(missing)
