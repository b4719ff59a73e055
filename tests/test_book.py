"""The specification's book is what its command writes, and nothing in it hangs in the air."""

from __future__ import annotations

import re

import pytest

from riskcore.events import Header
from riskcore.ledger import SHIPPED, read_ledger
from riskcore.prover.obligations import get_event_name
from specs.contracts import CONTRACTS
from tests.book import PAGE, find_tests, get_clauses, get_page


def test_the_book_is_current() -> None:
    assert get_page() == PAGE.read_text(encoding="utf-8"), "python -m tests.book writes it"


@pytest.mark.parametrize("kind", list(CONTRACTS), ids=get_event_name)
def test_every_clause_has_an_obligation_that_is_proven(kind: type[Header]) -> None:
    ledger = read_ledger(SHIPPED).entries

    assert {"PROVED"} == {ledger[clause.obligation].verdict for clause in get_clauses(kind)}


@pytest.mark.parametrize("kind", list(CONTRACTS), ids=get_event_name)
def test_no_two_clauses_of_an_event_are_one(kind: type[Header]) -> None:
    obligations = [clause.obligation for clause in get_clauses(kind)]

    assert sorted(set(obligations)) == sorted(obligations)


def test_rules_are_tested_by_name() -> None:
    assert len(find_tests()) > 60


def test_links_lead_somewhere() -> None:
    links = set(re.findall(r"\]\(([^)]+)\)", PAGE.read_text(encoding="utf-8")))

    assert links
    assert all((PAGE.parent / link).is_file() for link in links)
