"""The page that ``replay --report`` writes: what stands in it, what does not, and when there is none."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from click.testing import CliRunner, Result

from riskcore import cli, html_report
from riskcore import events as ev
from riskcore.choices import LossSharing
from riskcore.commands import replaying
from riskcore.html_report import MARK
from riskcore.html_report.recorder import Recorder
from riskcore.html_report.steps import CHARACTERS, STEPS, Steps
from riskcore.log import write_log
from riskcore.replay import replay
from riskcore.waterfall import Waterfall
from tests.hostile_log import ACCOUNTS, DEED, write_hostile_log
from tests.log_cases import RULEBOOK, UNITS, Script, SeeingMonitor, make_waterfall_events, write_waterfall_log

ROOT = Path(__file__).parent.parent
NEEDED = pytest.mark.skipif(not html_report.is_installed(), reason="the extra report is not installed")


def run(log: Path, *options: str) -> Result:
    return CliRunner().invoke(cli.main, ["replay", str(log), *options])


def write(log: Path, *options: str, code: int = 0) -> str:
    """The page of a log."""
    target = log.parent / "out.html"
    result = run(log, "--report", str(target), *options)
    assert result.exit_code == code, result.output
    return target.read_text(encoding="utf-8")


class Reader(HTMLParser):
    """A page as a browser parses it: its tags, and the text within each script and the style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.raw: list[tuple[dict[str, str | None], str]] = []
        self._open: dict[str, str | None] | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = {"tag": tag, **dict(attrs)} if tag in ("script", "style") else None

    def handle_endtag(self, tag: str) -> None:
        self._open = None

    def handle_data(self, data: str) -> None:
        if self._open is None:
            self.texts.append(data)
        else:
            self.raw.append((self._open, data))

    def get_data(self, id: str) -> Any:
        return json.loads("".join(text for attributes, text in self.raw if attributes.get("id") == id))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_waterfall_log(tmp_path)


# What stands in it


@NEEDED
def test_a_page_has_every_part(log: Path) -> None:
    reader = Reader(write(log))
    text = " ".join(reader.texts)

    assert {"losses", "cascade", "closed", "insurance", "vault", "uncovered", "needs", "concentration", "queue"} == {
        *reader.get_data("data-charts")
    }
    assert "79 laws" in text and "HOLDS" in text
    # the solvency statement, exact, and what the queue bore
    assert "claims + uncovered = pool" in text
    assert "1 deleveragings" not in text and "2 deleveragings" in text
    assert len(make_waterfall_events()) == reader.get_data("data-steps")["count"]
    (queue,) = reader.get_data("data-queues")[:1]
    assert ["short", "100", "60"] == queue["places"][0]


def get_bars(log: Path) -> list[tuple[str, float, float]]:
    from riskcore.html_report.charts import get_losses

    found = replay(log)
    rows = get_losses(found.waterfall, -found.solvency.uncovered, Fraction(1))
    return [(row["what"], row["start"], row["end"]) for row in rows]


@NEEDED
def test_the_waterfall_adds_up(log: Path) -> None:
    """By hand: the fund's 381 and 758, the queue's 768, and 46 that nobody paid."""
    expected = [
        ("losses beyond margin", 0, 1953),
        ("insurance fund: fills", 1953, 1572),
        ("insurance fund: deficits", 1572, 814),
        ("deleveraged winners", 814, 46),
        ("written off", 46, 0),
    ]

    assert expected == get_bars(log)


@NEEDED
def test_a_loss_that_is_paid_later_is_no_new_one(tmp_path: Path) -> None:
    """The 46 of before: the fund pays 10 that it has again, a member the rest."""
    script = Script()
    script.events = make_waterfall_events()
    script.add(ev.FundInsurance, 10)
    script.add(ev.BeginLossSharing, "ETH", ("quiet",))
    script.add(ev.ShareLoss)
    path = tmp_path / "shared.jsonl"
    write_log(path, evolve(RULEBOOK, loss_sharing=LossSharing.CONTRACTS), UNITS, script.events)
    expected = [
        ("written off", 46, 0),
        ("insurance fund: later", 46, 36),
        ("shared", 36, 0),
        ("still uncovered", 0, 0),
    ]
    bars = get_bars(path)

    assert ("losses beyond margin", 0, 1953) == bars[0]
    assert expected == bars[4:]


