"""``riskcore import csv`` and ``ccxt``, and input that is broken on purpose."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from riskcore.cli import main
from riskcore.importing.position import Position
from riskcore.importing.reconcile import get_blur
from riskcore.log_lines import write_lines
from tests.import_cases import make_fill, read, run, write

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "import"
ROWS = (EXAMPLE / "fills.csv").read_text().splitlines()
MAPPING = (EXAMPLE / "mapping.toml").read_text()


def import_rows(folder: Path, rows: list[str], mapping: str = MAPPING, *options: object) -> tuple[int, Any]:
    (folder / "map.toml").write_text(mapping)
    (folder / "fills.csv").write_text("\n".join(rows) + "\n")
    return read("csv", folder / "fills.csv", "--mapping", folder / "map.toml", *options)


def edit(line: int, old: str, new: str) -> list[str]:
    """The example's rows, one of them changed; lines count from one."""
    assert old in ROWS[line - 1]
    return [row.replace(old, new) if number == line else row for number, row in enumerate(ROWS, start=1)]


# The page


def test_the_page_shows_what_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "IMPORT.md").read_text()
    (commands,) = re.findall(r"```sh\n(.*?import csv.*?)```", page, re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    results = [CliRunner().invoke(main, line.split()[1:]) for line in commands.splitlines()]

    assert [0, 0] == [result.exit_code for result in results]
    assert shown.splitlines() == [line.rstrip() for line in results[0].stdout.splitlines()]


def test_the_example_is_reconciled_and_replayed(tmp_path: Path) -> None:
    code, found = import_rows(tmp_path, ROWS, MAPPING, "--out", tmp_path / "log.jsonl")

    assert (0, {}) == (code, found["divergences"])
    assert {"closed profit": 8, "position": 8, "balance": 11, "both sides": 4} == {
        name: check["agree"] for name, check in found["checks"].items()
    }
    assert 0 == CliRunner().invoke(main, ["replay", str(tmp_path / "log.jsonl")]).exit_code


@pytest.mark.parametrize(
    ("rows", "causes"),
    [
        ([row for row in ROWS if "FUNDING" not in row], ["funding"]),
        (edit(8, "7998.254", "7990"), ["balance"]),
        (edit(12, "-2940.00", "-2954.445"), ["net"]),
        (edit(12, ",0,-2940", ",1,-2940"), ["after"]),
        (edit(11, "1.161", "1.1611"), ["rounding"]),
        ([*ROWS, ROWS[-1]], ["twice"]),
        (ROWS[:1] + ROWS[:0:-1], []),
        (ROWS[:8] + ROWS[11:12] + ROWS[8:11] + ROWS[12:], []),
    ],
)
def test_a_divergence_has_its_cause(rows: list[str], causes: list[str], tmp_path: Path) -> None:
    code, found = import_rows(tmp_path, rows)

    assert causes == list(found["divergences"])
    assert (1 if set(causes) - {"rounding"} else 0) == code


def test_a_mark_at_the_front_and_other_units_are_read(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(
        'riskcore_import = 1\nvenue = "x"\ntime = "iso"\nmarket = "BTC"\ndelimiter = ";"\nthousands = ","\n'
        'fee = "received"\nclosed_pnl = "after_fee"\n[columns]\ntime = "t"\nsize = "q"\nprice = "p"\nfee = "f"\n'
        'closed_pnl = "c"\n'
    )
    rows = "t;q;p;f;c\n2025-10-10T21:00:00Z;+2;1,000.5;-1;-1\n2025-10-11T01:00:00+02:00;-2;1,010.5;-1;19\n"
    (tmp_path / "fills.csv").write_bytes(b"\xef\xbb\xbf" + rows.encode())
    code, found = read("csv", tmp_path / "fills.csv", "--mapping", tmp_path / "map.toml")

    assert (0, {"figures": 2, "agree": 2}) == (code, found["checks"]["closed profit"])


def test_what_a_mapping_leaves_out_is_counted(tmp_path: Path) -> None:
    _, found = import_rows(tmp_path, edit(2, "DEPOSIT", "AIRDROP"), MAPPING.replace('ignored = ["Order ID"]', ""))

    assert {"column Order ID": 1, "rows of kind AIRDROP": 1} == {
        what: unread["count"] for what, unread in found["not_read"].items()
    }


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "fills.csv: expected a header with the names of the columns, got an empty file"),
        (edit(1, "Price", "Preis"), 'fills.csv:1: expected a column "Price" for the price, got one of Trade ID'),
        (edit(1, "Order ID", "Fee"), 'fills.csv:1: expected each column once, got "Fee" twice'),
        (edit(5, "117000.0", "nan"), 'fills.csv:5: "Price": expected a decimal, got "nan"'),
        (edit(5, "117000.0", "1/2"), 'fills.csv:5: "Price": expected a decimal, got "1/2"'),
        (edit(5, "117000.0", "1e99"), 'fills.csv:5: "Price": expected a decimal of at most 30 digits'),
        (edit(5, "117000.0", "-1"), 'fills.csv:5: "Price": expected a number above zero, got -1'),
        (edit(5, "117000.0", "9" * 100), 'fills.csv:5: "Price": expected a decimal of at most 78 digits'),
        (edit(5, "117000.0", ""), 'fills.csv:5: "Price": expected something in this cell, got nothing'),
        (edit(5, "BUY", "BYU"), 'fills.csv:5: "Side": expected one of BUY, SELL, got "BYU" (did you mean "BUY"?)'),
        (edit(5, "BUY,200", "BUY,-200"), 'fills.csv:5: "Qty": expected a size above zero'),
        (edit(5, "2025-10-10", "10.10.25"), 'fills.csv:5: "Time (UTC)": expected a time like %Y-%m-%d'),
        (edit(5, ",o1", ""), "fills.csv:5: expected 15 cells as in the header, got 14"),
        (edit(5, "alice", '"alice'), "fills.csv:5: expected a row of CSV"),
        (edit(5, "alice", "a" * 200_000), "fills.csv:5: expected a row of CSV"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(rows: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(MAPPING)
    (tmp_path / "fills.csv").write_text("\n".join(rows))
    result = run("csv", tmp_path / "fills.csv", "--mapping", tmp_path / "map.toml", "--out", tmp_path / "log.jsonl")

    assert 2 == result.exit_code
    assert message in result.stderr
    assert "Traceback" not in result.output and not (tmp_path / "log.jsonl").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("riskcore_import = 1", "", "riskcore_import: expected this key in a mapping"),
        ('price = "Price"', "", "columns.price: expected this key in columns"),
        ('price = "Price"', 'price = "Qty"', 'columns: expected a column of its own for each field, got "Qty" twice'),
        ('side = "Side"', 'sode = "Side"', "columns.sode: expected only the keys of columns"),
        ('market = "Symbol"', "", "market: expected a column for the market, or one market for all rows, got neither"),
        ('amount = "Amount"', "", "columns.amount: expected a column for the amounts"),
        ('"%Y-%m-%d %H:%M:%S.%f"', '"hours"', "time: expected one of s, ms, us, ns, iso, or a pattern"),
        ('sell = ["SELL"]', 'sell = ["BUY"]', 'sides.sell: expected one meaning of "BUY", got buy and sell'),
        ('"before_fee"', '"sometimes"', "closed_pnl: expected one of before_fee, after_fee"),
        ('size = "0.001"', "size = 0", "size: expected a number above zero, got 0"),
        ('size = "0.001"', 'size = "nan"', 'size: expected a decimal, got "nan"'),
    ],
)
def test_a_mapping_that_cannot_be_read_is_named(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in MAPPING
    (tmp_path / "map.toml").write_text(MAPPING.replace(old, new))
    result = run("csv", EXAMPLE / "fills.csv", "--mapping", tmp_path / "map.toml")

    assert (2, True) == (result.exit_code, f"map.toml: {message}" in result.stderr), result.stderr


# ccxt


def make_trade(side: str, amount: float, price: float, at: int, **members: Any) -> dict[str, Any]:
    fee = {"cost": 0.5, "currency": "USDT"}
    usual = {"id": str(at), "symbol": "BTC/USDT:USDT", "side": side, "amount": amount, "price": price, "fee": fee}
    return usual | {"timestamp": at, "takerOrMaker": "taker", "cost": amount * price / 1000, "info": {}} | members


TRADES = [
    make_trade("buy", 2, 50_000, 1, info={"realizedPnl": "0"}),
    make_trade("buy", 1, 50_300, 2),
    make_trade("sell", 1, 51_100, 3, info={"realizedPnl": "1"}),
]
POSITIONS = [{"symbol": "BTC/USDT:USDT", "contracts": 2, "contractSize": 0.001, "side": "long", "entryPrice": 50_100.0}]


def test_ccxts_trades_lead_to_its_positions(tmp_path: Path) -> None:
    paths = write(tmp_path / "trades.json", TRADES), write(tmp_path / "positions.json", POSITIONS)
    code, found = read("ccxt", paths[0], "--positions", paths[1])

    assert (0, {}) == (code, found["divergences"])
    assert {"closed profit": 2, "cost": 3, "position at the end": 1} == {
        name: check["agree"] for name, check in found["checks"].items()
    }
    assert "one side only" in found["no_log"]


def test_cost_says_what_a_contract_is(tmp_path: Path) -> None:
    code, found = read("ccxt", write(tmp_path / "trades.json", TRADES))

    assert 0 == code
    assert "a contract of BTC/USDT:USDT is taken to be 0.001: its cost says so" in found["notes"]


@pytest.mark.parametrize(
    ("trades", "positions", "causes"),
    [
        (TRADES[1:], POSITIONS, ["profit", "end"]),
        ([*TRADES, make_trade("buy", 1, 1, 4, cost=7)], POSITIONS, ["cost", "end"]),
        (TRADES, [], ["end"]),
        (TRADES, [POSITIONS[0] | {"entryPrice": 50_000.0}], ["entry"]),
    ],
)
def test_ccxts_divergences_have_causes(
    trades: list[Any], positions: list[Any], causes: list[str], tmp_path: Path
) -> None:
    paths = write(tmp_path / "trades.json", trades), write(tmp_path / "positions.json", positions)
    code, found = read("ccxt", paths[0], "--positions", paths[1])

    assert (1, sorted(causes)) == (code, sorted(found["divergences"]))


def test_two_files_are_two_accounts_and_make_a_log(tmp_path: Path) -> None:
    other = [trade | {"side": "sell" if trade["side"] == "buy" else "buy", "info": {}} for trade in TRADES]
    paths = write(tmp_path / "ann.json", TRADES), write(tmp_path / "ben.json", other)
    code, found = read("ccxt", *paths, "--out", tmp_path / "log.jsonl")

    assert (0, {"ann", "ben", "riskcore-fees"}) == (code, set(found["log"]["deposits"]))
    assert 0 == CliRunner().invoke(main, ["replay", str(tmp_path / "log.jsonl")]).exit_code


# Hostile input


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected fills, got an empty file"),
        (b"\n \n", "expected fills, got an empty file"),
        (b"{", "expected JSON"),
        (b"[1]", "[0]: expected"),
        (b"true", "expected"),
        (b'{"coin": 1}', "coin: expected a string"),
        (b'{"coin": "B", "coin": "C"}', "coin: expected each key once"),
        (b"\xff\xfe{}", "expected JSON"),
        (b"[" * 100_000, "expected JSON"),
        (b"[" * 300 + b"]" * 300, "expected arrays of a few levels"),
        (json.dumps(make_fill("1", "NaN")).encode(), 'px: expected a decimal, got "NaN"'),
        (json.dumps(make_fill("1", "1")).replace('"1"', "NaN").encode(), 'sz: expected a decimal, got "NaN"'),
        (json.dumps(make_fill("0", "1")).encode(), "sz: expected a number above zero, got 0"),
        (json.dumps(make_fill("1", "9" * 31)).encode(), "px: expected a decimal of at most 30 digits"),
        (json.dumps(make_fill("1", "1", side="X")).encode(), 'side: expected B or A, got "X"'),
        (json.dumps(make_fill("1", "1", time=-1)).encode(), "time: expected milliseconds since 1970"),
        (json.dumps(make_fill("1", "1", time="yesterday")).encode(), 'time: expected a decimal, got "yesterday"'),
        (json.dumps(make_fill("1", "1", crossed="yes")).encode(), "crossed: expected true or false"),
        (json.dumps(make_fill("1", "1", tid=[])).encode(), "tid: expected an integer or a text"),
        (b'{"inner": {"Funding": {"deltas": 3}}, "time": 1}', "inner.Funding.deltas: expected an array"),
    ],
)
def test_fills_that_cannot_be_read_are_named(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "fills.json"
    path.write_bytes(content)
    result = run("hyperliquid", path)

    assert 2 == result.exit_code
    assert message in result.stderr and str(path) in result.stderr
    assert "Traceback" not in result.output


def test_a_line_that_cannot_be_read_is_counted_to(tmp_path: Path) -> None:
    path = write(tmp_path / "fills.jsonl", make_fill("1", "1"), make_fill("1", "x"))

    assert f'{path}:2: px: expected a decimal, got "x"' in run("hyperliquid", path).stderr


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_packed_files_are_read_as_what_is_in_them(suffix: str, tmp_path: Path) -> None:
    rows, lines = tmp_path / f"fills.csv{suffix}", tmp_path / f"fills.jsonl{suffix}"
    plain = write(tmp_path / "fills.jsonl", make_fill("1", "1"), make_fill("2", "1"))
    for path, data in ((rows, (EXAMPLE / "fills.csv").read_bytes()), (lines, plain.read_bytes())):
        with write_lines(path) as file:
            file.write(data)
    mapping = ("--mapping", EXAMPLE / "mapping.toml")

    assert read("csv", EXAMPLE / "fills.csv", *mapping) == read("csv", rows, *mapping)
    assert str(read("hyperliquid", plain)) == str(read("hyperliquid", lines)).replace(str(lines), str(plain))
    for path in (rows, lines):
        path.write_bytes(path.read_bytes()[:-9])
        arguments = ("csv", path, *mapping) if path is rows else ("hyperliquid", path)
        result = run(*arguments)

        assert (2, "") == (result.exit_code, result.stdout)
        assert result.stderr.startswith(f"Error: {path}: expected a whole file of ")


@pytest.mark.parametrize("name", ["x.csv.gz", "x.json.zst"])
def test_a_small_file_that_unpacks_to_too_much_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with write_lines(path) as file:
        file.write(b" " * 1_000_000)
    path.write_bytes(path.read_bytes() * 70)
    is_table = ".csv" in name
    arguments = ("csv", path, "--mapping", EXAMPLE / "mapping.toml") if is_table else ("hyperliquid", path)

    assert (2, "") == (run(*arguments).exit_code, run(*arguments).stdout)


def test_nothing_is_written_over_another_file(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    result = run("csv", EXAMPLE / "fills.csv", "--mapping", EXAMPLE / "mapping.toml", "--out", path)

    assert (2, "mine") == (result.exit_code, path.read_text())
    assert 2 == run("hyperliquid", tmp_path / "none.json").exit_code
    assert 2 == run("hyperliquid", tmp_path).exit_code


# Positions

AMOUNTS = st.integers(-50, 50).filter(bool).map(lambda number: Fraction(number, 4))
PRICES = st.integers(1, 400).map(lambda number: Fraction(number, 8))


@given(st.lists(st.tuples(AMOUNTS, PRICES), max_size=30))
@settings(max_examples=100, deadline=None)
def test_closed_profit_and_what_is_open_are_all_the_cash_there_was(fills: list[tuple[Fraction, Fraction]]) -> None:
    position, profit, cash = Position(), Fraction(0), Fraction(0)
    queue: list[list[Fraction]] = []
    for size, price in fills:
        step = position.book(size, price)
        assert step.profit is not None
        profit += step.profit
        cash -= size * price
        oldest, left = Fraction(0), size
        while left and queue and (queue[0][0] > 0) != (left > 0):
            part = min(abs(queue[0][0]), abs(left)) * (1 if queue[0][0] > 0 else -1)
            oldest += (price - queue[0][1]) * part
            queue[0][0] -= part
            left += part
            if not queue[0][0]:
                queue.pop(0)
        if left:
            queue.append([left, price])
        assert oldest == step.by_first_in

    assert sum((size for size, _ in fills), Fraction(0)) == position.size
    assert cash == profit - position.size * (position.entry or 0)


@pytest.mark.parametrize(
    ("entry", "blur"), [("28.884", "0.001"), ("4323.3", "0.1"), ("0.57", "0.00001"), ("100000", "10")]
)
def test_an_entry_has_five_digits(entry: str, blur: str) -> None:
    assert Fraction(blur) == get_blur(Fraction(entry))
