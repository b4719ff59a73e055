"""The specification is independent of the kernel's functions, and its table is current."""

from __future__ import annotations

import ast
from pathlib import Path

import attrs
import pytest

from riskcore.events import Header
from riskcore.prover.kernel import MODULES
from riskcore.rules import Rule
from specs.contracts import CONTRACTS
from specs.table import README, get_page

SPECS = Path(README).parent

#: Values and names; what decides or computes is the kernel's own and must not be used.
VOCABULARY = {
    "riskcore.events": None,
    "riskcore.journal": {"Line", "Pay", "Reason", "Trade", "Reserve", "Stage"},
    "riskcore.rules": {"Rule"},
    "riskcore.choices": None,
    "riskcore.orders": {"NO_ORDER"},
    "riskcore.rulebook": {"MarketRules"},
    "riskcore": {"events"},
}


@pytest.mark.parametrize("path", sorted(set(SPECS.rglob("*.py")) - {SPECS / "table.py"}), ids=lambda path: path.name)
def test_contracts_use_the_kernels_words_and_none_of_its_functions(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("riskcore") for alias in node.names)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("riskcore"):
            allowed = VOCABULARY[node.module or ""]

            assert allowed is None or {alias.name for alias in node.names} <= allowed


PROPERTIES = {
    name
    for module in MODULES
    for owner in vars(module).values()
    if isinstance(owner, type) and attrs.has(owner)
    for name, value in vars(owner).items()
    if isinstance(value, property)
}


@pytest.mark.parametrize("path", sorted(SPECS.rglob("*.py")), ids=lambda path: path.name)
def test_contracts_ask_no_value_of_the_kernel_for_what_it_computes(path: Path) -> None:
    """A contract that reads a property changes with it: whatever is wrong in the one is right by the other."""
    asked = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}

    assert not asked & PROPERTIES


def test_a_market_computes_whether_it_ends() -> None:
    assert "settling" in PROPERTIES


def test_the_table_of_laws_is_current() -> None:
    page = README.read_text()

    assert get_page(page) == page


def test_every_event_has_one_contract() -> None:
    assert set(Header.__subclasses__()) == set(CONTRACTS)


def test_rules_are_sentences_of_their_own() -> None:
    sentences = [rule.value for rule in Rule]

    assert len(set(sentences)) == len(sentences)
