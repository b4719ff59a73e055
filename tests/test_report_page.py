"""The page in a real browser, from a file: clicks, slider, filters, links; nothing fetched, nothing hostile run."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from attrs import Factory, define
from click.testing import CliRunner

from examples.oct10.__main__ import main as study
from riskcore import cli, html_report
from riskcore import events as ev
from riskcore.commands import replaying
from riskcore.html_report.steps import PART
from riskcore.log import write_log
from tests.hostile_log import ACCOUNTS, MARKET, write_hostile_log
from tests.log_cases import RULEBOOK, UNITS, Script, SeeingMonitor, write_waterfall_log
from tests.study_data import write_day

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or find_spec("playwright") is None or not html_report.is_installed(),
    reason="chromium, playwright or the extra report is not installed",
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
CHARTS = ("losses", "cascade", "closed", "insurance", "vault", "uncovered", "needs", "concentration", "queue")


@define
class Seen:
    """A page in a browser, and all that the browser said and asked for meanwhile."""

    page: Any
    said: list[str] = Factory(list)
    asked: list[str] = Factory(list)

    def open(self, path: Path, link: str = "") -> None:
        self.page.goto("about:blank")
        self.said.clear()
        self.asked.clear()
        self.page.goto(path.as_uri() + link)

    def get_title(self) -> str:
        """That of the step which is shown."""
        return str(self.page.inner_text("#detail h3"))

    def wait_for_step(self, number: int) -> None:
        """The page's policy lets no text be evaluated, not even the browser driver's: so by what is there."""
        self.page.locator("#detail h3", has_text=re.compile(f"^{number:,} ")).wait_for()

    def get_rows(self) -> list[str]:
        return [" ".join(text.split()) for text in self.page.locator("#rows .row").all_inner_texts()]

    def draw_all(self) -> None:
        """Bring every chart into view, and wait for it."""
        for id in CHARTS:
            if self.page.locator(f"#{id}").count():
                self.page.locator(f"#{id}").scroll_into_view_if_needed()
                self.page.wait_for_selector(f"#{id} svg, #{id} .none")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    from playwright.sync_api import sync_playwright

    profile = tmp_path_factory.mktemp("profile")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=FLAGS, viewport={"width": 1200, "height": 900}
        )
        context.set_default_timeout(20_000)
        seen = Seen(context.pages[0])
        seen.page.on("console", lambda message: seen.said.append(message.text))
        seen.page.on("pageerror", lambda error: seen.said.append(str(error)))
        seen.page.on("request", lambda request: seen.asked.append(request.url))
        yield seen
        context.close()


def write(log: Path, *options: str) -> Path:
    target = log.parent / "out.html"
    CliRunner().invoke(cli.main, ["replay", str(log), "--report", str(target), *options])
    return target


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the log in which every stage closes something; 25 steps, of which 12 and 18 are rejected."""
    return write(write_waterfall_log(tmp_path_factory.mktemp("crash")))


# Quiet


def test_a_page_draws_everything_and_asks_for_nothing(browser: Seen, crash: Path, tmp_path: Path) -> None:
    browser.open(crash)
    browser.draw_all()

    assert [] == browser.said
    assert [crash.as_uri()] == browser.asked
    for id in CHARTS:
        assert browser.page.locator(f"#{id} svg path").count(), id
    picture = browser.page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert len(picture) > 100_000


def test_it_is_dark_where_the_reader_wants_that(browser: Seen, crash: Path) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        browser.page.emulate_media(color_scheme=scheme)
        browser.open(crash)
        grounds.append(browser.page.evaluate("getComputedStyle(document.body).backgroundColor"))
    browser.page.emulate_media(color_scheme="light")

    assert ["rgb(250, 249, 246)", "rgb(20, 23, 27)"] == grounds


def test_so_does_the_page_of_the_study(browser: Seen, tmp_path: Path) -> None:
    target = tmp_path / "study.html"
    CliRunner().invoke(study, [str(write_day(tmp_path)), "--report", str(target)])
    browser.open(target)
    for id in ("deficits", "needs", "spread", "costs", "shifts", "courses"):
        browser.page.locator(f"#{id}").scroll_into_view_if_needed()
        browser.page.wait_for_selector(f"#{id} svg path")

    assert [] == browser.said
    assert [target.as_uri()] == browser.asked


