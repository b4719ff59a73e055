"""``specs/BOOK.md``: the specification as numbered clauses, each with what states it, runs it, proves it and tests it.

Written by ``python -m tests.book``; a test compares. The obligations are the ledger's (``proofs/ledger.tsv``).
"""

from __future__ import annotations

import ast
import inspect
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from attrs import frozen

from proofs.lemmas import LEMMAS
from riskcore.events import Header
from riskcore.ledger import SHIPPED, read_ledger
from riskcore.prover.obligations import get_event_name
from riskcore.rules import Rule
from riskcore.transitions import TRANSITIONS
from specs import invariant
from specs.contracts import CONTRACTS
from specs.laws import ALL_EVENTS, LAWS
from tests.faults.catalogue import FAULTS

ROOT = Path(__file__).parent.parent

#: Of ``specs/invariant.py`` what is a figure, and no claim.
FIGURES = {"left_to_get", "length_of"}
PAGE = ROOT / "specs" / "BOOK.md"

_TOP = """# The specification as a book

One chapter for each event, in the kernel's order, then one for the laws over all of them, and one for the functions
that proofs know by contract. Every clause has a number, and its line says which obligation of `riskcore verify` proves,
for all states, that the kernel does what the clause states, which tests run it with numbers, and which planted faults
die of it ([tests/faults](../tests/faults/README.md)). Where no test of its own is named, walks compare it with the
naive model on every step. `python -m tests.book` writes this page from the sources and the ledger; a test keeps it so.
"""

#: So many tests are named; the others are counted.
MOST_TESTS = 2


@frozen
class Clause:
    """One line of a chapter."""

    sentence: str
    obligation: str
    tests: tuple[str, ...]
    faults: tuple[str, ...]

    def show(self, number: str) -> str:
        cells = (number, self.sentence, f"`{self.obligation}`", _name_tests(self.tests), _name_all(self.faults))
        return f"| {' | '.join(cells)} |"


