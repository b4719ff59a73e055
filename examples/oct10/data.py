"""The two data files, read strictly: dollars as exact fractions; of a file that is wrong, one sentence says where."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

from attrs import frozen

from examples.oct10.reading import (
    describe,
    parse,
    read_count,
    read_flag,
    read_list,
    read_number,
    read_positive,
    read_text,
    take,
)
from examples.oct10_study import FILE
from riskcore.bad_input import Fault, LogError, Malformed, get_cause, printable, quote
from riskcore.files import get_length

FIGURES = "oct10_reference_figures.json"
COLUMNS = ("account", "adl_notional_usd", "closed_pnl_usd", "account_value_usd", "adl_fills", "negative_equity")
_LARGEST_FILE = 100_000_000


@frozen
class Row:
    """One account: dollars, but for ``fills``. ``is_negative``: whether a fill of it was at negative equity."""

    account: str
    notional: Fraction
    profit: Fraction
    value: Fraction
    fills: int
    is_negative: bool


@frozen
class Coin:
    name: str
    notional: Fraction
    profit: Fraction
    accounts: int
    fills: int


@frozen
class Wave:
    """Dollars, each to the cent. ``largest``: the largest loss of one account in ``deficit``.

    ``needed``: what closing at the execution price cost against the mark; ``production``: what winners had less than
    if nobody had been deleveraged.
    """

    number: int
    start: int
    end: int
    deficit: Fraction
    largest: Fraction
    needed: Fraction
    production: Fraction
    overshoot: Fraction


@frozen
class Published:
    """The reference figures; ``totals`` by name, in dollars or as they are."""

    title: str
    window: str
    sources: tuple[tuple[str, str], ...]
    cautions: tuple[str, ...]
    coins: tuple[Coin, ...]
    waves: tuple[Wave, ...]
    below: tuple[int, ...]
    totals: dict[str, Fraction]


@frozen
class Data:
    """``text``: the accounts' file as it stands, for whoever reads it by other rules. ``hashes``: SHA-256 by file."""

    rows: tuple[Row, ...]
    published: Published
    text: str
    hashes: tuple[tuple[str, str], ...]


#: Where each total stands, and the name by which the study calls it.
TOTALS = {
    "accounts": ("adl_fills", "unique_users"),
    "fills": ("adl_fills", "count"),
    "notional": ("adl_fills", "notional_usd"),
    "coins": ("adl_fills", "tickers"),
    "profit": ("adl_fills", "realised_pnl_usd"),
    "profitable": ("adl_fills", "profitable_share"),
    "leverage": ("adl_fills", "median_leverage"),
    "liquidated": ("liquidation_fills", "notional_usd"),
    "liquidated_loss": ("liquidation_fills", "pnl_usd"),
    "exact_notional": ("concentration_recomputed", "total"),
    "top10": ("concentration_recomputed", "top10"),
    "top100": ("concentration_recomputed", "top100"),
    "top1pct": ("concentration_recomputed", "top1pct"),
    "largest": ("concentration_recomputed", "largest"),
    "deficit": ("chitra_totals", "total_deficit"),
    "needed": ("chitra_totals", "total_needed"),
    "production": ("chitra_totals", "total_production"),
    "overshoot": ("chitra_totals", "overshoot_h0"),
    "queue_model": ("chitra_totals", "queue_model_overshoot"),
}


def read_data(folder: Path) -> Data:
    """Both files of the folder. Raises ``LogError``."""
    if not folder.is_dir():
        raise LogError(str(folder), None, None, f"a folder that holds {FILE} and {FIGURES}", "none")
    texts = {name: _read(folder / name) for name in (FILE, FIGURES)}
    return Data(
        _read_rows(texts[FILE], folder / FILE),
        _read_published(texts[FIGURES], folder / FIGURES),
        texts[FILE],
        tuple((name, sha256(text.encode()).hexdigest()) for name, text in texts.items()),
    )