@NEEDED
def test_what_was_uncovered_before_the_log_is_no_loss_of_it() -> None:
    from riskcore.html_report.charts import get_losses

    rows = get_losses(Waterfall(repaid=16), 30, Fraction(1))
    expected = [
        ("written off", 0, 0),
        ("uncovered before", 0, 46),
        ("from outside", 46, 30),
        ("still uncovered", 30, 0),
    ]

    assert expected == [(row["what"], row["start"], row["end"]) for row in rows]


@NEEDED
def test_every_law_has_its_row(log: Path) -> None:
    page = write(log)
    rows = re.findall(r'<tr class="(\w+)"><th scope="row">([\w-]+)</th>', page)

    assert 79 == len(rows)
    assert ("held", "CASH-1") in rows
    assert ("unchecked", "LIFE-5") in rows
    assert not [law for kind, law in rows if kind == "violated"]


@NEEDED
def test_a_violation_is_told_first_and_leads_to_its_step(log: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replaying, "_get_monitor", lambda: SeeingMonitor)
        page = write(log, code=1)

    assert "CASH-1 is VIOLATED" in page
    assert '<tr class="violated"><th scope="row">CASH-1</th>' in page
    assert '<a href="#step=9">step 9</a>' in page


@NEEDED
def test_without_laws_it_says_so(log: Path) -> None:
    page = write(log, "--no-laws", code=3)

    assert "Laws were switched off." in page


@NEEDED
def test_an_empty_log_has_a_page(tmp_path: Path) -> None:
    log = write_waterfall_log(tmp_path)
    log.write_bytes(log.read_bytes().split(b"\n")[0] + b"\n")
    page = write(log, code=3)

    assert "the log holds no event" in page
    assert "Nobody was deleveraged." in page


@NEEDED
def test_the_same_log_gives_the_same_bytes(log: Path) -> None:
    """In another process, with another order of sets."""
    page, target = write(log), log.parent / "again.html"
    command = [sys.executable, "-m", "riskcore", "replay", str(log), "--report", str(target)]
    environment = os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": str(ROOT)}
    subprocess.run(command, env=environment, check=True, capture_output=True)

    assert page.encode() == target.read_bytes()


@NEEDED
def test_from_a_csv_of_fills_to_a_page(tmp_path: Path) -> None:
    """The README's two commands."""
    folder, log = ROOT / "examples" / "import", tmp_path / "fills.jsonl"
    command = ["import", "csv", str(folder / "fills.csv"), "--mapping", str(folder / "mapping.toml"), "--out", str(log)]
    imported = CliRunner().invoke(cli.main, command)
    reader = Reader(write(log))

    assert 0 == imported.exit_code
    assert {"alice", "bob", "carol"} <= {*reader.get_data("data-steps")["texts"]}


# What does not stand in it


@NEEDED
def test_nothing_but_its_own_scripts_may_run(log: Path) -> None:
    reader = Reader(write(log))
    (policy,) = [one["content"] for _, one in reader.tags if one.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    own = {
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'": attributes["tag"]
        for attributes, text in reader.raw
        if attributes.get("type") != "application/json"
    }

    assert {"default-src", "script-src", "style-src", "base-uri", "form-action"} == directives.keys()
    assert "'none'" == directives["default-src"] == directives["base-uri"] == directives["form-action"]
    assert set(directives["script-src"].split()) == {hash for hash, tag in own.items() if tag == "script"}
    assert set(directives["style-src"].split()) == {hash for hash, tag in own.items() if tag == "style"}


@NEEDED
def test_it_asks_for_nothing(log: Path) -> None:
    for tag, attributes in Reader(write(log)).tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "form")
        assert not {"src", "srcset", "action", "style"} & attributes.keys()
        assert (attributes.get("href") or "#").startswith("#")