def test_and_the_page_of_a_stress_run(browser: Seen, tmp_path: Path) -> None:
    target = tmp_path / "stress.html"
    family = Path(__file__).parent.parent / "examples" / "stress" / "gap.toml"
    answer = CliRunner().invoke(
        cli.main, ["stress", str(family), "--paths", "2", "--jobs", "1", "--report", str(target)]
    )
    assert 0 == answer.exit_code, answer.output
    browser.open(target)
    for measure in ("deleveraged", "touched", "largest", "forwent", "insurance", "uncovered"):
        for kind in ("means", "spread"):
            browser.page.locator(f"#{measure}-{kind}").scroll_into_view_if_needed()
            browser.page.wait_for_selector(f"#{measure}-{kind} svg path")

    assert [] == browser.said
    assert [target.as_uri()] == browser.asked


# Steps


def test_steps_by_click_button_slider_key_and_number(browser: Seen, crash: Path) -> None:
    browser.open(crash)
    assert "1 list_market" == browser.get_title()
    assert ["1 list_market BTC", "2 list_market ETH", "3 deposit long"] == browser.get_rows()[:3]

    browser.page.click("#rows .row:nth-child(4)")
    assert "4 deposit" == browser.get_title()
    browser.page.click("#on")
    assert "5 deposit" == browser.get_title()
    browser.page.click("#back")
    browser.page.click("#back")
    assert "3 deposit" == browser.get_title()
    browser.page.focus("#slider")
    browser.page.keyboard.press("End")
    assert "25 advance_time" == browser.get_title()
    browser.page.focus("#list")
    browser.page.keyboard.press("ArrowUp")
    assert "24 end_deleveraging" == browser.get_title()
    browser.page.fill("#number", "22")
    browser.page.press("#number", "Enter")
    assert "22 deleverage" == browser.get_title()
    assert browser.page.url.endswith("#step=22")
    assert [] == browser.said


def test_a_link_leads_to_its_step(browser: Seen, crash: Path) -> None:
    browser.open(crash, "#step=14")
    assert "14 liquidation_fill" == browser.get_title()
    browser.page.evaluate("location.hash = '#step=9'")
    browser.wait_for_step(9)
    assert "9 fill" == browser.get_title()
    browser.page.evaluate("location.hash = '#step=26'")
    browser.page.wait_for_selector("#detail .note")

    assert "Step 26 is not on this page, which has steps 1 to 25." == browser.page.inner_text("#detail")


def test_a_step_shows_what_it_changed_and_the_laws(browser: Seen, crash: Path) -> None:
    browser.open(crash, "#step=22")
    row = browser.page.locator("#detail tr", has_text="BTC size").first
    laws = browser.page.locator("#detail .lawchips li").all_inner_texts()

    assert ["BTC size", "40", "0", "-40"] == row.locator("td").all_inner_texts()
    colours = [row.locator(kind).evaluate("node => getComputedStyle(node).color") for kind in (".gone", ".come")]
    assert ["rgb(179, 55, 47)", "rgb(44, 122, 75)"] == colours
    assert {"ADL-1", "ADL-3", "CASH-1"} <= {*laws}
    assert "trade 40 lots of BTC" in browser.page.inner_text("#detail")
    assert "riskcore explain crash.jsonl --event 22" in browser.page.inner_text("#detail")


def test_a_rejected_step_says_why(browser: Seen, crash: Path) -> None:
    browser.open(crash, "#step=12")

    assert "rejected: BELOW_INITIAL_MARGIN" in browser.page.inner_text("#detail")
    assert "Nothing but its place in the log." in browser.page.inner_text("#detail")
    assert ["REJ-1"] == browser.page.locator("#detail .lawchips li").all_inner_texts()