def _name_all(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _name_tests(tests: tuple[str, ...]) -> str:
    more = len(tests) - MOST_TESTS
    return _name_all(tests[:MOST_TESTS]) + (f" and {more} more" if more > 0 else "")


@cache
def find_tests() -> dict[str, tuple[str, ...]]:
    """For each rule's name the tests that speak of it, as ``file::test``."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for rule in _find_rules(node):
                    found[rule].append(f"{path.stem.removeprefix('test_')}::{node.name.removeprefix('test_')}")
    return {rule: tuple(tests) for rule, tests in found.items()}


def _find_rules(function: ast.FunctionDef) -> dict[str, None]:
    """The rules that a test names, decorators included, in the order of its text."""
    attributes = (node for node in ast.walk(function) if isinstance(node, ast.Attribute))
    named = (node.attr for node in attributes if isinstance(node.value, ast.Name) and node.value.id == "Rule")
    return dict.fromkeys(named)


def find_faults(unit: str, name: str) -> tuple[str, ...]:
    """The planted faults that die of an obligation."""
    return tuple(fault.name for fault in FAULTS if fault.unit == unit and name in fault.kills)


def get_obligations(unit: str) -> list[str]:
    """The names of a unit's obligations, without the unit's own."""
    prefix = f"{unit}/"
    names = read_ledger(SHIPPED).entries
    return [name.removeprefix(prefix) for name in names if name.startswith(prefix)]


# An event's chapter


def get_clauses(kind: type[Header]) -> Iterator[Clause]:
    """What its guard asks, in the order of the rules; what its effect writes; which laws speak of it."""
    unit, rules = get_event_name(kind), list(Rule.__members__)
    names = get_obligations(unit)
    guard = [name for name in names if name.startswith("guard/")]
    for name in sorted(guard, key=lambda name: rules.index(name.removeprefix("guard/"))):
        rule = name.removeprefix("guard/")
        sentence = f"refused: {Rule[rule].value}"
        yield Clause(sentence, f"{unit}/{name}", _get_tests_of(kind, rule), find_faults(unit, name))
    for name in names:
        if name.startswith("effect/"):
            field = name.removeprefix("effect/")
            yield Clause(f"writes {field.replace('.', ': ')}", f"{unit}/{name}", (), find_faults(unit, name))
    for law in LAWS:
        if law.applies != ALL_EVENTS and kind in law.applies:
            yield Clause(f"{law.id}: {law.sentence}", f"{unit}/{law.id}", (), find_faults(unit, law.id))


def _get_tests_of(kind: type[Header], rule: str) -> tuple[str, ...]:
    """Those of the event's own file first; a rule that many events have is tested where it is."""
    tests, home = find_tests().get(rule, ()), TRANSITIONS[kind].__module__.rpartition(".")[2]
    own = tuple(test for test in tests if test.startswith(f"{home}::"))
    return own or tuple(test for test in tests if test.startswith(("step::", "gates::", "limits::")))


def get_chapter(number: int, kind: type[Header]) -> list[str]:
    contract, process = CONTRACTS[kind], TRANSITIONS[kind]
    stated, done = contract.guard.__module__, process.__module__
    return [
        f"## {number}. {_get_title(kind)}\n",
        f"{_get_prose(kind)}\n",
        f"Stated in [`{_get_file(stated)}`]({_get_file(stated).removeprefix('specs/')}), done by "
        f"[`{process.__name__}`](../{_get_file(done)}).\n",
        *_get_table("clause", (clause.show(f"{number}.{place}") for place, clause in _number(get_clauses(kind)))),
    ]


def _get_title(kind: type[Header]) -> str:
    return re.sub(r"(?<!^)([A-Z])", lambda found: f" {found[1].lower()}", kind.__name__)


def _get_prose(kind: type[Header]) -> str:
    """What the event says of itself, with the markup of this page."""
    return inspect.cleandoc(kind.__doc__ or "").replace("``", "`")


def _get_file(module: str) -> str:
    return f"{module.replace('.', '/')}.py"


def _number(clauses: Iterable[Clause]) -> Iterator[tuple[int, Clause]]:
    return enumerate(clauses, start=1)


def _get_table(first: str, rows: Iterable[str]) -> list[str]:
    return [f"| | {first} | obligation | tests | planted faults |", "|---|---|---|---|---|", *rows, ""]


# The laws over all events, and what is known by contract


def get_laws_chapter(number: int) -> list[str]:
    shared = [law for law in LAWS if law.applies == ALL_EVENTS]
    units = [get_event_name(kind) for kind in CONTRACTS]
    rows = []
    for place, law in enumerate(shared, start=1):
        faults = tuple(name for unit in units for name in find_faults(unit, law.id))
        rows.append(Clause(f"{law.id}: {law.sentence}", f"*/{law.id}", (), faults).show(f"{number}.{place}"))
    return [f"## {number}. After every event\n", *_get_table("law", rows)]


def get_induction_chapter(number: int) -> list[str]:
    """What every proof assumes of the state before its event, and where it is claimed of the state after."""
    lines = [
        f"## {number}. Before every event\n",
        "A proof assumes these of the state before its event, and of an open queue that it is certified (ADL-2, "
        "ADL-7), of orders that each side is one list (BOOK-5). An empty venue satisfies them (`state/genesis`), and "
        "the laws of the file named are proven to leave them behind after every event: so they, and with them every "
        "law, hold of each state that a log can reach.\n",
        "| | assumed before | claimed after, in |",
        "|---|---|---|",
    ]
    assumed = ((name, homes) for name, homes in find_claims().items() if homes)
    for place, (name, homes) in enumerate(assumed, start=1):
        lines.append(f"| {number}.{place} | {_get_sentence(name)} | {_name_all(homes)} |")
    return [*lines, ""]


def find_claims() -> dict[str, list[str]]:
    """For each invariant the files of laws that claim it, itself or within another."""
    members = inspect.getmembers(invariant, inspect.isfunction)
    functions = [name for name, one in members if one.__module__ == invariant.__name__ and name not in FIGURES]
    sources = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "specs" / "laws").glob("*.py"))}
    bodies = {name: inspect.getsource(getattr(invariant, name)) for name in functions}

    def find(name: str) -> list[str]:
        own = {file for file, source in sources.items() if re.search(rf"\b{name}\b", source)}
        users = [user for user, body in bodies.items() if user != name and re.search(rf"\b{name}\(", body)]
        return sorted(own.union(*(find(user) for user in users)))

    return {name: find(name) for name in bodies}


def _get_sentence(name: str) -> str:
    prose = inspect.cleandoc(getattr(invariant, name).__doc__ or f"{name.replace('_', ' ')}.")
    return prose.split("\n\n")[0].replace("\n", " ").replace("``", "`")


def get_lemmas_chapter(number: int) -> list[str]:
    rows, place = [], 0
    for module, lemmas in LEMMAS.items():
        for lemma in lemmas:
            place += 1
            faults = find_faults(f"lemma:{module}", lemma.name)
            clause = Clause(f"{lemma.law}: {lemma.sentence}", f"{module}/{lemma.name}", (), faults)
            rows.append(clause.show(f"{number}.{place}"))
    return [f"## {number}. Of single functions\n", *_get_table("lemma", rows)]


def get_page() -> str:
    kinds = list(CONTRACTS)
    lines = [_TOP]
    for number, kind in enumerate(kinds, start=1):
        lines += get_chapter(number, kind)
    lines += get_laws_chapter(len(kinds) + 1)
    lines += get_induction_chapter(len(kinds) + 2)
    lines += get_lemmas_chapter(len(kinds) + 3)
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(get_page(), encoding="utf-8")