@NEEDED
def test_hostile_names_are_texts(tmp_path: Path) -> None:
    page = write(write_hostile_log(tmp_path))
    reader, plain = Reader(page), Reader(write(write_waterfall_log(tmp_path)))
    kinds = {tag for tag, _ in reader.tags}

    assert kinds <= {tag for tag, _ in plain.tags}
    assert not [name for _, attributes in reader.tags for name in attributes if name.startswith("on")]
    # as text in tables and titles, and as JSON: nowhere else
    assert DEED in "".join(reader.texts)
    assert not [text for one, text in reader.raw if one.get("type") != "application/json" and DEED in text]
    assert not [text for one, text in reader.raw if one.get("type") == "application/json" and "<" in text]
    for control in "\u2028\u2029\u202e\x00\x1b":
        assert control not in page
    texts = reader.get_data("data-steps")["texts"]
    assert {*ACCOUNTS[:5]} <= {*texts}


# How much


@NEEDED
def test_a_page_says_which_steps_it_has(log: Path) -> None:
    page = write(log, "--report-from", "20")

    assert "Steps 20 to 25 of 25 can be looked at here." in page
    assert "can be looked at here" not in write(log)


@NEEDED
def test_beyond_what_it_holds_the_command_says_so(log: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replaying, "_get_recorder", lambda first: Recorder(Steps(first=first, limit=10)))
        result = run(log, "--report", str(log.parent / "out.html"), "--report-from", "3")

    assert "Of its 25 steps it has steps 3 to 12 to look at; --report-from N chooses others." in result.stderr


def test_a_first_step_is_chosen_of_a_page(log: Path) -> None:
    result = run(log, "--report-from", "3")

    assert 2 == result.exit_code
    assert "name a page too" in result.stderr


def test_the_page_for_users_has_the_figures_that_hold() -> None:
    page = (ROOT / "REPORT.md").read_text()

    assert f"holds {STEPS:,} steps, or {CHARACTERS // 10**6} million characters" in page


# When there is none


def test_without_the_libraries_it_says_which_to_install(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_report, "_NEEDED", ("no_such_library_at_all",))
    target = log.parent / "out.html"
    result = run(log, "--report", str(target))

    assert 2 == result.exit_code
    assert "pip install 'riskcore[report]'" in result.stderr
    assert not target.exists()


@NEEDED
def test_what_is_no_earlier_page_is_left_alone(log: Path) -> None:
    before = log.read_bytes()
    result = run(log, "--report", str(log))

    assert 2 == result.exit_code
    assert "expected a new file, or an earlier report, got another file" in result.stderr
    assert before == log.read_bytes()


@NEEDED
def test_an_earlier_page_is_replaced(log: Path) -> None:
    target = log.parent / "out.html"
    target.write_bytes(MARK + b"old")

    assert "old" not in write(log)[:100]
    assert target.read_bytes().startswith(MARK)
    assert {log, target} == {*log.parent.iterdir()}


@NEEDED
@pytest.mark.parametrize("place", ["nowhere/out.html", "."])
def test_a_place_that_cannot_be_written_is_refused_at_once(
    log: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "replay", lambda *_, **__: pytest.fail("the log was read"))
    result = run(log, "--report", str(log.parent / place))

    assert 2 == result.exit_code
    assert "a place for a report" in result.stderr
    assert "Traceback" not in result.output


@NEEDED
def test_a_bad_log_leaves_no_page(log: Path) -> None:
    log.write_bytes(log.read_bytes() + b"{")
    target = log.parent / "out.html"
    result = run(log, "--report", str(target))

    assert 2 == result.exit_code
    assert "Error: " in result.stderr
    assert {log} == {*log.parent.iterdir()}


@NEEDED
def test_an_interrupt_leaves_no_page(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from riskcore.html_report import page

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(page, "_get_words", interrupt)
    result = run(log, "--report", str(log.parent / "out.html"))

    assert 130 == result.exit_code
    assert {log} == {*log.parent.iterdir()}
