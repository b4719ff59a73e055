"""The house rules of the kernel, read off its source: what it may import, use, divide, write and iterate."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from token import COMMENT, DEDENT, ENDMARKER, INDENT, NEWLINE, NL
from tokenize import generate_tokens
from typing import get_args

import pytest

from riskcore.events import Event
from riskcore.transitions import TRANSITIONS

ROOT = Path(__file__).parent.parent

#: In reading order: a module imports only what comes before it.
KERNEL = (
    "quantities",
    "tables",
    "rules",
    "choices",
    "per_market",
    "leverages",
    "orders",
    "rulebook",
    "state",
    "tiers",
    "domains",
    "draws",
    "outflow",
    "events",
    "lines",
    "journal",
    "margin",
    "markets",
    "gates",
    "limits",
    "cash",
    "order_book",
    "trading",
    "funding",
    "insurance",
    "liquidation",
    "vault",
    "allocation",
    "ranking",
    "close_out",
    "deleveraging",
    "sharing",
    "settlement",
    "shares",
    "settings",
    "life",
    "changes",
    "transitions",
    "step",
)
#: Where each event's transition lives, which is also where its tests do.
TRANSITION_MODULES = (
    "cash",
    "markets",
    "trading",
    "funding",
    "liquidation",
    "vault",
    "insurance",
    "deleveraging",
    "sharing",
    "settlement",
    "shares",
    "settings",
    "order_book",
    "life",
    "changes",
)
#: What only calls the core's verbs, or is asked by name what a rulebook allows: market life, cash, funding, ranking
#: policies, brackets of rates, limits of fills and of draws, the vault's shares, what accounts choose, a loss that is
#: shared out, orders and what accounts have by market.
AROUND_THE_CORE = (
    "markets",
    "settlement",
    "cash",
    "funding",
    "allocation",
    "ranking",
    "rulebook",
    "close_out",
    "tiers",
    "gates",
    "domains",
    "draws",
    "outflow",
    "shares",
    "leverages",
    "settings",
    "sharing",
    "limits",
    "per_market",
    "orders",
    "order_book",
    "life",
    "changes",
)
#: Names, fields and sentences, for core and modules alike; nothing in it does anything.
VOCABULARY = ("rules", "choices", "events", "lines", "transitions")
CORE_LINES, KERNEL_LINES, MODULE_LINES = 1000, 2500, 300

LIBRARIES = {"__future__", "attrs", "attrs.validators", "collections.abc", "enum", "itertools", "rpds", "typing"}
IMPURE = {"open", "print", "input", "eval", "exec", "compile", "float", "complex", "round", "globals", "__import__"}

#: What only the journal assigns.
WRITTEN = (
    "balance",
    "positions",
    "lines",
    "market",
    "stake",
    "vault_shares",
    "draws",
    "outflow",
    "liquidated",
    "leverages",
    "sold",
    "resting",
)

#: The named folds over many entries: one account's positions, and the scans that certify a queue and members.
FOLDS = {
    ("tables", "items"),
    ("per_market", "__init__"),
    ("per_market", "items"),
    ("per_market", "__hash__"),
    ("state", "__init__"),
    ("state", "items"),
    ("state", "__hash__"),
    ("margin", "get_positions_margin"),
    ("markets", "are_marks_fresh"),
    ("ranking", "get_candidates"),
    ("sharing", "get_weights"),
}


def read(module: str) -> str:
    return (ROOT / "riskcore" / f"{module}.py").read_text()


def parse(module: str) -> ast.Module:
    return ast.parse(read(module))


def get_calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Every call with the last part of the name that it calls."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Name):
                yield node, function.id
            elif isinstance(function, ast.Attribute):
                yield node, function.attr


def get_functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def get_imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Every imported module with the name taken out of it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module is not None
            yield from ((node.module, alias.name) for alias in node.names)


def get_code_lines(source: str) -> int:
    """Lines that hold code: no docstrings, no comments, no blanks."""
    lines: set[int] = set()
    for token in generate_tokens(StringIO(source).readline):
        if token.type not in (COMMENT, NL, NEWLINE, INDENT, DEDENT, ENDMARKER):
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            docstring = node.body[0]
            assert docstring.end_lineno is not None
            lines -= set(range(docstring.lineno, docstring.end_lineno + 1))
    return len(lines)


def count(modules: Iterable[str]) -> int:
    return sum(get_code_lines(read(module)) for module in modules)


# Pure


@pytest.mark.parametrize("module", KERNEL)
def test_the_kernel_imports_only_itself_and_pure_libraries(module: str) -> None:
    for source, name in get_imports(parse(module)):
        if source == "riskcore":
            assert name in KERNEL
        elif source.startswith("riskcore."):
            assert source.removeprefix("riskcore.") in KERNEL
        else:
            assert source in LIBRARIES


@pytest.mark.parametrize("module", KERNEL)
def test_the_kernel_imports_what_comes_before_it(module: str) -> None:
    earlier = {f"riskcore.{name}" for name in KERNEL[: KERNEL.index(module)]}
    own = {source for source, _ in get_imports(parse(module)) if source.startswith("riskcore.")}

    assert own <= earlier


@pytest.mark.parametrize("module", KERNEL)
def test_the_kernel_has_no_floats(module: str) -> None:
    for node in ast.walk(parse(module)):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float | complex))
        assert not isinstance(node, ast.Div)


@pytest.mark.parametrize("module", KERNEL)
def test_every_division_is_in_one_place(module: str) -> None:
    divides = any(isinstance(node, ast.FloorDiv | ast.Mod) for node in ast.walk(parse(module)))

    assert (module == "quantities") == divides


@pytest.mark.parametrize("module", KERNEL)
def test_the_kernel_calls_nothing_impure(module: str) -> None:
    names = {node.id for node in ast.walk(parse(module)) if isinstance(node, ast.Name)}

    assert set() == names & IMPURE


@pytest.mark.parametrize("module", KERNEL)
def test_the_kernel_has_no_global_state(module: str) -> None:
    assert not any(isinstance(node, ast.Global | ast.Nonlocal) for node in ast.walk(parse(module)))


# One writer


def test_only_the_journal_makes_accounts_and_positions() -> None:
    # state.py names the two empty ones; a market or an episode that changes is no owner's
    makers = {
        (module, name)
        for module in KERNEL
        for call, name in get_calls(parse(module))
        if name in ("Account", "Position", "Stake", "State", "evolve")
        and module != "state"
        and not (name == "evolve" and ast.unparse(call.args[0]) in ("market", "episode"))
    }

    assert {("journal", "Account"), ("journal", "Position"), ("journal", "State"), ("journal", "evolve")} == makers


def test_only_the_journal_puts() -> None:
    assert {"journal"} == {module for module in KERNEL for _, name in get_calls(parse(module)) if name == "put"}


def test_only_step_posts() -> None:
    assert {"step"} == {module for module in KERNEL for _, name in get_calls(parse(module)) if name == "post"}


def test_only_the_journal_assigns_balances_positions_stakes_and_lines() -> None:
    writers = set()
    for module in KERNEL:
        for node in ast.walk(parse(module)):
            targets: list[ast.expr] = []
            if isinstance(node, ast.Assign):
                targets = node.targets
            elif isinstance(node, ast.AugAssign | ast.AnnAssign):
                targets = [node.target]
            writers |= {
                (module, target.attr)
                for target in targets
                if isinstance(target, ast.Attribute) and target.attr in WRITTEN
            }

    assert {"journal"} == {module for module, _ in writers}


def test_a_transition_iterates_no_table() -> None:
    folds = {
        (module, function.name)
        for module in KERNEL
        for function in get_functions(parse(module))
        if any(name in ("items", "values", "keys") for _, name in get_calls(function))
        or any(isinstance(node, ast.For) and "_entries" in ast.unparse(node.iter) for node in ast.walk(function))
    }

    assert set() == folds - FOLDS


# Complete, and small


def test_every_event_has_a_transition_in_its_module() -> None:
    assert set(get_args(Event)) == set(TRANSITIONS)
    homes = {process.__module__.removeprefix("riskcore.") for process in TRANSITIONS.values()}

    assert set(TRANSITION_MODULES) == homes


@pytest.mark.parametrize("module", TRANSITION_MODULES)
def test_a_module_has_its_tests_under_its_name(module: str) -> None:
    assert (ROOT / "tests" / f"test_{module}.py").exists()


def test_the_kernel_is_small() -> None:
    assert count(set(KERNEL) - {*AROUND_THE_CORE, *VOCABULARY}) <= CORE_LINES
    assert count(KERNEL) <= KERNEL_LINES
    assert all(count([module]) < MODULE_LINES for module in KERNEL)


def test_lines_are_counted_without_docstrings_comments_and_blanks() -> None:
    source = (
        '"""Doc."""\n\n# why\nX = (\n    1\n)\n\n\n@f\ndef g(a):\n    """Doc.\n\n    More.\n    """\n    return a\n'
    )

    # X in three lines, the decorator, the signature, the return
    assert 6 == get_code_lines(source)


@pytest.mark.parametrize("module", KERNEL)
def test_a_function_fits_a_screen(module: str) -> None:
    for function in get_functions(parse(module)):
        assert function.end_lineno is not None
        assert function.end_lineno - function.lineno < 50, function.name


@pytest.mark.parametrize("module", KERNEL)
def test_a_module_says_what_lives_there(module: str) -> None:
    assert ast.get_docstring(parse(module))


# The model is independent

NAIVE = sorted((ROOT / "riskcore" / "testing" / "naive").glob("*.py"))
#: What the model's annotations name, and what is not there when it runs.
TYPES = {"riskcore.events", "riskcore.rulebook", "riskcore.choices"}


@pytest.mark.parametrize("path", NAIVE, ids=lambda path: path.stem)
def test_the_naive_model_names_types_only(path: Path) -> None:
    for source, name in get_imports(ast.parse(path.read_text())):
        full = f"{source}.{name}" if source == "riskcore" else source
        assert source.partition(".")[0] != "riskcore" or full in TYPES or source.startswith("riskcore.testing.naive")


def test_the_naive_model_runs_where_there_is_no_kernel() -> None:
    packages = [str(ROOT / "riskcore"), str(ROOT / "riskcore" / "testing")]
    result = subprocess.run(
        [sys.executable, "-c", ALONE, *packages], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ("set() 5 ['DUPLICATE_ID', 'SEQUENCE_NOT_AHEAD']\n", "") == (result.stdout, result.stderr)


#: The model under packages that have nothing but it: an event is any object whose kind has the name.
ALONE = """
import sys
from types import ModuleType, SimpleNamespace

sys.path.insert(0, "")
for name, path in zip(("riskcore", "riskcore.testing"), sys.argv[1:]):
    sys.modules[name] = ModuleType(name)
    sys.modules[name].__path__ = [path]

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("riskcore") and not name.startswith("riskcore.testing.naive"):
            raise ImportError(name)

sys.meta_path.insert(0, Watch())
from riskcore.testing.naive.venue import Venue

class Deposit(SimpleNamespace):
    pass

rulebook = SimpleNamespace(withdrawal_limit=0)
venue = Venue(rulebook)
event = Deposit(id="e1", sequence=1, timestamp=0, account="amber", amount=5)
print(venue.apply(event), venue.get_equity("amber"), sorted(venue.apply(event)))
"""
