"""``riskcore import hyperliquid``: real fills first, then every cause of a divergence, then logs."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from riskcore.cli import main
from riskcore.log import LogReader
from riskcore.quantities import AccountId, MarketId
from riskcore.step import step
from riskcore.units import format_decimal
from tests.import_cases import make_fill, make_state, read, run, write

CASES = Path(__file__).parent / "vectors" / "cases" / "pnl.json"
REAL = [case for case in json.loads(CASES.read_text())["cases"] if case["id"].startswith("hl-")]


def to_fill(case: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fill of a case, and the state that its account had before."""
    given = case["inputs"]
    held = Fraction(given.get("start_position", given.get("position_size")))
    size, price = given.get("size", given.get("adl_size")), given.get("px", given.get("adl_price"))
    fill = make_fill(
        ("-" if held > 0 else "") + size,
        price,
        coin=given["coin"],
        time=given.get("time_ms", 1_760_130_000_000),
        startPosition=format_decimal(held),
        dir="Auto-Deleveraging",
        closedPnl=case["expected"]["closed_pnl"],
    )
    entry = given.get("entry", given.get("entry_implied"))
    return fill, make_state("1000000", **{given["coin"]: (format_decimal(held), entry, price)})


@pytest.mark.parametrize("case", REAL, ids=[case["id"] for case in REAL])
def test_a_real_deleveraging_closed_at_what_was_computed(case: dict[str, Any], tmp_path: Path) -> None:
    fill, state = to_fill(case)
    paths = write(tmp_path / "fills.jsonl", ["0xa", fill]), write(tmp_path / "before.json", state)

    code, found = read("hyperliquid", paths[0], "--before", paths[1])

    assert (0, {}) == (code, found["divergences"])
    assert {"figures": 1, "agree": 1} == found["checks"]["closed profit"]

    # the entry has five digits: what is more than that says
    apart = Fraction(fill["sz"]) * Fraction(state["assetPositions"][0]["position"]["entryPx"]) / 1_000
    fill["closedPnl"] = format_decimal(Fraction(fill["closedPnl"]) + apart)
    code, found = read("hyperliquid", write(paths[0], ["0xa", fill]), "--before", paths[1])

    assert (1, ["profit"]) == (code, list(found["divergences"]))


def test_there_are_real_fills() -> None:
    assert 25 == len(REAL)


def test_the_entry_of_the_first_is_learnt_from_a_part_of_it(tmp_path: Path) -> None:
    half = make_fill("14.265", "22.075", coin="AVAX", startPosition="-28.53", dir="Close Short", closedPnl="97.1375175")
    rest = half | {"startPosition": "-14.265", "tid": 2}
    code, found = read("hyperliquid", write(tmp_path / "fills.jsonl", half, rest))

    assert 0 == code
    assert {"closed profit of a position whose entry is not in the file": 1} == found["not_checked"]
    assert {"figures": 1, "agree": 1} == found["checks"]["closed profit"]


# Shapes

OPEN = make_fill("2", "100")
MORE = make_fill("2", "110", startPosition="2.0", time=OPEN["time"] + 1, tid=2)
CLOSE = make_fill("-3", "120", startPosition="4", dir="Close Long", closedPnl="45.0", time=OPEN["time"] + 2, tid=3)
LEFT = make_fill("-1", "90", startPosition="1", dir="Close Long", closedPnl="-15.0", time=OPEN["time"] + 2, tid=4)
STORY = [OPEN, MORE, CLOSE, LEFT]


@pytest.mark.parametrize(
    "lines",
    [
        STORY,
        [STORY],
        [["0xa", fill] for fill in STORY],
        [{"block_number": 1, "events": [["0xa", fill] for fill in STORY]}],
        [
            {"block_number": 1, "events": [["0xa", OPEN]]},
            {"block_number": 2, "events": [["0xa", f] for f in STORY[1:]]},
        ],
        [{"channel": "userFills", "data": {"user": "0xa", "fills": STORY}}],
        [{"user": "0xa", **fill} for fill in STORY],
        [STORY[::-1]],
        [OPEN, MORE, LEFT, CLOSE],
    ],
)
def test_every_shape_is_read(lines: list[Any], tmp_path: Path) -> None:
    code, found = read("hyperliquid", write(tmp_path / "fills.json", *lines))

    assert (0, 4, {}) == (code, found["fills"], found["divergences"])
    assert {"figures": 4, "agree": 4} == found["checks"]["closed profit"]
    assert {"figures": 4, "agree": 4} == found["checks"]["position"]


def test_a_document_may_have_lines_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "fills.json"
    path.write_text(json.dumps(STORY, indent=1))

    assert (0, 4) == (read("hyperliquid", path)[0], read("hyperliquid", path)[1]["fills"])


# Causes


def change(place: int, **members: Any) -> list[dict[str, Any]]:
    return [fill | members if number == place else fill for number, fill in enumerate(STORY)]


