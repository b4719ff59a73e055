"""Explanations: figures worked out by hand, agreement with the kernel on walks, and what people are told."""

from __future__ import annotations

import ast
import io
import json
import re
import sys
from collections.abc import Iterator
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from riskcore import queries
from riskcore.choices import LossSharing
from riskcore.cli import main
from riskcore.close_outs import get_close_out, get_standing
from riskcore.codec import encode
from riskcore.events import (
    ApplyFunding,
    BeginDeleveraging,
    BeginLossSharing,
    Deleverage,
    Deposit,
    Fill,
    LiquidationFill,
    MarkPrice,
    PlaceOrder,
    SetLeverage,
    ShareLoss,
    WriteOff,
)
from riskcore.explain.accounts import AccountMargin, Requirement, get_account_margin
from riskcore.explain.as_json import to_json
from riskcore.explain.explanation import Explanation, explain
from riskcore.explain.moment import Moment, reach
from riskcore.explain.roundings import DRAWS, SITES, Rounding
from riskcore.explain.text import print_explanation
from riskcore.journal import Journal, Party, Reason, Stage
from riskcore.log import write_log
from riskcore.quantities import AccountId, Atoms, EventId, Time
from riskcore.rules import Rule
from riskcore.snapshot import get_state_hash
from riskcore.step import step
from riskcore.testing import Desk, make_rulebook, make_rules, walk
from riskcore.units import Units
from tests.log_cases import RULEBOOK, UNITS, write_snapshot_log, write_waterfall_log
from tests.test_architecture import KERNEL, ROOT


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_waterfall_log(tmp_path)


def ask(log: Path, event: str, account: str | None = None, rulebook: str | None = None) -> Explanation:
    return explain(reach(log, event), account, rulebook)


def ask_last(desk: Desk, account: str | None = None) -> Explanation:
    passage = desk.passages[-1]
    return explain(Moment("desk", len(desk.passages), 1, passage.event, passage.old, Units("0.01"), None), account)


def get_margin_of(found: Explanation) -> AccountMargin:
    assert found.margin is not None
    return found.margin


def get_rounding(found: Explanation, what: str) -> Rounding:
    (rounding,) = (one for one in found.roundings.made if one.what == what)
    return rounding


def get_numbers(found: Explanation, rule: Rule) -> list[str]:
    (clause,) = (clause for clause in found.clauses if clause.rule is rule)
    return [comparison.numbers for comparison in clause.comparisons]


# By hand


def test_a_liquidation_fill(log: Path) -> None:
    # 11,600 in; 100 BTC lots for 100,000, fee 50; 20 ETH lots for 2,000; BTC is at 930
    found = ask(log, "14")
    margin = get_margin_of(found)
    btc = margin.positions[0]

    assert (11_600 - 100_000 - 50 - 2000, 4550, 4750, -200) == (
        margin.balance,
        margin.equity,
        margin.maintenance,
        margin.spare,
    )
    assert (100, 930, 93_000, 4650, 9300) == (
        btc.size,
        btc.mark,
        btc.notional,
        btc.maintenance.amount,
        btc.initial.amount,
    )
    assert (["4550 < 4750"], None) == (get_numbers(found, Rule.NOT_LIQUIDATABLE), found.rejected)
    # 30 lots release 4650 - 3255 of 4750, and cost 150 against mark
    share, fee = get_rounding(found, "equity that goes with the lots"), get_rounding(found, "liquidation fee")
    assert (Fraction(4550 * (4650 - 3255), 4750), 1336) == (share.exact, share.rounded)
    assert (Fraction(27_750 * 5000, 1_000_000), 139, "the account") == (fee.exact, fee.rounded, fee.borne_by)
    (close,) = found.closes
    assert (Stage.BOOK, "long", "maker", 30, 27_750, Fraction(925), 930, 150, 0) == (
        close.stage,
        close.account,
        close.counterparty,
        close.lots,
        close.amount,
        close.price,
        close.mark,
        close.against_mark,
        close.forgone,
    )
    book, vault, insurance, queue = found.stages
    assert (None, Fraction(88_546, 100)) == (book.has_room, book.figures["bankruptcy_price"])
    assert (True, True, True) == (vault.has_room, insurance.has_room, queue.has_room)
    assert (1000, "short") == (insurance.figures["available"], queue.figures["first"])
    assert found.chosen is not None and found.chosen.startswith("ASSUMED(log)")


