"""The example engine in JavaScript: it conforms, and with a fault switched on it does not. Run where ``node`` is."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from click.testing import CliRunner

from riskcore.cli import main
from riskcore.conformance.conform import Order, Report, Verdict, conform
from tests.test_architecture import ROOT
from tests.test_conform_vectors import get_blocks

NODE = shutil.which("node")
ENGINE = str(ROOT / "examples" / "engine-js" / "main.js")

pytestmark = pytest.mark.skipif(NODE is None, reason="there is no node")

#: Faults that the first walks show; `CONFORMANCE.md` says how to try the others.
QUICK = (
    "requirement_rounded_down",
    "flip_counts_as_reduction",
    "funding_remainder_dropped",
    "mark_skips_funding",
    "open_interest_of_one_side",
    "entry_index_kept",
    "part_takes_all_equity",
    "boundary_is_liquidated",
)


def run(*arguments: str, steps: int) -> Report:
    return conform(Order((str(NODE), ENGINE, *arguments), steps=steps))


def test_it_conforms() -> None:
    report = run(steps=600)

    assert Verdict.CONFORMS == report.verdict, report.found or report.stopped
    assert report.hello is not None and len(report.hello.events) == 23


@pytest.mark.parametrize("fault", QUICK)
def test_a_fault_is_found_and_brought_down(fault: str) -> None:
    report = run("--fault", fault, steps=1_000)

    assert Verdict.DIVERGES == report.verdict
    assert report.found is not None and report.found.is_repeated
    assert len(report.found.events) < report.found.original


def test_a_divergence_looks_as_the_page_says() -> None:
    command = ["conform", "--", str(NODE), ENGINE, "--fault", "funding_remainder_dropped"]
    result = CliRunner().invoke(main, command)
    (block,) = get_blocks("divergence")

    assert 1 == result.exit_code
    assert " ".join(block.split()) in " ".join(result.output.split())


def test_it_lists_its_faults() -> None:
    listed = subprocess.run([str(NODE), ENGINE, "--faults"], capture_output=True, text=True, check=True).stdout

    assert set(QUICK) <= {line.partition(":")[0] for line in listed.splitlines()}
