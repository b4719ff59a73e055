"""Input that cannot be read: one clear sentence with file, line and field, exit code 2, and no traceback."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from riskcore import cli
from riskcore.bad_input import LogError
from riskcore.commands import replaying
from riskcore.log import LogReader
from tests.log_cases import PlainMonitor, write_snapshot_log, write_waterfall_log

HEADER: dict[str, Any] = {
    "riskcore_log": 1,
    "units": {"cash": "0.01", "lots": {"BTC": "0.001"}},
    "rulebook": {
        "vault": "vault",
        "vault_position_limit": 20000,
        "insurance_floor": 0,
        "insurance_backs_fills": True,
        "insurance_fill_band": 1_000_000,
        "insurance_before_adl": True,
        "adl_solvent": True,
        "adl_requires_profit": True,
        "adl_rank": "size",
        "funding_interval": 3600000,
        "funding_rate_cap": 40000,
    },
}
RULES = {
    "initial_margin_rate": 100000,
    "maintenance_margin_rate": 50000,
    "taker_fee_rate": 500,
    "maker_fee_rate": 0,
    "liquidation_fee_rate": 5000,
}
LIST: dict[str, Any] = {
    "event": "list_market", "id": "e1", "sequence": 1, "timestamp": 1,
    "market": "BTC", "rules": RULES, "mark_price": 100,
}  # fmt: skip
DEPOSIT: dict[str, Any] = {"event": "deposit", "id": "e2", "sequence": 2, "timestamp": 2, "account": "a", "amount": 500}
OTHER: dict[str, Any] = {"event": "deposit", "id": "e3", "sequence": 3, "timestamp": 3, "account": "b", "amount": 500}
FILL: dict[str, Any] = {
    "event": "fill", "id": "e4", "sequence": 4, "timestamp": 4,
    "taker": "a", "maker": "b", "market": "BTC", "size": -3, "price": 100,
}  # fmt: skip
TRANSFER: dict[str, Any] = {
    "event": "transfer", "id": "e4", "sequence": 4, "timestamp": 4, "payer": "a", "payee": "sub", "amount": 5,
}  # fmt: skip
GOOD = [HEADER, LIST, DEPOSIT, OTHER, FILL]
EVENTS = (
    "list_market, deposit, withdraw, transfer, fund_insurance, repay_loss, advance_time, mark_price, index_price, "
    "apply_funding, "
    "fill, liquidation_fill, takeover, cover_deficit, begin_deleveraging, deleverage, end_deleveraging, write_off, "
    "begin_loss_sharing, share_loss, "
    "settle_market, settle_pair, request_vault_deposit, execute_vault_deposit, cancel_vault_deposit, "
    "request_vault_redemption, execute_vault_redemption, set_leverage, place_order, cancel_order, "
    "set_market_status, delist_market, change_rules, apply_rules"
)
FILL_FIELDS = "id, sequence, timestamp, taker, maker, market, size, price, order"
SIZE = "a size, in lots as an integer or in base units as a decimal string"
AMOUNT = "an amount, in atoms as an integer or in quote currency as a decimal string"
PRICE = "a price, in atoms per lot as an integer or in quote currency as a decimal string"
INTEGER = "an integer of at most 78 digits"


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(*lines: dict[str, Any] | str) -> Path:
    path = Path("log.jsonl")
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("".join(f"{text}\n" for text in texts))
    return path


def run(path: str | Path = "log.jsonl", *options: str) -> Result:
    return CliRunner().invoke(cli.main, ["replay", str(path), "--no-laws", *options])


def assert_refused(result: Result, sentence: str) -> None:
    """Exit code 2, the sentence on stderr and nothing else anywhere."""
    assert isinstance(result.exception, SystemExit), result.exception
    assert (2, "", f"Error: {sentence}\n") == (result.exit_code, result.stdout, result.stderr)


def without(line: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in line.items() if key != name}


def test_a_transfer_makes_an_account_known() -> None:
    back = TRANSFER | {"id": "e5", "sequence": 5, "timestamp": 5, "payer": "sub", "payee": "a"}
    write(*GOOD[:-1], TRANSFER, back)

    assert "5 events, 5 accepted, 0 rejected" in run().stdout


def test_the_log_that_the_cases_spoil_is_good() -> None:
    write(*GOOD)

    result = run()

    assert result.exit_code == 3
    assert "4 events, 4 accepted, 0 rejected" in result.stdout


#: A spoilt fifth line, and the sentence behind "log.jsonl:5: ".
SPOILT_LINES: dict[str, tuple[dict[str, Any] | str, str]] = {
    "malformed": (
        '{"event" "fill"}',
        "expected one JSON object, got malformed JSON at column 10: expecting ':' delimiter",
    ),
    "no object": ("[1]", "expected one JSON object, got an array"),
    "a bare string": ('"fill"', 'expected one JSON object, got "fill"'),
    "empty line": ("", "expected one JSON object, got an empty line"),
    "two objects": (
        f"{json.dumps(FILL)} {{}}",
        "expected one JSON object, got malformed JSON at column 133: extra data",
    ),
    "nested too deeply": ("[" * 100_000, "expected one JSON object, got arrays or objects nested too deeply"),
    "byte order mark": ("\ufeff{}", "expected one JSON object, got a byte order mark"),
    "no event": (without(FILL, "event"), "event: expected this field in every line after the header, got none"),
    "header again": (HEADER, "event: expected this field in every line after the header, got none"),
    "unknown event": (FILL | {"event": "fil"}, f'event: expected one of {EVENTS}, got "fil" (did you mean "fill"?)'),
    "event of no kind": (
        FILL | {"event": "Fill!?"},
        f'event: expected one of {EVENTS}, got "Fill!?" (did you mean "fill"?)',
    ),
    "event no string": (FILL | {"event": ["fill"]}, f"event: expected one of {EVENTS}, got an array"),
    "unknown field": (
        without(FILL, "price") | {"prise": 1},
        f'prise: expected only the fields of fill ({FILL_FIELDS}), got an unknown field (did you mean "price"?)',
    ),
    "one field more": (FILL | {"x": 1}, f"x: expected only the fields of fill ({FILL_FIELDS}), got an unknown field"),
    "missing field": (without(FILL, "maker"), "maker: expected this field in fill, got none"),
    "duplicate key": (
        json.dumps(FILL)[:-1] + ', "size": 3}',
        "size: expected each key once, got the key twice",
    ),
    "duplicate key, the same value": (
        json.dumps(FILL)[:-1] + ', "id": "e4"}',
        "id: expected each key once, got the key twice",
    ),
    "duplicate key below": (
        json.dumps(LIST | {"id": "e9"}).replace('"taker_fee_rate"', '"maker_fee_rate"'),
        "maker_fee_rate: expected each key once, got the key twice",
    ),
    "float": (FILL | {"size": 1.5}, f"size: expected {SIZE}, got the float 1.5"),
    "whole float": (FILL | {"price": 100.0}, f"price: expected {PRICE}, got the float 100.0"),
    "exponent": (json.dumps(FILL).replace("-3", "1e3"), f"size: expected {SIZE}, got the float 1e3"),
    "float in sequence": (FILL | {"sequence": 4.0}, f"sequence: expected {INTEGER}, got the float 4.0"),
    "long float": (
        json.dumps(FILL).replace("-3", "1." + "1" * 500),
        f"size: expected {SIZE}, got the float 1.{'1' * 35}...",
    ),
    "not a number": (FILL | {"price": float("nan")}, f"price: expected {PRICE}, got NaN"),
    "infinity": (FILL | {"price": float("-inf")}, f"price: expected {PRICE}, got -Infinity"),
    "bool for int": (FILL | {"size": True}, f"size: expected {SIZE}, got the boolean true"),
    "bool for time": (FILL | {"timestamp": False}, f"timestamp: expected {INTEGER}, got the boolean false"),
    "null": (FILL | {"size": None}, f"size: expected {SIZE}, got null"),
    "object for int": (FILL | {"size": {}}, f"size: expected {SIZE}, got an object"),
    "string for time": (FILL | {"timestamp": "4"}, f'timestamp: expected {INTEGER}, got "4"'),
    "10,000 digits": (
        json.dumps(FILL).replace("-3", "-" + "9" * 10_000),
        f"size: expected {SIZE}, got an integer of 10,000 digits",
    ),
    "79 digits": (FILL | {"price": 10**78}, f"price: expected {PRICE}, got an integer of 79 digits"),
    "79 digits of time": (FILL | {"timestamp": 10**78}, f"timestamp: expected {INTEGER}, got an integer of 79 digits"),
    "10,000 digits in a string": (
        FILL | {"size": "9" * 10_000},
        "size: expected a decimal string of at most 78 digits, got one of 10,000",
    ),
    "79 digits in a string": (
        FILL | {"price": "-0." + "0" * 77 + "1"},
        "price: expected a decimal string of at most 78 digits, got one of 79",
    ),
    "78 digits in a string": (
        FILL | {"size": "0." + "0" * 76 + "1"},
        f'size: expected a multiple of 0.001 (one lot), got "0.{"0" * 55}..."',
    ),
    "too large in native units": (
        FILL | {"size": "9" * 78},
        "size: expected at most 78 digits of lots, got 81 digits",
    ),
    "zero size": (FILL | {"size": 0}, "size: expected a size that is not zero, got 0"),
    "zero size as a string": (FILL | {"size": "0.000"}, 'size: expected a size that is not zero, got "0.000"'),
    "zero price": (FILL | {"price": 0}, "price: expected a price above zero, got 0"),
    "negative price": (FILL | {"price": "-10"}, 'price: expected a price above zero, got "-10"'),
    "zero amount": (DEPOSIT | {"id": "e9", "amount": 0}, "amount: expected an amount above zero, got 0"),
    "negative amount": (
        DEPOSIT | {"id": "e9", "event": "withdraw", "amount": -5},
        "amount: expected an amount above zero, got -5",
    ),
    "negative takeover": (
        {"event": "takeover", "id": "e4", "sequence": 4, "timestamp": 4, "account": "a", "market": "BTC", "size": -1},
        "size: expected a size above zero, got -1",
    ),
    "negative liquidation": (
        without(FILL, "taker") | {"event": "liquidation_fill", "account": "a", "size": -1},
        "size: expected a size above zero, got -1",
    ),
    "zero mark": (LIST | {"id": "e9", "mark_price": 0}, "mark_price: expected a price above zero, got 0"),
    "inexact size": (FILL | {"size": "0.0005"}, 'size: expected a multiple of 0.001 (one lot), got "0.0005"'),
    "inexact price": (
        FILL | {"price": "100.001"},
        'price: expected a multiple of 10 (one atom per lot), got "100.001"',
    ),
    "inexact amount": (
        DEPOSIT | {"id": "e9", "amount": "0.001"},
        'amount: expected a multiple of 0.01 (one atom), got "0.001"',
    ),
    "inexact rate": (
        LIST | {"id": "e9", "rules": RULES | {"taker_fee_rate": "0.00000001"}},
        'rules.taker_fee_rate: expected a multiple of 0.000001 (one part per million), got "0.00000001"',
    ),
    "exponent in a string": (FILL | {"size": "1e3"}, 'size: expected a decimal string like 12.5, got "1e3"'),
    "white space in a string": (FILL | {"size": " 1"}, 'size: expected a decimal string like 12.5, got " 1"'),
    "foreign digits": (FILL | {"size": "\u0663"}, 'size: expected a decimal string like 12.5, got "\u0663"'),
    "no lot for a string": (
        LIST | {"id": "e9", "market": "ETH", "mark_price": "12.5"},
        "mark_price: expected an integer, as units.lots of the header has no lot of this market, got a decimal string",
    ),
    "a string in a market that is not listed": (
        FILL | {"market": "ETH", "size": "1.5"},
        'market: expected a market that was listed before, got "ETH"',
    ),
    "rules no object": (LIST | {"id": "e9", "rules": 5}, "rules: expected an object, got 5"),
    "rule missing": (
        LIST | {"id": "e9", "rules": without(RULES, "taker_fee_rate")},
        "rules.taker_fee_rate: expected this field in market_rules, got none",
    ),
    "unknown market": (FILL | {"market": "DOGE"}, 'market: expected a market that was listed before, got "DOGE"'),
    "unknown account": (FILL | {"maker": "c"}, 'maker: expected an account known by a deposit or a transfer, got "c"'),
    "self-trade": (FILL | {"maker": "a"}, 'maker: expected two different accounts, got "a" twice'),
    "liquidation against itself": (
        without(FILL, "taker") | {"event": "liquidation_fill", "account": "b", "size": 1},
        'maker: expected two different accounts, got "b" twice',
    ),
    "transfer to itself": (
        TRANSFER | {"payee": "a"},
        'payee: expected two different accounts, got "a" twice',
    ),
    "transfer by a stranger": (
        TRANSFER | {"payer": "c"},
        'payer: expected an account known by a deposit or a transfer, got "c"',
    ),
    "settlement against itself": (
        {"event": "settle_pair", "id": "e4", "sequence": 4, "timestamp": 4}
        | {"market": "BTC", "long": "b", "short": "b"},
        'short: expected two different accounts, got "b" twice',
    ),
    "end of an unknown market": (
        {"event": "settle_market", "id": "e4", "sequence": 4, "timestamp": 4} | {"market": "DOGE", "price": 1},
        'market: expected a market that was listed before, got "DOGE"',
    ),
    "end at no price": (
        {"event": "settle_market", "id": "e4", "sequence": 4, "timestamp": 4} | {"market": "BTC", "price": 0},
        "price: expected a price above zero, got 0",
    ),
    "duplicate id": (FILL | {"id": "e2"}, 'id: expected an id that no line before has, got "e2"'),
    "empty name": (FILL | {"taker": ""}, 'taker: expected a string that is not empty, got ""'),
    "number for a name": (FILL | {"id": 4}, "id: expected a string that is not empty, got 4"),
    "lone surrogate": (
        FILL | {"taker": "\ud800"},
        'taker: expected a string without lone surrogates, got "\\ud800"',
    ),
    "control characters": (
        FILL | {"taker": "\x1b[31m"},
        'taker: expected an account known by a deposit or a transfer, got "\\u001b[31m"',
    ),
    "very long name": (
        FILL | {"taker": "x" * 1000},
        f'taker: expected an account known by a deposit or a transfer, got "{"x" * 57}..."',
    ),
    "queue no array": (
        {"event": "begin_deleveraging", "id": "e4", "sequence": 4, "timestamp": 4}
        | {"account": "a", "market": "BTC", "queue": "b"},
        'queue: expected an array of strings, got "b"',
    ),
    "queue of a number": (
        {"event": "begin_deleveraging", "id": "e4", "sequence": 4, "timestamp": 4}
        | {"account": "a", "market": "BTC", "queue": ["b", 7]},
        "queue[1]: expected a string that is not empty, got 7",
    ),
    "queue of a stranger": (
        {"event": "begin_deleveraging", "id": "e4", "sequence": 4, "timestamp": 4}
        | {"account": "a", "market": "BTC", "queue": ["b", "c"]},
        'queue[1]: expected an account known by a deposit or a transfer, got "c"',
    ),
}


@pytest.mark.parametrize(("line", "sentence"), SPOILT_LINES.values(), ids=SPOILT_LINES.keys())
def test_a_spoilt_line_is_refused(line: dict[str, Any] | str, sentence: str) -> None:
    write(HEADER, LIST, DEPOSIT, OTHER, line, FILL)

    assert_refused(run(), f"log.jsonl:5: {sentence}")


def change_rulebook(**values: Any) -> dict[str, Any]:
    return HEADER | {"rulebook": HEADER["rulebook"] | values}


#: A spoilt header, and the sentence behind "log.jsonl:1: ".
SPOILT_HEADERS: dict[str, tuple[dict[str, Any] | str, str]] = {
    "event first": (LIST, 'event: expected the header with "riskcore_log": 1, got an event'),
    "no version": (
        without(HEADER, "riskcore_log"),
        "riskcore_log: expected this field, with the schema version 1, got none",
    ),
    "another version": (HEADER | {"riskcore_log": 2}, "riskcore_log: expected the schema version 1, got 2"),
    "true for a version": (
        HEADER | {"riskcore_log": True},
        "riskcore_log: expected the schema version 1, got the boolean true",
    ),
    "no JSON": ("id,amount", "expected one JSON object, got malformed JSON at column 1: expecting value"),
    "no units": (without(HEADER, "units"), "units: expected this field in the header, got none"),
    "no rulebook": (without(HEADER, "rulebook"), "rulebook: expected this field in the header, got none"),
    "unknown field": (
        HEADER | {"rulebok": {}},
        "rulebok: expected only the fields of the header (units, rulebook, snapshot), got an unknown field "
        '(did you mean "rulebook"?)',
    ),
    "units no object": (HEADER | {"units": "0.01"}, 'units: expected an object, got "0.01"'),
    "cash missing": (HEADER | {"units": {}}, "units.cash: expected this field in the units, got none"),
    "cash an integer": (
        HEADER | {"units": {"cash": 1}},
        "units.cash: expected a decimal string above zero, got 1",
    ),
    "cash zero": (
        HEADER | {"units": {"cash": "0.0"}},
        'units.cash: expected a decimal string above zero, got "0.0"',
    ),
    "lots no object": (HEADER | {"units": {"cash": "1", "lots": []}}, "units.lots: expected an object, got an array"),
    "lot negative": (
        HEADER | {"units": {"cash": "1", "lots": {"BTC": "-1"}}},
        'units.lots.BTC: expected a decimal string above zero, got "-1"',
    ),
    "rulebook field missing": (
        HEADER | {"rulebook": without(HEADER["rulebook"], "adl_rank")},
        "rulebook.adl_rank: expected this field in rulebook, got none",
    ),
    "unknown rank": (
        change_rulebook(adl_rank="luck"),
        "rulebook.adl_rank: expected one of profit_times_leverage, leverage, size, fifo, pseudo_random, profit_ratio, "
        "profit_to_equity, profit_times_notional_to_equity, signed_profit_times_leverage, price_ratio_times_leverage, "
        'got "luck"',
    ),
    "int for bool": (change_rulebook(adl_solvent=1), "rulebook.adl_solvent: expected true or false, got 1"),
    "float in rulebook": (
        change_rulebook(insurance_floor=0.5),
        f"rulebook.insurance_floor: expected {AMOUNT}, got the float 0.5",
    ),
    "inadmissible rulebook": (
        change_rulebook(funding_interval=0),
        "rulebook.funding_interval: expected 1 or more, got 0",
    ),
    "rate above one": (
        change_rulebook(takeover_rate="1.5"),
        "rulebook.takeover_rate: expected from 0 to 1000000, got 1500000",
    ),
    "limit without a window": (
        change_rulebook(insurance_draw_limit=5),
        "rulebook.insurance_draw_window: expected 1 or more, got 0",
    ),
    "cooldown longer than the window": (
        change_rulebook(liquidation_window=5, liquidation_cooldown=6),
        "rulebook.liquidation_cooldown: expected from 0 to 5, got 6",
    ),
    "inadmissible twice": (
        change_rulebook(funding_interval=0, insurance_floor=-1),
        "rulebook: expected an admissible rulebook, got vault_position_limit 20000, insurance_floor -1, "
        "insurance_fill_band 1000000, funding_interval 0, funding_rate_cap 40000, takeover_rate 1000000, "
        "vault_deposit_notice 86400000, vault_redemption_notice 86400000, vault_request_window 86400000, "
        "vault_deposit_minimum 1, insurance_fee_share 0, insurance_draw_limit 0, insurance_draw_window 0, "
        "liquidation_window 0, liquidation_cooldown 0, liquidation_target 0, liquidation_block_limit 0, adl_seed 0, "
        "rules_notice 0, withdrawal_limit 0, withdrawal_window 0",
    ),
    "two payers of deficits": (
        change_rulebook(insurance_before_adl=True, vault_takes_deficits=True),
        "rulebook.vault_takes_deficits: expected false where insurance_before_adl is true, got true",
    ),
    "snapshot outside": (
        HEADER | {"snapshot": "../state.json"},
        'snapshot: expected a relative path that stays in the log\'s folder, got "../state.json"',
    ),
    "snapshot absolute": (
        HEADER | {"snapshot": "/etc/passwd"},
        'snapshot: expected a relative path that stays in the log\'s folder, got "/etc/passwd"',
    ),
    "snapshot with a null byte": (
        HEADER | {"snapshot": "a\0b"},
        'snapshot: expected a relative path that stays in the log\'s folder, got "a\\u0000b"',
    ),
    "snapshot no string": (HEADER | {"snapshot": 7}, "snapshot: expected a string that is not empty, got 7"),
}


@pytest.mark.parametrize(("header", "sentence"), SPOILT_HEADERS.values(), ids=SPOILT_HEADERS.keys())
def test_a_spoilt_header_is_refused(header: dict[str, Any] | str, sentence: str) -> None:
    write(header, LIST)

    assert_refused(run(), f"log.jsonl:1: {sentence}")


def test_a_snapshot_behind_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "state.json").symlink_to("../state.json")
    (tmp_path / "in" / "log.jsonl").write_text(json.dumps(HEADER | {"snapshot": "state.json"}) + "\n")

    assert_refused(
        run("in/log.jsonl"),
        'in/log.jsonl:1: snapshot: expected a relative path that stays in the log\'s folder, got "state.json"',
    )


def test_a_snapshot_that_is_not_there_is_refused() -> None:
    write(HEADER | {"snapshot": "state.json"})

    assert_refused(run(), "log.jsonl:1: snapshot: state.json: expected a readable snapshot, got no such file")


def test_a_snapshot_that_is_a_pipe_is_refused_and_not_waited_for() -> None:
    os.mkfifo("state.json")
    write(HEADER | {"snapshot": "state.json"})

    assert_refused(run(), "log.jsonl:1: snapshot: state.json: expected a readable snapshot, got something else")


def test_a_spoilt_snapshot_is_told_with_the_line_that_names_it() -> None:
    Path("state.json").write_text('{"riskcore_snapshot": 1,\n5}')
    write(HEADER | {"snapshot": "state.json"})
    sentence = "malformed JSON at column 1: expecting property name enclosed in double quotes"

    assert_refused(run(), f"log.jsonl:1: snapshot: state.json:2: expected one JSON object, got {sentence}")


def test_a_decimal_string_in_a_listed_market_without_a_lot_names_the_lot() -> None:
    eth = LIST | {"id": "e9", "sequence": 9, "timestamp": 9, "market": "ETH"}
    write(HEADER, LIST, DEPOSIT, OTHER, eth, FILL | {"market": "ETH", "size": "1.5"})
    sentence = "expected an integer, as units.lots of the header has no lot of this market, got a decimal string"

    assert_refused(run(), f"log.jsonl:6: size: {sentence}")


#: How a file comes to be, and the sentence.
FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "log.jsonl: expected a readable file, got no such file"),
    "directory": (lambda path: path.mkdir(), "log.jsonl: expected a readable file, got a directory"),
    "empty": (lambda path: path.touch(), "log.jsonl:1: expected a header, got an empty file"),
    "link to itself": (
        lambda path: path.symlink_to(path),
        "log.jsonl: expected a readable file, got too many levels of symbolic links",
    ),
    "below a file": (
        lambda path: path.symlink_to(Path(__file__) / "log"),
        "log.jsonl: expected a readable file, got not a directory",
    ),
    "device": (lambda path: path.symlink_to("/dev/zero"), "log.jsonl: expected a readable file, got something else"),
}


@pytest.mark.parametrize(("make", "sentence"), FILES.values(), ids=FILES.keys())
def test_a_file_that_is_none_is_refused(make: Callable[[Path], object], sentence: str) -> None:
    make(Path("log.jsonl"))

    assert_refused(run(), sentence)


@pytest.mark.parametrize("kept", [1, 20, 127])
def test_a_log_cut_in_the_middle_of_a_line_is_refused(kept: int) -> None:
    path = write(HEADER, LIST, DEPOSIT, OTHER)
    path.write_bytes(path.read_bytes() + json.dumps(FILL).encode()[:kept])

    assert_refused(run(), "log.jsonl:5: expected one JSON object, got a line cut in the middle, where the file ends")


def test_a_log_cut_in_the_middle_of_a_character_is_refused() -> None:
    path = write(HEADER, LIST)
    path.write_bytes(path.read_bytes() + b'{"event": "deposit", "id": "\xe2\x82')

    assert_refused(run(), "log.jsonl:3: expected one JSON object, got a line cut in the middle, where the file ends")


def test_a_header_cut_in_the_middle_is_refused() -> None:
    Path("log.jsonl").write_text('{"riskcore_log": 1, "uni')

    assert_refused(run(), "log.jsonl:1: expected one JSON object, got a line cut in the middle, where the file ends")


def test_a_last_line_that_only_lacks_its_newline_is_read() -> None:
    path = write(*GOOD)
    path.write_bytes(path.read_bytes().rstrip(b"\n"))

    assert "4 events, 4 accepted" in run().stdout


def test_invalid_utf_8_is_refused() -> None:
    path = write(HEADER, LIST)
    path.write_bytes(path.read_bytes() + json.dumps(DEPOSIT).encode().replace(b'"a"', b'"\xff"') + b"\n")

    assert_refused(run(), "log.jsonl:3: expected one JSON object, got invalid UTF-8 at byte 77")


def test_the_same_key_twice_is_refused_whatever_hides_it() -> None:
    """A colon inside a name must not make up for the second key's."""
    write(
        HEADER, LIST, '{"event":"deposit","id":"a:b","sequence":2,"timestamp":2,"account":"x","account":"x","amount":5}'
    )

    assert_refused(run(), "log.jsonl:3: account: expected each key once, got the key twice")


