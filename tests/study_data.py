"""A small day of the same form as the data of 10 October 2025: made up, and such that every sum agrees."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from examples.oct10.data import COLUMNS, FIGURES
from examples.oct10_study import FILE

ACCOUNTS = 60
LOSS = 90_000_00
#: Number, cents of deficit, of the largest loss in it, needed, production.
WAVES = (
    (1, LOSS, LOSS, 20_000_00, 5_000_00),
    (2, LOSS + 1_000_00, LOSS, 10_000_00, 40_000_00),
    (5, 3_000_00, 2_000_00, 1_000_00, 1_500_00),
    (6, LOSS + 500_00, LOSS, 4_000_00, 500_00),
)


def make_rows(seed: int = 1) -> list[list[str]]:
    """Accounts of a few hundred to some hundred thousand dollars; two that no market could hold."""
    random = Random(seed)
    rows = []
    for number in range(ACCOUNTS):
        notional = random.randint(100, 100_000) * (10 if number < 3 else 1)
        profit = notional * random.randint(-5, 90) // 100
        value = notional * random.randint(30, 400) // 100
        rows.append([f"w{number}", f"{notional}.25", f"{profit}.5", f"{value}.75", str(1 + number % 3), "False"])
    rows.append(["dust", "0.5", "0.125", "9", "1", "False"])
    rows.append(["indebted", "500", "100", "-20.5", "1", "True"])
    return rows


def make_figures(rows: list[list[str]]) -> dict[str, Any]:
    """What would be published of the rows and waves; dollars as JSON numbers or texts, as the real file has them."""
    cents = [round(float(row[1]) * 100) for row in rows]
    profit = sum(round(float(row[2]) * 1000) for row in rows)
    whole, largest = sum(cents), sorted(cents, reverse=True)
    totals = [sum(wave[place] for wave in WAVES) for place in (1, 3, 4)]
    leverages = sorted(float(row[1]) / float(row[3]) for row in rows if float(row[3]) > 0)
    return {
        "title": "A made-up day",
        "sources": {"nobody": "made up"},
        "window_utc": "21:15 .. 21:27",
        "liquidation_fills": {"count": 3, "notional_usd": "900000", "pnl_usd": "-5000"},
        "adl_fills": {
            "count": sum(int(row[4]) for row in rows),
            "notional_usd": str(round(whole / 100)),
            "tickers": 2,
            "unique_users": len(rows),
            "realised_pnl_usd": f"{profit / 1000:.3f}",
            "profitable_share": f"{sum(float(row[2]) > 0 for row in rows) / len(rows):.3f}",
            "median_leverage": f"{leverages[len(leverages) // 2]:.2f}",
        },
        "per_coin": [
            make_coin("A", 1, 0, len(rows), sum(int(row[4]) for row in rows) - 1),
            make_coin("B", (whole - 100) / 100, profit / 1000, 1, 1),
        ],
        "concentration_recomputed": {
            "total": whole / 100,
            "users": len(rows),
            "top10": round(sum(largest[:10]) / whole, 4),
            "top100": 1,
            "top1pct": 0,
            "largest": largest[0] / 100,
        },
        "waves_horizon0": [make_wave(*wave) for wave in WAVES],
        "chitra_totals": {
            "total_deficit": f"{totals[0] / 100:.2f}",
            "total_needed": f"{totals[1] / 100:.2f}",
            "total_production": f"{totals[2] / 100:.2f}",
            "overshoot_h0": f"{(totals[2] - totals[1]) / 100:.2f}",
            "overshoot_band": ["12000.00", "15000.00"],
            "queue_model_overshoot": "650000.00",
        },
        "cautions": ["made up, <script>alert(1)</script> and all"],
        "waves_production_below_needed": [1, 6],
    }


def make_coin(name: str, notional: float, profit: float, users: int, events: int) -> dict[str, Any]:
    return {"coin": name, "adl_notional": notional, "closed_pnl": profit, "users": users, "events": events}


def make_wave(number: int, deficit: int, largest: int, needed: int, production: int) -> dict[str, Any]:
    start = 1_760_130_900_000 + number * 10_000
    return {
        "wave": number, "t_start_ms": start, "t_end_ms": start + 500, "deficit": deficit / 100,
        "max_single_loss": largest / 100, "needed": needed / 100, "production": production / 100,
        "overshoot": (production - needed) / 100,
    }  # fmt: skip


def write_rows(folder: Path, rows: list[list[str]]) -> None:
    lines = [",".join(COLUMNS), *(",".join(row) for row in rows)]
    (folder / FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_figures(folder: Path, figures: dict[str, Any]) -> None:
    (folder / FIGURES).write_text(json.dumps(figures), encoding="utf-8")


def write_day(folder: Path) -> Path:
    """Both files."""
    rows = make_rows()
    write_rows(folder, rows)
    write_figures(folder, make_figures(rows))
    return folder