def _read(path: Path) -> str:
    length = get_length(path, "a data file")
    if length > _LARGEST_FILE:
        raise LogError(str(path), None, None, f"at most {_LARGEST_FILE:,} bytes", f"{length:,}")
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise LogError(str(path), None, None, "UTF-8", f"invalid UTF-8 at byte {error.start + 1:,}") from None
    except OSError as error:
        raise LogError(str(path), None, None, "a data file", get_cause(error)) from None


# The accounts


def _read_rows(text: str, path: Path) -> tuple[Row, ...]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    seen: set[str] = set()
    try:
        for name in COLUMNS:
            if name not in (reader.fieldnames or ()):
                raise Fault(f"the columns {', '.join(COLUMNS)}", f"none of the name {name}")
        for members in reader:
            if None in members or None in members.values():
                raise Fault(f"{len(reader.fieldnames or ())} values", "another number of them")
            row = _read_row(members)
            if row.account in seen:
                raise Fault("each account once", f"{quote(row.account)} twice")
            seen.add(row.account)
            rows.append(row)
    except Fault as fault:
        raise LogError(str(path), reader.line_num or 1, fault.field, fault.expected, fault.got) from None
    except csv.Error as error:
        raise LogError(str(path), reader.line_num or 1, None, "comma-separated values", printable(str(error))) from None
    if not rows:
        raise LogError(str(path), None, None, "an account", "none")
    return tuple(rows)


def _read_row(members: dict[str, str]) -> Row:
    return Row(
        take(members, "account", read_text),
        take(members, "adl_notional_usd", read_positive),
        take(members, "closed_pnl_usd", read_number),
        take(members, "account_value_usd", read_number),
        take(members, "adl_fills", read_count),
        take(members, "negative_equity", read_flag),
    )


# The published figures


def _read_published(text: str, path: Path) -> Published:
    try:
        return _decode(parse(text))
    except Malformed as fault:
        raise LogError(str(path), fault.row, None, fault.expected, fault.got) from None
    except Fault as fault:
        raise LogError(str(path), None, fault.field, fault.expected, fault.got) from None


def _decode(members: object) -> Published:
    totals = {name: take(members, part, _at(at)) for name, (part, at) in TOTALS.items()}
    band = take(members, "chitra_totals", lambda own: take(own, "overshoot_band", read_list(read_number)))
    if len(band) != 2:
        raise Fault("two numbers", f"{len(band)}", "chitra_totals.overshoot_band")
    waves = take(members, "waves_horizon0", read_list(_decode_wave))
    if not waves or [wave.number for wave in waves] != sorted({wave.number for wave in waves}):
        raise Fault("waves, each once and in order", "others", "waves_horizon0")
    if not any(wave.needed for wave in waves):
        raise Fault("a wave with a needed budget", "none", "waves_horizon0")
    return Published(
        take(members, "title", read_text),
        take(members, "window_utc", read_text),
        take(members, "sources", _read_sources),
        take(members, "cautions", read_list(read_text)),
        take(members, "per_coin", read_list(_decode_coin)),
        waves,
        take(members, "waves_production_below_needed", read_list(read_count)),
        totals | {"overshoot_low": band[0], "overshoot_high": band[1]},
    )


def _at(name: str) -> Callable[[object], Fraction]:
    return lambda members: take(members, name, read_number)


def _read_sources(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise Fault("an object", describe(value))
    return tuple((name, take(value, name, read_text)) for name in value)


def _decode_coin(members: object) -> Coin:
    return Coin(
        take(members, "coin", read_text),
        take(members, "adl_notional", read_positive),
        take(members, "closed_pnl", read_number),
        take(members, "users", read_count),
        take(members, "events", read_count),
    )


def _decode_wave(members: object) -> Wave:
    wave = Wave(
        take(members, "wave", read_count),
        take(members, "t_start_ms", read_count),
        take(members, "t_end_ms", read_count),
        take(members, "deficit", read_positive),
        take(members, "max_single_loss", read_positive),
        take(members, "needed", read_positive),
        take(members, "production", read_positive),
        take(members, "overshoot", read_number),
    )
    if wave.largest > wave.deficit:
        raise Fault("no more than the deficit", "more", "max_single_loss")
    return wave