def test_a_file_name_is_shown_without_what_a_terminal_obeys() -> None:
    assert_refused(run("a\x1b[1mb"), "a\\u001b[1mb: expected a readable file, got no such file")


def test_nothing_is_printed_of_a_log_that_is_bad_at_its_end() -> None:
    write(*GOOD, "nil")

    assert_refused(run(), "log.jsonl:6: expected one JSON object, got malformed JSON at column 1: expecting value")


def test_json_output_keeps_errors_out_of_stdout() -> None:
    write(*GOOD, FILL)

    assert_refused(
        run("log.jsonl", "--format", "json"), 'log.jsonl:6: id: expected an id that no line before has, got "e4"'
    )


@pytest.mark.parametrize("arguments", [[], ["replay"], ["replay", "x", "--format", "xml"], ["replay", "x", "--bogus"]])
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    result = CliRunner().invoke(cli.main, arguments)

    assert result.exit_code == 2
    assert "Usage:" in result.stderr


def test_checkpoints_of_every_no_events_are_wrong_usage() -> None:
    result = run("log.jsonl", "--checkpoint-every", "0")

    assert result.exit_code == 2
    assert "--checkpoint-every" in result.stderr


def test_the_error_carries_its_parts() -> None:
    path = write(HEADER, LIST, DEPOSIT | {"amount": -1})

    with LogReader(path) as log, pytest.raises(LogError) as caught:
        list(log)

    error = caught.value
    parts = ("log.jsonl", 3, "amount", "an amount above zero", "-1")
    assert parts == (error.file, error.line, error.field, error.expected, error.got)