def test_a_takeover(log: Path) -> None:
    found = ask(log, "e16")
    share = get_rounding(found, "equity that goes with the lots")
    (close,) = found.closes

    # equity 1461 of maintenance 3115 + 100, of which 20 of 70 lots release 890
    assert (Fraction(1461 * 890, 3215), 404) == (share.exact, share.rounded)
    assert (20 * 890 - 404, 404, 0) == (close.amount, close.against_mark, close.forgone)
    assert ["17800 <= 25000", "0 == 0"] == get_numbers(found, Rule.VAULT_LIMIT)
    assert "vault is the rulebook's vault" == found.chosen


def test_a_step_of_a_deleveraging(log: Path) -> None:
    found = ask(log, "22")
    assert found.queue is not None
    (place,) = found.queue.places
    (close,) = found.closes

    # 814 of debt, of which 1660 of 1760 are of BTC: 767.7..., and in favour of who pays not rounded down
    assert (40, 768, 21, 1) == (found.queue.lots, found.queue.share, found.opened, found.queue.head)
    assert (-100, 17_000, 83_000, 37_000) == (place.size, place.profit, place.notional, place.equity)
    assert Fraction(17_000, 100_000) * Fraction(83_000, 37_000) == place.score
    numbers = [comparison.numbers for comparison in place.absorbs]
    assert ["37000 >= 0", "1480000 >= 76800", "680000 >= 76800"] == numbers
    assert (Fraction(40 * 830 + 768, 40), -768, 768) == (close.price, close.against_mark, close.forgone)
    assert 40 * abs(close.mark - close.price) == close.forgone


def test_who_is_ahead_of_whom_and_who_has_no_place() -> None:
    desk = Desk(make_rulebook(adl_requires_profit=True))
    desk.open("BTC", 1000, amber=1000, birch=1000, cedar=1000, daisy=500, elder=1000)
    for maker, lots, price in (("birch", 3, 1000), ("cedar", 3, 1000), ("daisy", 2, 1000), ("elder", 2, 869)):
        desk.must(Fill, "amber", maker, "BTC", lots, price)
    desk.must(MarkPrice, "BTC", 870)
    desk.must(BeginDeleveraging, "amber", "BTC", ("daisy", "birch", "cedar"))
    found = ask_last(desk)
    assert found.queue is not None
    daisy, birch, cedar = found.queue.places
    (elder,) = found.queue.left_out

    # birch and cedar are alike: profit 390, notional 2610, entry 3000, equity 1390
    assert ("daisy", "birch", "cedar") == (daisy.account, birch.account, cedar.account)
    assert birch.score == cedar.score == Fraction(390 * 2610, 3000 * 1390)
    assert ["birch < cedar"] == [one.numbers for one in birch.ahead]
    assert (["left > right"], ()) == ([one.text for one in daisy.ahead], cedar.ahead)
    # amber is 10 lots long for 9738, worth 8700, with 1000; elder has lost 2 and could not pay 2 of 10 parts of 38
    assert (10, 38, 1, "elder") == (found.queue.lots, found.queue.share, found.queue.ineligible, elder.account)
    assert ["38 <= 0", "-20 >= 76"] == [one.numbers for one in elder.absorbs if not one.holds]


