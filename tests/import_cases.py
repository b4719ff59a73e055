"""Fills and states in Hyperliquid's shapes, for the tests of imports."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from riskcore.cli import main
from riskcore.units import format_decimal


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["import", *(str(word) for word in words)])


def read(*words: object) -> tuple[int, Any]:
    """The exit code, and what ``--format json`` prints."""
    result = run(*words, "--format", "json")
    assert result.stdout, result.output
    return result.exit_code, json.loads(result.stdout)


def make_fill(size: str, price: str, **members: Any) -> dict[str, Any]:
    """A fill of ``size``, + bought, that opens a position from nothing unless members say otherwise."""
    side = "A" if size.startswith("-") else "B"
    word = "Open Short" if side == "A" else "Open Long"
    usual = {"coin": "BTC", "time": 1_760_130_000_000, "startPosition": "0.0", "dir": word, "closedPnl": "0.0"}
    fill = {**usual, "px": price, "sz": size.removeprefix("-"), "side": side, "hash": "0x0", "oid": 1}
    return {**fill, "crossed": True, "fee": "0.0", "tid": 1, "feeToken": "USDC", **members}


def make_state(value: str, **positions: tuple[str, str, str]) -> dict[str, Any]:
    """An account worth ``value``, with positions of (size, entry, mark), as ``clearinghouseState`` answers."""
    entries = []
    worth = Fraction(0)
    for coin, (size, entry, mark) in positions.items():
        worth += Fraction(size) * Fraction(mark)
        position = {"coin": coin, "szi": size, "entryPx": entry, "leverage": {"type": "cross", "value": 10}}
        entries.append({"position": position | {"positionValue": format_decimal(abs(Fraction(size)) * Fraction(mark))}})
    cash = format_decimal(Fraction(value) - worth)
    return {"assetPositions": entries, "crossMarginSummary": {"accountValue": value, "totalRawUsd": cash}}


def write(path: Path, *lines: object) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path