@pytest.mark.parametrize(
    ("fills", "causes"),
    [
        ([OPEN, CLOSE, LEFT], ["gap"]),
        ([OPEN, *STORY], ["twice"]),
        ([OPEN, OPEN | {"px": "101"}, *STORY[1:]], ["gap", "profit", "reused"]),
        (change(2, closedPnl="44.9"), ["profit"]),
        (change(2, closedPnl="44.999998"), ["rounding"]),
        (change(2, closedPnl="44.9", fee="0.1"), ["net"]),
        (change(2, closedPnl="50"), ["first_in"]),
        (change(2, dir="Vanished"), ["direction"]),
        (change(2, dir="Open Short"), ["misdirected"]),
    ],
)
def test_a_divergence_has_its_cause(fills: list[Any], causes: list[str], tmp_path: Path) -> None:
    code, found = read("hyperliquid", write(tmp_path / "fills.jsonl", *fills))

    assert causes == sorted(found["divergences"])
    assert (0 if causes == ["rounding"] else 1) == code


def test_a_divergence_names_the_first_of_its_kind(tmp_path: Path) -> None:
    path = write(tmp_path / "fills.jsonl", *change(2, closedPnl="44.9"))
    code, found = read("hyperliquid", path)
    first = found["divergences"]["profit"]

    assert (1, 1) == (code, first["count"])
    assert {"file": str(path), "line": 3, "path": None, "what": "account, BTC", "told": "44.9", "computed": "45"} == (
        first["first"]
    )
    assert f"first at {path}:3: account, BTC: told 44.9, computed 45" in run("hyperliquid", path).stdout


def test_a_flip_closes_what_was_held_and_opens_the_rest(tmp_path: Path) -> None:
    members = {"startPosition": "2", "dir": "Long > Short", "time": OPEN["time"] + 1, "tid": 2}
    flip = make_fill("-5", "110", closedPnl="20", **members)
    back = make_fill("3", "100", startPosition="-3", dir="Close Short", closedPnl="30", time=OPEN["time"] + 2, tid=3)

    assert (0, {}) == (
        (answer := read("hyperliquid", write(tmp_path / "a.jsonl", OPEN, flip, back)))[0],
        answer[1]["divergences"],
    )
    wrong = write(tmp_path / "b.jsonl", OPEN, flip | {"closedPnl": "50"}, back)
    assert ["flip"] == list(read("hyperliquid", wrong)[1]["divergences"])


def test_what_means_nothing_here_is_counted(tmp_path: Path) -> None:
    spot = make_fill("1", "1", coin="@107", dir="Buy")
    other = {"time": "2025-10-10T21:00:00.000000001", "hash": "0x0", "inner": {"Delegation": {"amount": 1}}}
    path = write(tmp_path / "fills.jsonl", *STORY, spot, OPEN | {"novel": 1, "tid": 9, "coin": "ETH"}, other)
    code, found = read("hyperliquid", path)

    assert 0 == code
    assert {"fills of spot markets": 1, "column novel": 1, "event Delegation": 1} == {
        what: entry["count"] for what, entry in found["not_read"].items()
    }
    assert f"{path}:5" == found["not_read"]["fills of spot markets"]["first"]


# Cash


def give(user: str, **amounts: str) -> dict[str, Any]:
    """An hour's funding as a node writes it."""
    deltas = [{"user": user, "coin": coin, "funding_amount": amount} for coin, amount in amounts.items()]
    return {"time": "2025-10-10T21:00:00.000", "hash": "0x0", "inner": {"Funding": {"deltas": deltas}}}


@pytest.mark.parametrize(
    ("value", "funding", "causes"),
    [
        ("1029.5", [], []),
        ("1029.25", [], ["funding"]),
        ("1029.25", [give("0xa", BTC="-0.25")], []),
        ("1029", [give("0xa", BTC="-0.25")], ["balance"]),
        ("1029.500001", [], ["rounding"]),
    ],
)
def test_cash_goes_from_state_to_state(value: str, funding: list[Any], causes: list[str], tmp_path: Path) -> None:
    fills = [["0xa", fill] for fill in (OPEN | {"fee": "0.5"}, *STORY[1:])]
    paths = [
        write(tmp_path / "fills.jsonl", *fills, *funding),
        write(tmp_path / "before.json", make_state("1000")),
        write(tmp_path / "after.json", make_state(value)),
    ]
    code, found = read("hyperliquid", paths[0], "--before", paths[1], "--after", paths[2])

    assert causes == list(found["divergences"])
    assert (1 if set(causes) - {"rounding"} else 0) == code


@pytest.mark.parametrize(
    ("state", "causes"),
    [
        (make_state("1000", BTC=("4", "105", "105")), []),
        (make_state("1000", BTC=("3", "105", "105")), ["end"]),
        (make_state("1000"), ["end"]),
        (make_state("1000", BTC=("4", "106", "105")), ["entry"]),
    ],
)
def test_what_is_left_is_what_the_state_says(state: Any, causes: list[str], tmp_path: Path) -> None:
    fills = write(tmp_path / "fills.jsonl", OPEN, MORE)
    _, found = read("hyperliquid", fills, "--after", write(tmp_path / "after.json", state))

    assert causes == list(found["divergences"])