def test_a_book_that_has_something_left() -> None:
    desk = Desk(make_rulebook(has_book=True, insurance_backs_fills=False))
    desk.open("BTC", 1000, amber=1000, birch=1000, cedar=5000)
    order = desk.must(PlaceOrder, "birch", "BTC", -9, 1000).state.sequence
    desk.must(Fill, "amber", "birch", "BTC", 9, 1000, f"e{order}")
    bid = desk.must(PlaceOrder, "cedar", "BTC", 20, 899).state.sequence
    desk.must(MarkPrice, "BTC", 930)
    desk.do(BeginDeleveraging, "amber", "BTC", ("birch",))
    refused = ask_last(desk)
    desk.must(LiquidationFill, "amber", "cedar", "BTC", 9, 899, f"e{bid}")
    found = ask_last(desk)
    book = found.stages[0]

    # equity 370 of nine lots: down to 930 - 370 / 9, which is 888.9, so a bid of 899 will do
    assert (True, 899, Fraction(930 * 9 - 370, 9), 889) == (
        book.has_room,
        book.figures["best_price"],
        book.figures["bankruptcy_price"],
        book.figures["worst_price"],
    )
    assert f"order e{bid} of cedar is the best of its side, at 899 atoms per lot" == found.chosen
    assert Rule.BOOK_NOT_EXHAUSTED == refused.rejected
    assert "41 >= 31" in get_numbers(refused, Rule.BOOK_NOT_EXHAUSTED)


def test_a_rejected_fill_shows_the_clause() -> None:
    desk = Desk()
    desk.open("BTC", 1000, amber=1000, birch=5000)
    desk.do(Fill, "amber", "birch", "BTC", 11, 1000)
    found = ask_last(desk)
    clause = found.clauses[-1]

    assert (Rule.TAKER_MARGIN, False) == (clause.rule, clause.holds)
    # 1000 of equity against 10 % of 11,000; and a position grows
    assert ("result.equity >= result.initial", "1000 >= 1100", False, "margin.is_bearable") == (
        clause.comparisons[0].text,
        clause.comparisons[0].numbers,
        clause.comparisons[0].holds,
        clause.comparisons[0].where,
    )
    assert (Rule.TAKER_MARGIN, (), ()) == (found.rejected, found.lines, found.fields)


def test_a_rejection_that_no_require_raised() -> None:
    desk = Desk()
    desk.do(Deleverage)
    clause = ask_last(desk).clauses[-1]

    assert (Rule.DELEVERAGING_NOT_OPEN, "not (state.deleveraging is None)", "deleveraging.get_open") == (
        clause.rule,
        clause.text,
        clause.where,
    )
    assert ["None is None"] == [comparison.numbers for comparison in clause.comparisons]


def test_funding_carries_its_remainder(log: Path) -> None:
    found = ask(log, "11", "long")
    rounding = get_rounding(found, "growth of the funding index")

    # a mark of 1000 at 400 ppm for 10 of 3,600,000 ms
    assert (Fraction(1000 * 400 * 10, 10**6 * 3_600_000), 0) == (rounding.exact, rounding.rounded)
    assert "nobody: the remainder is carried to the next funding" == rounding.borne_by
    changed = {change.name: (change.before, change.after) for change in found.fields}
    assert (0, 4_000_000) == changed["BTC.funding_remainder"]


def test_funding_that_is_owed_is_in_the_margin() -> None:
    desk = Desk()
    desk.open("BTC", 1000, amber=1000, birch=1000)
    desk.must(Fill, "amber", "birch", "BTC", 3, 1000)
    desk.must(ApplyFunding, "BTC", 10_000, after=8 * 3_600_000)
    desk.do(MarkPrice, "BTC", 1001)
    (position,) = get_margin_of(ask_last(desk, "amber")).positions

    assert (30, 3 * 1000 - 30) == (position.funding_owed, position.value)


