"""The readers: for each a small valid set of files, and the command that reads them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from attrs import frozen

from riskcore.conformance.cases import MANIFEST, case_to_text, make_index
from riskcore.conformance.families import get_families
from riskcore.conformance.suites import walk_cases
from riskcore.testing.fuzzing.command import start
from tests.import_cases import make_fill, make_state
from tests.log_cases import write_snapshot_log, write_waterfall_log

EXAMPLES: Final = Path(__file__).parents[2] / "examples"

_SCENARIO: Final = """\
riskcore_scenario = 1
rulebook = "venue.json"
seed = 7
start = 1_760_000_000_000
step = 60_000
steps = 12
insurance = 6_000

[vault]
cash = 80_000

[markets.BTC]
price = 117_000
impact = 0.5
funding_every = 5
path = [{ steps = 6, change = 0.01, noise = 0.0003 }, { steps = 6, change = -0.2, noise = 0.0003 }]

[[agents]]
kind = "makers"
market = "BTC"
count = 1
cash = 250_000
levels = 2
size = 0.8
spread = 0.0005
distance = 0.0008
halved_at = 0.01
limit = 5
refresh = 6

[[agents]]
kind = "holders"
name = "long"
market = "BTC"
side = "long"
count = 3
cash = 10_000
leverage = [1, 3]
arrive = [0, 3]
leave = [9, 11]
"""


@frozen
class Reader:
    """``files``: by name, what the command needs; ``spoilt``: which of them are spoilt. ``words``: the command.

    ``weight``: how often it is drawn; small where it starts a process. ``made``: what it writes, if all is well.
    """

    name: str
    files: dict[str, bytes]
    spoilt: tuple[str, ...]
    words: tuple[str, ...]
    weight: int = 10
    made: str | None = None
    has_json: bool = True


def make_readers() -> tuple[Reader, ...]:
    with TemporaryDirectory() as folder:
        write_waterfall_log(Path(folder))
        write_snapshot_log(Path(folder))
        (Path(folder) / "at_rest").mkdir()
        write_snapshot_log(Path(folder) / "at_rest", after="e18")
        logs = {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.is_file()}
        state = (Path(folder) / "at_rest" / "any.json").read_bytes()
    crash, rest = {"crash.jsonl": logs["crash.jsonl"]}, {name: logs[name] for name in ("rest.jsonl", "any.json")}
    venue = (EXAMPLES / "scenarios" / "venue.json").read_bytes()
    return (
        Reader("log", crash, ("crash.jsonl",), ("replay", "crash.jsonl"), 30),
        Reader("log and snapshot", rest, tuple(rest), ("replay", "rest.jsonl"), 20),
        Reader("explain", crash, ("crash.jsonl",), ("explain", "crash.jsonl", "--event", "20"), 20),
        Reader("explain under", {**crash, "venue.json": venue}, ("venue.json",),
               ("explain", "crash.jsonl", "--event", "20", "--under", "venue.json"), 5),
        Reader("picture", crash, ("crash.jsonl",),
               ("picture", "crash.jsonl", "--out", "out.svg"), 15, "out.svg", False),
        Reader("rulebook", {"venue.json": venue}, ("venue.json",), ("rulebook", "show", "venue.json"), 20),
        Reader("rulebooks and state", {"venue.json": venue, "any.json": state}, ("venue.json", "any.json"),
               ("rulebook", "diff", "venue.json", "hyperliquid", "--state", "any.json")),
        Reader("scenario", {"scenario.toml": _SCENARIO.encode(), "venue.json": venue}, ("scenario.toml", "venue.json"),
               ("simulate", "scenario.toml", "--out", "out.jsonl", "--events", "300"), 15, "out.jsonl", False),
        Reader("fuzz under", {"venue.json": venue}, ("venue.json",),
               ("fuzz", "--rulebook", "venue.json", "--steps", "1", "--jobs", "1"), 1),
        *make_price_readers(),
        *make_rulebook_readers(),
        *make_import_readers(),
        *make_state_readers(),
    )  # fmt: skip


def read_data(*names: str) -> dict[str, bytes]:
    return {name: (EXAMPLES / "data" / name).read_bytes() for name in names}


def make_price_readers() -> tuple[Reader, ...]:
    position = {
        "venue": "hyperliquid",
        "market": "BTC",
        "side": "long",
        "size": "0.5",
        "entry": "100000",
        "margin": "5000",
    }
    ccxt, account = read_data("ccxt_positions.json"), read_data("hyperliquid_account.json")
    account = {name: data.replace(b"MAV", b"SOL") for name, data in account.items()}
    price = ("price", "--venue")
    return (
        Reader("position", {"one.json": json.dumps(position).encode()}, ("one.json",),
               ("price", "--file", "one.json")),
        Reader("ccxt positions", ccxt, tuple(ccxt), (*price, "binance", "--positions", *ccxt, "--wallet", "5000")),
        Reader("account", account, tuple(account), (*price, "hyperliquid", "--positions", *account)),
    )  # fmt: skip


def make_rulebook_readers() -> tuple[Reader, ...]:
    shapes = {
        "ccxt": ("ccxt_tiers.json", "ccxt_markets.json"),
        "binance": ("binance_brackets.json", "binance_exchange_info.json"),
        "hyperliquid": ("hyperliquid_meta.json",),
    }
    return tuple(
        Reader(f"rulebook from {shape}", read_data(*names), names,
               ("rulebook", "from", shape, *names, "--like", "binance", "--out", "out.json",
                "--taker", "0.0005", "--maker", "0", "--liquidation-fee", "0"), 6, "out.json", False)
        for shape, names in shapes.items()
    )  # fmt: skip


def make_import_readers() -> tuple[Reader, ...]:
    table = {name: (EXAMPLES / "import" / name).read_bytes() for name in ("fills.csv", "mapping.toml")}
    fills = [make_fill("2", "100", tid=1), make_fill("-1", "110", tid=2, startPosition="2.0", dir="Close Long",
                                                     closedPnl="10.0", time=1_760_130_000_500)]  # fmt: skip
    node = {
        "fills.jsonl": b"".join(json.dumps(["0xa", fill]).encode() + b"\n" for fill in fills),
        "after.json": json.dumps({"0xa": make_state("1000", BTC=("1", "100", "110"))}).encode(),
    }
    trade = {"id": "1", "timestamp": 1_760_130_000_000, "symbol": "BTC/USDT:USDT", "side": "buy", "price": 100.5,
             "amount": 2, "takerOrMaker": "taker", "fee": {"cost": 0.1, "currency": "USDT"}, "info": {}}  # fmt: skip
    ccxt = {"alice.json": json.dumps([trade, {**trade, "id": "2", "side": "sell", "amount": 1}]).encode()}
    out = ("--out", "out.jsonl")
    return (
        Reader("table", table, ("fills.csv", "fills.csv", "mapping.toml"),
               ("import", "csv", "fills.csv", "--mapping", "mapping.toml", *out), 25, "out.jsonl"),
        Reader("node fills", node, tuple(node),
               ("import", "hyperliquid", "fills.jsonl", "--after", "after.json", *out), 20, "out.jsonl"),
        Reader("ccxt trades", ccxt, tuple(ccxt), ("import", "ccxt", "alice.json", *out), 10, "out.jsonl"),
    )  # fmt: skip


def make_state_readers() -> tuple[Reader, ...]:
    """What riskcore itself keeps: vectors and a fuzz run."""
    case = next(iter(walk_cases(next(iter(get_families())))))
    path = f"{case.name}.json"
    vectors = {MANIFEST: make_index([path], "0", {}).encode(), path: case_to_text(case, "0").encode()}
    # the command runs in a folder of its own
    engine = ("env", f"PYTHONPATH={EXAMPLES.parent}", sys.executable, "-m", "riskcore.conformance.engine")
    with TemporaryDirectory() as folder:
        run = start(1, 3, None, Path(folder), 4)
        run.go(1)
        progress = {"run/progress.json": (Path(folder) / "progress.json").read_bytes()}
    inside = {f"vectors/{name}": data for name, data in vectors.items()}
    return (
        Reader("vectors", inside, tuple(inside), ("conform", "--vectors", "vectors", "--", *engine), 2),
        Reader("progress", progress, tuple(progress), ("fuzz", "--resume", "run", "--jobs", "1"), 15),
    )