LATER = {"id": "e9", "sequence": 9, "timestamp": 9}
FALLING = {"floor": 50, "initial_margin_rate": 99_999, "maintenance_margin_rate": 50_000}
AT_ZERO = {"floor": 0, "initial_margin_rate": 200_000, "maintenance_margin_rate": 50_000}
REJECTED = {
    "sequence": (FILL | {"sequence": 3}, "SEQUENCE_NOT_AHEAD"),
    "time": (FILL | {"timestamp": 1}, "TIME_BACKWARDS"),
    "margin": (FILL | {"size": 10**70}, "TAKER_MARGIN"),
    "rules": (LIST | LATER | {"market": "ETH", "rules": RULES | {"taker_fee_rate": -1}}, "RULES_INADMISSIBLE"),
    "tiers": (LIST | LATER | {"market": "ETH", "rules": RULES | {"tiers": [FALLING]}}, "RULES_INADMISSIBLE"),
    "floor": (LIST | LATER | {"market": "ETH", "rules": RULES | {"tiers": [AT_ZERO]}}, "RULES_INADMISSIBLE"),
    "cap": (LIST | LATER | {"market": "ETH", "rules": RULES | {"open_interest_floor": 5}}, "RULES_INADMISSIBLE"),
    "limit": (LIST | LATER | {"market": "ETH", "rules": RULES | {"mark_age_limit": -1}}, "RULES_INADMISSIBLE"),
    "no size": (LIST | LATER | {"market": "ETH", "rules": RULES | {"minimum_size": 0}}, "RULES_INADMISSIBLE"),
    "listed": (LIST | LATER, "MARKET_LISTED"),
}


