"""What hangs on a rulebook's choice: proven where it is made, refuted by a log where it is not."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from click.testing import CliRunner
from rich.console import Console

from riskcore import CloseOut, MarketRules, RankPolicy, Rulebook, cli, step
from riskcore.log import LogReader
from riskcore.monitor import Monitor
from riskcore.quantities import AccountId, Atoms, MarketId, Rate, Time
from riskcore.refute import find_harm, save_harm
from riskcore.replay import Verdict, replay
from riskcore.rulebook_check import OPEN, REFUTED, Promise, get_exit_code, judge, print_promises
from riskcore.rulebook_file import RulebookFile, read_rulebook_file
from specs.laws.choices import CHOICES, Choice
from specs.laws.law import Law
from tests.test_bad_input import GOOD, HEADER, RULES

#: Makes every choice that there is.
CAREFUL = Rulebook(
    vault=AccountId("vault"),
    vault_position_limit=Atoms(10**9),
    insurance_floor=Atoms(0),
    insurance_backs_fills=False,
    insurance_fill_band=Rate(0),
    insurance_before_adl=True,
    adl_solvent=False,
    adl_requires_profit=True,
    adl_rank=RankPolicy.PROFIT_TIMES_LEVERAGE,
    funding_interval=Time(28_800_000),
    funding_rate_cap=Rate(40_000),
    withdrawals_are_cut=True,
)
BOUND = MarketRules(Rate(100_000), Rate(50_000), Rate(500), Rate(-100), Rate(5_000), mark_move_limit=Rate(40_000))

#: For each choice, the same rulebook without it.
WITHOUT: dict[str, tuple[Rulebook, MarketRules]] = {
    "IF-1": (evolve(CAREFUL, adl_close_out=CloseOut.MARK), BOUND),
    "IF-2": (evolve(CAREFUL, adl_requires_profit=False), BOUND),
    "IF-3": (evolve(CAREFUL, insurance_backs_fills=True, insurance_fill_band=Rate(10_000)), BOUND),
    "IF-4": (evolve(CAREFUL, adl_solvent=True), BOUND),
    "IF-5": (evolve(CAREFUL, insurance_before_adl=False), BOUND),
    "IF-6": (evolve(CAREFUL, withdrawals_are_cut=False), BOUND),
    "IF-7": (evolve(CAREFUL, vault_deposit_notice=Time(0)), BOUND),
    "IF-8": (evolve(CAREFUL, vault_redemption_notice=Time(0)), BOUND),
    "IF-9": (CAREFUL, evolve(BOUND, mark_move_limit=Rate(45_000))),
}


def get_file(rulebook: Rulebook, rules: MarketRules) -> RulebookFile:
    return RulebookFile(rulebook, {MarketId("BTC"): rules})


def test_there_is_a_rulebook_without_each_choice() -> None:
    assert [choice.id for choice in CHOICES] == list(WITHOUT)
    for choice in CHOICES:
        assert choice.is_made(CAREFUL, BOUND)
        assert not choice.is_made(*WITHOUT[choice.id])


@pytest.mark.slow
@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.id)
def test_without_the_choice_one_event_breaks_the_law(choice: Choice, tmp_path: Path) -> None:
    rulebook, rules = WITHOUT[choice.id]
    harm = find_harm(choice, rulebook, rules)

    assert harm is not None
    assert harm.state.rulebook == rulebook
    # as it is saved and read back, too: every law holds, and the claim alone is broken
    path = save_harm(harm, tmp_path)
    result = replay(path, Monitor)
    assert result.verdict is Verdict.HOLDS
    with LogReader(path) as log:
        monitor = Monitor(log.state, (Law(choice.id, choice.sentence, choice.applies, choice.holds, None),))
        outcomes = [monitor.step(log.state, event) for event in log]
    assert [None] == [outcome.rejected for outcome in outcomes]
    assert [choice.id] == [violation.law for violation in monitor.violations]


@pytest.mark.parametrize("id", ["IF-6", "IF-9"])
def test_with_the_choice_it_is_proven(id: str) -> None:
    promise = judge(id, get_file(CAREFUL, BOUND))

    assert ("PROVED", None, None) == (promise.verdict, promise.market, promise.harm)


@pytest.mark.parametrize("id", ["IF-6", "IF-7"])
def test_under_the_choice_there_is_no_harm_to_find(id: str) -> None:
    choice = next(choice for choice in CHOICES if choice.id == id)

    assert find_harm(choice, CAREFUL, BOUND) is None


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [(["PROVED", REFUTED], 0), (["PROVED", OPEN], 3), (["UNKNOWN"], 3), (["VIOLATED", OPEN], 1), ([], 0)],
)
def test_the_exit_code_is_that_of_the_worst(verdicts: list[str], code: int) -> None:
    assert code == get_exit_code([Promise("IF-1", "", "", verdict) for verdict in verdicts])


# Files


def write(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content, indent=1))
    return path


FILE: dict[str, Any] = {"riskcore_rulebook": 1, "rulebook": HEADER["rulebook"], "markets": {"BTC": RULES}}


def test_a_file_is_read(tmp_path: Path) -> None:
    read = read_rulebook_file(write(tmp_path / "rules.json", FILE))

    assert read.rulebook.vault_position_limit == 20_000
    assert read.markets == {"BTC": MarketRules(Rate(100_000), Rate(50_000), Rate(500), Rate(0), Rate(5_000))}


def test_a_file_with_units_may_use_decimals(tmp_path: Path) -> None:
    rulebook = {**HEADER["rulebook"], "vault_position_limit": "200.00"}
    content = {**FILE, "units": HEADER["units"], "rulebook": rulebook}

    assert read_rulebook_file(write(tmp_path / "rules.json", content)).rulebook.vault_position_limit == 20_000


def test_a_log_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in GOOD))

    assert read_rulebook_file(path).markets.keys() == {"BTC"}


BAD: dict[str, tuple[Any, str]] = {
    "no version": ({"rulebook": {}, "markets": {}}, "riskcore_rulebook"),
    "another version": ({**FILE, "riskcore_rulebook": 2}, "riskcore_rulebook"),
    "no market": ({**FILE, "markets": {}}, "markets"),
    "unknown field": ({**FILE, "market": 1}, "market: expected only the fields of a rulebook file"),
    "a rate too high": ({**FILE, "markets": {"BTC": {**RULES, "maintenance_margin_rate": 100_001}}}, "maintenance"),
    "a negative floor": ({**FILE, "rulebook": {**HEADER["rulebook"], "insurance_floor": -1}}, "insurance_floor"),
    "a float": ({**FILE, "rulebook": {**HEADER["rulebook"], "insurance_floor": 1.5}}, "insurance_floor"),
    "decimals without units": ({**FILE, "rulebook": {**HEADER["rulebook"], "insurance_floor": "1"}}, "insurance_floor"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_clear_sentence(name: str, tmp_path: Path) -> None:
    content, named = BAD[name]
    path = write(tmp_path / "rules.json", content)
    result = CliRunner().invoke(cli.main, ["rulebook", "check", str(path)])

    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {path}")
    assert named in result.stderr
    assert result.stderr.count("\n") == 1 and result.stdout == ""


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"{", b'{"a":1,"a":2}'])
def test_no_json_is_one_clear_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    path.write_bytes(content)
    result = CliRunner().invoke(cli.main, ["rulebook", "check", str(path)])

    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {path}") and result.stderr.count("\n") == 1


def test_no_file_is_one_clear_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        result = CliRunner().invoke(cli.main, ["rulebook", "check", str(path)])

        assert result.exit_code == 2 and result.stderr.startswith(f"Error: {path}")


@pytest.mark.slow
def test_the_crash_says_what_its_rulebook_promises(tmp_path: Path) -> None:
    log, folder = Path(__file__).parent.parent / "examples" / "crash.jsonl", tmp_path / "harm"
    result = CliRunner().invoke(cli.main, ["rulebook", "check", str(log), "--harm", str(folder), "--format", "json"])
    laws = json.loads(result.stdout)["laws"]

    assert result.exit_code == 0
    assert {"IF-3", "IF-9"} == {law["id"] for law in laws if law["verdict"] == REFUTED}
    assert {"PROVED", REFUTED} == {law["verdict"] for law in laws}
    for law in laws:
        assert (law["log"] is not None) == (law["verdict"] == REFUTED)
        if law["log"] is not None:
            with LogReader(Path(law["log"])) as harm:
                assert [None] == [step(harm.state, event).rejected for event in harm]


def test_the_page_names_each_law_and_where_it_is_broken() -> None:
    promises = [
        Promise("IF-1", "nobody owes", "it is chosen", "PROVED"),
        Promise("IF-3", "nobody pays", "it is chosen too", REFUTED, MarketId("BTC")),
    ]
    console = Console(file=StringIO(), width=100)
    print_promises(promises, "rules.json", {"IF-3": Path("harm") / "IF-3.jsonl"}, console)
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()

    assert text.startswith("Rulebook of rules.json: admissible")
    assert "IF-1  nobody owes  it is chosen      PROVED" in text
    assert "IF-3  nobody pays  it is chosen too  REFUTED (BTC)" in text
    assert f"IF-3 is broken by the one event of {Path('harm') / 'IF-3.jsonl'}" in text


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riskcore.rulebook_check.check_rulebook", lambda *_: [])
    path, blocked = write(tmp_path / "rules.json", FILE), tmp_path / "file"
    blocked.write_text("")
    result = CliRunner().invoke(cli.main, ["rulebook", "check", str(path), "--harm", str(blocked)])

    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: --harm {blocked}")