def test_nothing_to_check_is_no_success(tmp_path: Path) -> None:
    bare = {name: OPEN[name] for name in ("coin", "px", "sz", "side", "time")}

    assert 3 == read("hyperliquid", write(tmp_path / "fills.jsonl", bare))[0]


# Logs


def trade(taker: str, maker: str, size: str, price: str, id: int, **befores: str) -> list[Any]:
    sides: list[Any] = []
    for user, amount in ((taker, size), (maker, size.removeprefix("-") if size.startswith("-") else "-" + size)):
        fill = make_fill(amount, price, tid=id, time=1_760_130_000_000 + id, startPosition=befores.get(user, "0"))
        fill |= {"crossed": user == taker, "fee": "0.045" if user == taker else "-0.003"}
        del fill["dir"], fill["closedPnl"]
        sides.append([user, fill])
    return sides


def test_a_log_of_both_sides_replays_to_the_same_balances(tmp_path: Path) -> None:
    fills = [
        *trade("a", "b", "0.25", "100.5", 1, a="-1.5", b="0"),
        *trade("c", "a", "-0.5", "99", 2, a="-1.25"),
        *trade("b", "c", "0.125", "120", 3, b="-0.25", c="-0.5"),
    ]
    log = tmp_path / "log.jsonl"
    code, found = read("hyperliquid", write(tmp_path / "fills.jsonl", *fills, give("a", BTC="0.5")), "--out", log)

    assert (0, None) == (code, found["no_log"])
    assert 0 == CliRunner().invoke(main, ["replay", str(log)]).exit_code
    with LogReader(log) as reader:
        state, atom = reader.state, Fraction(reader.header.units.cash)
        lot = Fraction(reader.header.units.lots["BTC"])
        for event in reader:
            state = step(state, event).state
    held = {id: state.accounts.get(AccountId(id)).positions.get(MarketId("BTC")).size * lot for id in "abc"}
    assert {"a": Fraction("-0.75"), "b": Fraction("-0.125"), "c": Fraction("-0.625")} == held
    cash = {
        id: state.accounts.get(AccountId(id)).balance * atom - Fraction(found["log"]["deposits"][id]) for id in "abc"
    }
    # a sold its 1.5 at the market's first price
    expected = {
        "a": Fraction("1.5") * Fraction("100.5")
        - Fraction("25.125")
        - Fraction("49.5")
        - Fraction("0.042")
        + Fraction("0.5"),
        "b": Fraction("25.125") - 15 - Fraction("0.042"),
        "c": Fraction("49.5") + 15 - Fraction("0.042"),
    }
    assert expected == cash


@pytest.mark.parametrize(
    ("fills", "why"),
    [
        (STORY, "4 of 4 fills have one side only"),
        (trade("a", "b", "1", "100", 1) + trade("a", "b", "1", "100", 2, a="3", b="-1"), "do not lead from position"),
        (trade("a", "riskcore-fees", "1", "100", 1), "as one of the log's own"),
        ([give("a", BTC="1")], "there are no trades"),
    ],
)
def test_no_log_says_why(fills: list[Any], why: str, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    _, found = read("hyperliquid", write(tmp_path / "fills.jsonl", *fills), "--out", log)

    assert why in found["no_log"]
    assert not log.exists()


def test_sides_that_differ_are_a_divergence(tmp_path: Path) -> None:
    one, two = trade("a", "b", "1", "100", 1)
    two[1]["px"] = "101"

    assert ["sides"] == list(read("hyperliquid", write(tmp_path / "f.jsonl", one, two))[1]["divergences"])


def test_a_binary_file_is_refused_by_its_line_and_byte(tmp_path: Path) -> None:
    path = tmp_path / "fills.jsonl"
    path.write_bytes(b"\x80\x81\n\x82\n")
    result = run("hyperliquid", path)

    assert (2, f"Error: {path}:1: expected JSON, got invalid UTF-8 at byte 1\n") == (result.exit_code, result.stderr)


def test_who_is_closed_by_force_is_counted(tmp_path: Path) -> None:
    both = [
        make_fill("1", "100", user="a", tid=1),
        make_fill("-1", "100", user="b", tid=1, crossed=False),
        make_fill("-1", "90", user="a", tid=2, startPosition="1.0", dir="Liquidated Cross Long", closedPnl="-10.0"),
        make_fill("1", "90", user="b", tid=2, startPosition="-1.0", dir="Close Short", closedPnl="10.0", crossed=False),
    ]
    _, found = read("hyperliquid", write(tmp_path / "fills.jsonl", *both), "--out", tmp_path / "log.jsonl")

    assert any(line.startswith("1 fills by force, as the venue calls them") for line in found["log"]["assumed"])