@pytest.mark.parametrize(("line", "rule"), REJECTED.values(), ids=REJECTED.keys())
def test_what_the_kernel_rejects_is_counted_and_the_replay_goes_on(line: dict[str, Any], rule: str) -> None:
    last = FILL | {"id": "e10", "sequence": 10, "timestamp": 10}
    write(HEADER, LIST, DEPOSIT, OTHER, line, last)

    result = run("log.jsonl", "--format", "json")

    assert result.exit_code == 3
    report = json.loads(result.stdout)
    assert (5, 1, {rule: 1}) == (report["events"], report["rejected"], report["rejections"])


def test_a_market_or_account_of_a_rejected_event_is_known() -> None:
    bad_list = LIST | {"rules": RULES | {"initial_margin_rate": 1}}
    late = DEPOSIT | {"sequence": 0}
    write(HEADER, bad_list, late, OTHER, FILL)

    report = json.loads(run("log.jsonl", "--format", "json").stdout)
    expected = {"RULES_INADMISSIBLE": 1, "SEQUENCE_NOT_AHEAD": 1, "UNKNOWN_MARKET": 1}

    assert expected == report["rejections"]


def test_the_vault_is_known_without_a_deposit() -> None:
    withdrawal = {"event": "withdraw", "id": "e9", "sequence": 9, "timestamp": 9, "account": "vault", "amount": 1}
    write(HEADER, LIST, DEPOSIT, withdrawal)

    report = json.loads(run("log.jsonl", "--format", "json").stdout)

    assert report["rejections"] == {"BELOW_INITIAL_MARGIN": 1}