def test_a_share_of_a_loss() -> None:
    desk = Desk(make_rulebook(loss_sharing=LossSharing.CONTRACTS), debts={"debtor": 100})
    desk.open("BTC", 100, amber=10_000, birch=10_000, cedar=10_000)
    desk.must(Fill, "amber", "cedar", "BTC", 1, 100)
    desk.must(Fill, "birch", "cedar", "BTC", 3, 100)
    desk.must(WriteOff, "debtor")
    desk.must(BeginLossSharing, "BTC", ("amber", "birch", "cedar"))
    desk.must(ShareLoss)
    found = ask_last(desk)
    rounding = get_rounding(found, "what members owe of the loss")

    # one lot of eight owes an eighth of 100
    assert ("amber", Fraction(100, 8), 12) == (found.account, rounding.exact, rounding.rounded)
    assert [(Reason.LOSS_SHARE, 12)] == [(line.reason, line.amount) for line in found.lines]
    assert (10_000, 9988) == (found.changes[0].before.equity, found.changes[0].after.equity)


def test_brackets_and_a_chosen_leverage() -> None:
    desk = Desk()
    desk.open("BTC", 1001, make_rules(100_000, 50_000, tiers=((5000, 200_000, 100_000),)), amber=9000, birch=9000)
    desk.must(SetLeverage, "amber", "BTC", 3)
    desk.must(Fill, "amber", "birch", "BTC", 7, 1001)
    desk.do(MarkPrice, "BTC", 1001)
    (position,) = get_margin_of(ask_last(desk, "amber")).positions

    # 7007: 5 % of 5000 and 10 % of 2007; initial 10 % and 20 % of them, or a third
    assert [(0, Fraction(250)), (5000, Fraction(2007, 10))] == [
        (one.floor, one.term) for one in position.maintenance.brackets
    ]
    assert (Fraction(4507, 10), 451) == (position.maintenance.exact, position.maintenance.amount)
    assert (Fraction(9014, 10), Fraction(7007, 3), 2336) == (
        position.initial.exact,
        position.initial.by_leverage,
        position.initial.amount,
    )


# Under another rulebook


def save_rulebook(folder: Path, maintenance: int) -> str:
    rules = encode(make_rules(100_000, maintenance), None)
    path = folder / "other.json"
    members = {"riskcore_rulebook": 1, "rulebook": encode(RULEBOOK, None), "markets": {"BTC": rules}}
    path.write_text(json.dumps(members))
    return str(path)


def test_another_rulebook_would_have_spared_it(log: Path, tmp_path: Path) -> None:
    under = ask(log, "14", rulebook=save_rulebook(tmp_path, 20_000)).under
    assert under is not None

    # 2 % of 93,000, and ETH's 100 as before: 1960 of 4550
    assert (1960, False, Rule.NOT_LIQUIDATABLE) == (
        under.margin.maintenance,
        under.margin.is_liquidatable,
        under.rejected,
    )
    assert (("BTC",), "UNVERIFIED") == (under.markets, under.status)
    assert [("BTC", 1, "short"), ("ETH", 1, "quiet")] == [(one.market, one.eligible, one.first) for one in under.queues]
    # at 903 it has 1850, of which it needs 1806 and 100; at 904 1950 of 1908
    assert 903 == under.margin.positions[0].liquidation_price


def test_a_preset_is_another_rulebook_too(log: Path) -> None:
    under = ask(log, "14", rulebook="hyperliquid").under

    assert under is not None
    assert ("hyperliquid", "VERIFIED") == (under.name, under.status)


# The same numbers as the kernel's


def walk_explanations(seed: int) -> Iterator[tuple[Any, Explanation]]:
    desk = walk(seed, 90)
    for number, passage in enumerate(desk.passages, 1):
        yield passage, explain(Moment("walk", number, 1, passage.event, passage.old, Units("0.01"), None))


@pytest.mark.parametrize("seed", [3, 8])
def test_what_is_shown_is_what_the_kernel_did(seed: int) -> None:
    clauses = 0
    for passage, found in walk_explanations(seed):
        assert passage.rejected == (None if found.rejected is None else found.rejected.name)
        assert passage.effects == found.lines
        *passed, last = found.clauses
        clauses += len(passed)
        assert all(clause.holds for clause in passed)
        assert last.holds is (found.rejected is None) and last.rule is (found.rejected or last.rule)
        assert all(clause.comparisons for clause in found.clauses)
        check_roundings(found)
        assert found.is_lawful and found.laws
        assert json.loads(json.dumps(to_json(found)))["number"] == found.moment.number
        print_explanation(found, Console(file=io.StringIO(), width=100))

    assert clauses > 500