def test_filters_by_account_market_and_outcome(browser: Seen, crash: Path) -> None:
    browser.open(crash)
    browser.page.fill("#account", "quiet")
    assert ["5 deposit quiet", "10 fill quiet · ETH"] == browser.get_rows()
    browser.page.fill("#account", "QUI")
    assert ["5 deposit quiet", "10 fill quiet · ETH"] == browser.get_rows()
    browser.page.fill("#account", "nobody of that name")
    assert "No step matches." == browser.page.inner_text("#rows")
    browser.page.fill("#account", "quiet")
    assert "2" == browser.page.get_attribute("#slider", "max")
    browser.page.click("#on")
    assert "10 fill" == browser.get_title()

    browser.page.select_option("#market", "ETH")
    assert ["10 fill quiet · ETH"] == browser.get_rows()
    browser.page.select_option("#kind", "rejected")
    assert "No step matches." == browser.page.inner_text("#rows")
    browser.page.click("#clear")
    assert 25 == int(browser.page.get_attribute("#slider", "max"))
    browser.page.select_option("#kind", "rejected")
    assert ["12 withdraw long", "18 liquidation_fill long · BTC"] == browser.get_rows()
    # a link to a step that the filter hides takes the filter away
    browser.page.evaluate("location.hash = '#step=7'")
    browser.wait_for_step(7)
    assert "" == browser.page.input_value("#kind")
    assert [] == browser.said


def test_a_broken_law_is_seen_and_found(browser: Seen, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replaying, "_get_monitor", lambda: SeeingMonitor)
        page = write(write_waterfall_log(tmp_path))
    browser.open(page)
    browser.page.click(".failure a")
    browser.wait_for_step(9)

    assert ["CASH-1"] == browser.page.locator("#detail .lawchips li.broken").all_inner_texts()
    assert "CASH-1 is violated: credits == debits" in browser.page.inner_text("#detail")
    browser.page.select_option("#kind", "broken")
    assert ["9 fill long · BTC"] == browser.get_rows()


def test_a_queue_can_be_chosen(browser: Seen, crash: Path) -> None:
    browser.open(crash)
    browser.draw_all()
    browser.page.select_option("#queue-choice", "0")

    assert ["lots", "100", "60"] == browser.page.locator("#queue-facts tbody tr").nth(1).locator("td").all_inner_texts()
    browser.page.click("#queue-step")
    browser.wait_for_step(21)
    assert [] == browser.said


# Long, and hostile


def test_of_a_long_log_only_what_is_in_view_is_there(browser: Seen, tmp_path: Path) -> None:
    script = Script()
    script.add(ev.Deposit, "saver", 10**30)
    while len(script.events) < 3 * PART:
        script.add(ev.AdvanceTime)
    script.add(ev.Withdraw, "saver", 1)
    write_log(tmp_path / "long.jsonl", RULEBOOK, UNITS, script.events)
    browser.open(write(tmp_path / "long.jsonl", "--no-laws"), f"#step={2 * PART}")
    assert "2,000 advance_time" == browser.get_title()
    assert len(browser.get_rows()) < 60
    browser.page.evaluate("document.getElementById('list').scrollTop = 1e9")
    browser.page.locator("#rows .row", has_text="3,001").wait_for()

    assert "3,001 withdraw saver" == browser.get_rows()[-1]
    browser.page.fill("#account", "saver")
    assert ["1 deposit saver", "3,001 withdraw saver"] == browser.get_rows()
    row = browser.page.locator("#detail tr", has_text="balance")
    assert f"{10**30:,}" in row.inner_text()
    assert [] == browser.said


def test_no_name_in_a_log_runs(browser: Seen, tmp_path: Path) -> None:
    page = write(write_hostile_log(tmp_path))
    browser.open(page)
    browser.draw_all()
    title = browser.page.title()
    for number in range(1, 16):
        browser.page.fill("#number", str(number))
        browser.page.press("#number", "Enter")
    for account in ACCOUNTS[:2]:
        browser.page.fill("#account", account)
        assert any(account in row for row in browser.get_rows())
    browser.page.select_option("#market", MARKET)
    # what a pointer finds in a chart names them too
    for id, marks, name in (("queue", ".mark-rect path", ACCOUNTS[1]), ("cascade", ".mark-symbol path", MARKET)):
        browser.page.locator(f"#{id} {marks}").first.hover(force=True)
        browser.page.wait_for_selector("#vg-tooltip-element.visible")
        assert name in browser.page.inner_text("#vg-tooltip-element")

    assert "hostile & <b>bold.jsonl: HOLDS" == title == browser.page.title()
    assert 0 == browser.page.locator("img, iframe, object, [onload], [onerror]").count()
    assert [] == browser.said
    assert [page.as_uri()] == browser.asked