# Any bytes


def spoil(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for at, length, new in edits:
        place = at % (len(data) + 1)
        data = data[:place] + new + data[place + length :]
    return data


TOKENS = [
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"\n",
    b"-",
    b"0",
    b"9" * 90,
    b"1e5",
    b"true",
    b"null",
    b"\xff",
    b'"a"',
]
EDITS = st.lists(
    st.tuples(st.integers(0, 10**5), st.integers(0, 40), st.sampled_from(TOKENS) | st.binary(max_size=8)), max_size=4
)


@settings(max_examples=300)
@given(edits=EDITS)
def test_any_bytes_end_in_a_clean_exit(
    edits: list[tuple[int, int, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    path = write_waterfall_log(folder, "any.jsonl")
    path.write_bytes(spoil(path.read_bytes(), edits))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replaying, "_get_monitor", lambda: PlainMonitor)
        result = CliRunner().invoke(cli.main, ["replay", str(path)])

    assert isinstance(result.exception, SystemExit) or result.exception is None, result.exception
    assert result.exit_code in (0, 2, 3), result.output
    assert "Traceback" not in result.output
    assert (result.exit_code == 2) == bool(result.stderr)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["BTC", "a", "0.5"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["size", "id"]), inner, max_size=2),
    max_leaves=3,
)


@settings(max_examples=300)
@given(number=st.integers(0, 10**5), place=st.integers(0, 20), value=json_values)
def test_any_value_in_any_field_ends_in_a_clean_exit(
    number: int, place: int, value: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write_waterfall_log(tmp_path_factory.getbasetemp(), "any.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    line = lines[number % len(lines)]
    name = sorted(line)[place % len(line)]
    line[name] = value
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))

    result = CliRunner().invoke(cli.main, ["replay", str(path), "--no-laws"])

    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (2, 3), result.output
    assert result.stderr.count("\n") == (result.exit_code == 2)


@settings(max_examples=100)
@given(edits=EDITS)
def test_any_bytes_of_a_snapshot_end_in_a_clean_exit(
    edits: list[tuple[int, int, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    path = write_snapshot_log(folder)
    snapshot = folder / "any.json"
    snapshot.write_bytes(spoil(snapshot.read_bytes(), edits))

    result = CliRunner().invoke(cli.main, ["replay", str(path), "--no-laws"])

    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (1, 2, 3), result.output