def check_roundings(found: Explanation) -> None:
    for rounding in found.roundings.made:
        assert 0 < abs(rounding.rounded - rounding.exact) < 1


@pytest.mark.parametrize("seed", [5, 11])
def test_margins_add_up_to_the_kernels(seed: int) -> None:
    count = 0
    for passage in walk(seed, 90).passages[::7]:
        for id, _ in passage.new.accounts.items():
            margin = get_account_margin(passage.new, id)
            count += len(margin.positions)

            values = sum(one.value for one in margin.positions)
            assert margin.balance + values == margin.equity == queries.equity(passage.new, id)
            assert sum(one.maintenance.amount for one in margin.positions) == margin.maintenance
            assert sum(one.initial.amount for one in margin.positions) == margin.initial
            for one in margin.positions:
                check_requirement(one.maintenance)
                check_requirement(one.initial)

    assert count > 3


def check_requirement(needed: Requirement) -> None:
    """The brackets make the kernel's own quotient, and the amount is that rounded up, or what leverage needs."""
    assert sum(bracket.term for bracket in needed.brackets) == needed.exact
    assert max(ceil(needed.exact), ceil(needed.by_leverage or 0)) == needed.amount


def test_a_close_out_is_told_as_a_replay_tells_it(log: Path) -> None:
    moment = reach(log, "22")
    standing = get_standing(moment.before)
    told = get_close_out(standing, step(moment.before, moment.event))
    found = explain(moment)
    assert found.queue is not None and standing is not None and told is not None
    (place,) = found.queue.places

    assert (standing.score, standing.part, standing.place) == (place.score, place.part, place.place)
    assert (told.price, told.forgone, told.lots) == (
        found.closes[0].price,
        found.closes[0].forgone,
        found.closes[0].lots,
    )


def list_division_sites() -> Iterator[tuple[str, str, str]]:
    """Where the kernel calls a function that divides: module, function, divider."""
    dividers = {"divide_down", "divide_up", "apply_rate"}
    for module in KERNEL:
        for function in ast.walk(ast.parse((ROOT / "riskcore" / f"{module}.py").read_text())):
            if isinstance(function, ast.FunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in dividers:
                        yield module, function.name, node.func.id


def test_every_division_of_the_kernel_has_somebody_who_bears_it() -> None:
    assert {*SITES, DRAWS} == {*list_division_sites()}


def test_the_kernel_is_watched_and_not_touched(log: Path) -> None:
    moment = reach(log, "14")
    before = get_state_hash(moment.before)
    explain(moment)

    assert (before, None) == (get_state_hash(moment.before), sys.getprofile())


# The command


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["explain", *map(str, arguments)])


def test_the_text_says_why(log: Path) -> None:
    result = invoke(log, "--event", 14)

    assert 0 == result.exit_code
    for words in (
        "margin.equity < margin.maintenance: 4550 < 4750, yes",
        "= distance       to maintenance    -2.00",
        "5 % of 93,000 atoms: 4,650",
        "bankruptcy price 8854.6",
        "gained 1.50",
        "25389/19",
        "LIQ-1     REPLAYED(1)",
    ):
        assert words in result.stdout
    assert "" == result.stderr


def test_json_is_exact(log: Path) -> None:
    result = invoke(log, "--event", "e22", "--format", "json")
    told = json.loads(result.stdout, parse_float=lambda text: pytest.fail(f"a float: {text}"))

    assert 0 == result.exit_code
    assert (22, 23, "e22", True, "long") == (
        told["number"],
        told["line"],
        told["event"]["id"],
        told["accepted"],
        told["account"],
    )
    assert ("1411/3700", "4246/5", 768) == (
        told["queue"]["places"][0]["score"],
        told["closes"][0]["price"],
        told["closes"][0]["forgone"],
    )


def test_a_rejected_event_is_explained(log: Path) -> None:
    result = invoke(log, "--event", 12)

    assert 0 == result.exit_code
    assert "REJECTED: BELOW_INITIAL_MARGIN" in result.stdout
    # 11,550 of equity less 11,999 against 10,200
    assert "margin.equity - amount >= margin.initial: -449 >= 10200, no" in result.stdout


def test_a_log_that_starts_in_the_middle(tmp_path: Path) -> None:
    log = write_snapshot_log(tmp_path)

    told = json.loads(invoke(log, "--event", 1, "--format", "json").stdout)
    assert ("e22", None, 768) == (told["event"]["id"], told["opened"], told["queue"]["share"])


def test_an_id_of_digits(tmp_path: Path) -> None:
    path = tmp_path / "digits.jsonl"
    amber = AccountId("amber")
    deposits = [Deposit(EventId(id), place, Time(0), amber, Atoms(7)) for place, id in enumerate(("2", "1"), 1)]
    write_log(path, RULEBOOK, UNITS, deposits)

    assert (2, 1) == (reach(path, "2").number, reach(path, "id:2").number)


def test_a_broken_law_is_exit_code_1(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Journal.pay

    def swindle(journal: Journal, payer: Party, payee: Party, amount: int, reason: Reason, stage: Stage) -> None:
        honest(journal, payer, payee, amount, reason, stage)
        payee.balance += 1

    monkeypatch.setattr(Journal, "pay", swindle)
    result = invoke(log, "--event", 3)

    assert 1 == result.exit_code
    assert re.search(r"CASH-1 +VIOLATED", result.stdout)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--event", "26"), "--event: expected a number from 1 to 25, which are its events, got 26"),
        (("--event", "0"), "--event: expected a number from 1 on, or an id, got 0"),
        (("--event", "nix"), 'expected the id of one of its 25 events, got "nix"'),
        (("--event", "14", "--account", "lung"), ":15: --account: expected an account"),
        (("--event", "14", "--account", "lung"), '(did you mean "long"?)'),
        (("--event", "14", "--under", "hyperlikwid"), '(did you mean "hyperliquid"?)'),
        (("--event", "22", "--under", "hyperliquid"), "got one within, which event 21 opened"),
        (("--event", "13", "--under", "hyperliquid"), "expected an --account"),
    ],
)
def test_what_cannot_be_asked(log: Path, options: tuple[str, ...], words: str) -> None:
    result = invoke(log, *options)

    assert 2 == result.exit_code
    assert words in result.stderr
    assert "" == result.stdout


def test_a_malformed_log(log: Path) -> None:
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join([*lines[:9], "{\n", *lines[10:]]))

    assert 0 == invoke(log, "--event", 8).exit_code
    result = invoke(log, "--event", 9)
    assert 2 == result.exit_code
    assert f"Error: {log}:10: expected one JSON object" in result.stderr


def test_an_account_is_unknown_until_it_is_named(log: Path) -> None:
    assert 2 == invoke(log, "--event", 3, "--account", "quiet").exit_code
    assert 0 == invoke(log, "--event", 5, "--account", "quiet").exit_code
    assert AccountId("vault") == ask(log, "3", "vault").account


def test_names_are_escaped_and_no_markup(tmp_path: Path) -> None:
    desk = Desk(RULEBOOK)
    desk.open("BTC", 1000)
    desk.must(Deposit, "[red]\x1b[31m", 7)
    path = tmp_path / "names.jsonl"
    write_log(path, RULEBOOK, UNITS, [passage.event for passage in desk.passages])
    result = invoke(path, "--event", 2)

    assert 0 == result.exit_code
    assert "[red]\\u001b[31m just before" in result.stdout
    assert "\x1b" not in result.stdout
