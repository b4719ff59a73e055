"""``riskcore price``: the position that is asked about, and its figures with the formulas' terms."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import attrs
from attrs import frozen
from rich.console import Console
from rich.table import Table

from riskcore.bad_input import Fault, LogError, Malformed, get_cause, printable, within
from riskcore.codec import require_fields
from riskcore.files import get_length
from riskcore.rulebook_show import find_rulebook, get_shown_status
from riskcore.strict_json import LOG_DIGITS, describe, read_object
from riskcore.units import format_decimal, parse_decimal
from riskcore.venues.accounts import AccountQuote, PositionQuote, quote_accounts
from riskcore.venues.answers import read_data
from riskcore.venues.loading import Accounts, read_ccxt_account, read_hyperliquid_account
from riskcore.venues.pricing import FORMULAS, Basis, Position, Quote, compute_quote, make_position

REQUIRED = ("venue", "market", "side", "size", "entry", "margin")
_NUMBERS = ("size", "entry", "margin", "mark")
#: Decimals of a number that has no end.
_DECIMALS = 8
_MOST = 100_000


@frozen
class Question:
    """A position, and whose rules are asked."""

    venue: str
    market: str
    position: Position


def make_question(members: dict[str, object]) -> Question:
    """The question that named values ask: integers or decimal strings. ``Fault`` names what is missing or wrong."""
    require_fields(members, REQUIRED, "a position", ("mark",))
    texts: dict[str, str] = {}
    for name, value in members.items():
        is_number = name in _NUMBERS
        if type(value) is int and is_number:
            texts[name] = str(value)
        elif type(value) is str and value:
            if is_number:
                with within(name):
                    parse_decimal(value)
            texts[name] = value
        else:
            expected = "an integer or a decimal string" if is_number else "a name"
            raise Fault(expected, describe(value), name)
    side, size, entry, margin = (texts[name] for name in REQUIRED[2:])
    return Question(texts["venue"], texts["market"], make_position(side, size, entry, margin, texts.get("mark")))


def read_question(path: Path) -> Question:
    """The question that a JSON object asks. ``LogError`` where it cannot be read."""
    file = str(path)
    if get_length(path, "a readable file") > _MOST:
        raise LogError(file, None, None, f"a position of at most {_MOST:,} bytes", "more")
    try:
        return read_object(path.read_bytes(), LOG_DIGITS, make_question)
    except OSError as error:
        raise LogError(file, None, None, "a readable file", get_cause(error)) from None
    except Malformed as fault:
        raise LogError(file, fault.row, None, fault.expected, fault.got) from None
    except Fault as fault:
        raise LogError(file, None, fault.field, fault.expected, fault.got) from None


def answer(question: Question, path: Path | None = None) -> tuple[Quote, str]:
    """The figures, and whether the venue's are verified. ``LogError`` for an unknown venue, ``Fault`` for a market.

    ``path``: of the file that names the venue, if one does.
    """
    try:
        file = find_rulebook(question.venue)
    except LogError as error:
        if path is None:
            raise
        raise LogError(str(path), None, f"venue: {error.place}", error.expected, error.got) from None
    quote = compute_quote(file, question.market, question.position)
    return quote, get_shown_status(file, question.venue)


def to_json(question: Question, quote: Quote, status: str) -> dict[str, object]:
    """The object that ``--format json`` prints: decimal strings, ``p/q`` where a number has no end."""
    numbers = {
        "liquidation_price": quote.liquidation_price,
        "bankruptcy_price": quote.bankruptcy_price,
        "equity": quote.equity,
        "initial_margin": quote.initial_margin,
        "maintenance_margin": quote.maintenance_margin,
        "leverage": quote.leverage,
        "adl_score": quote.adl_score,
    }
    terms = {"rate": quote.rate, "deduction": quote.deduction, "fee": quote.fee}
    return {
        "venue": question.venue,
        "status": status,
        "market": question.market,
        **{name: None if number is None else format_decimal(number) for name, number in numbers.items()},
        "is_liquidatable": quote.is_liquidatable,
        "adl_rank": quote.adl_rank.value,
        "formula": FORMULAS[quote.basis],
        "terms": {name: format_decimal(number) for name, number in terms.items()},
    }


def print_quote(question: Question, quote: Quote, status: str, console: Console) -> None:
    """The figures, one a line, with the formulas behind them."""
    held, notional = quote.position, abs(quote.position.size) * quote.position.mark
    side = "long" if held.size > 0 else "short"
    size, entry, margin, mark = map(show_number, (abs(held.size), held.entry, held.margin, held.mark))
    head = f"{question.venue} ({status}), {question.market}: {side} {size} from {entry}, margin {margin}, mark {mark}"
    console.print(printable(head) + "\n", soft_wrap=True, markup=False)
    terms = f"rate {show_number(quote.rate)}, deduction {show_number(quote.deduction)}"
    if quote.basis is Basis.PRICE_AND_FEE:
        terms += f", fee {show_number(quote.fee)}"
    rows = [
        ("liquidation price", quote.liquidation_price, f"{FORMULAS[quote.basis]}; {terms}, size {_sign(held.size)}"),
        ("bankruptcy price", quote.bankruptcy_price, "entry - margin / size, zero at least"),
        ("equity", quote.equity, "margin + size * (mark - entry)"),
        ("initial margin", quote.initial_margin, f"of a notional of {show_number(notional)}"),
        ("maintenance margin", quote.maintenance_margin, "of the same"),
        ("leverage", quote.leverage, "notional / equity"),
        ("ADL score", quote.adl_score, quote.adl_rank.value),
    ]
    for name, number, text in rows:
        shown = "none" if number is None else show_number(number)
        console.print(f"{name:<20}{shown:<24}{text}", soft_wrap=True, markup=False)
    if quote.is_liquidatable:
        console.print("\nbelow what the venue requires at this mark", markup=False)


def read_accounts(path: Path, wallet: Fraction | None) -> Accounts:
    """The accounts of a file: an array is ccxt's positions, an object with ``assetPositions`` Hyperliquid's state.

    ``wallet``: what ccxt's cross positions share. ``LogError`` where the file is neither, or misses something.
    """
    file, data = str(path), read_data(path)
    try:
        if isinstance(data, list):
            return read_ccxt_account(data, {}, wallet)
        if isinstance(data, dict) and "assetPositions" in data:
            accounts = Accounts({}, {}, {})
            read_hyperliquid_account(data, "account", accounts)
            return accounts
    except Fault as fault:
        raise LogError(file, None, fault.field, fault.expected, fault.got) from None
    expected = "an array of ccxt's positions, or Hyperliquid's clearinghouseState with its assetPositions"
    raise LogError(file, None, None, expected, describe(data))


def answer_accounts(venue: str, data: Accounts, path: Path) -> tuple[list[AccountQuote], str]:
    """Every account of ``path`` under a venue's rules, and whether its figures are verified.

    ``LogError`` for what is unknown.
    """
    file = find_rulebook(venue)
    try:
        return quote_accounts(file, data), get_shown_status(file, venue)
    except Fault as fault:
        raise LogError(f"{path} by {venue}", None, fault.field, fault.expected, fault.got) from None


def accounts_to_json(venue: str, quotes: list[AccountQuote], status: str) -> dict[str, object]:
    """The object that ``--format json`` prints: decimal strings, ``p/q`` where a number has no end."""

    def show(number: Fraction | None) -> str | None:
        return None if number is None else format_decimal(number)

    def show_position(position: PositionQuote) -> dict[str, object]:
        members = attrs.asdict(position)
        return {name: show(value) if name != "market" else value for name, value in members.items()}

    return {
        "venue": venue,
        "status": status,
        "accounts": [
            {
                "account": quote.id,
                "equity": show(quote.equity),
                "maintenance_margin": show(quote.maintenance_margin),
                "required": show(quote.required),
                "leverage": show(quote.leverage),
                "is_liquidatable": quote.is_liquidatable,
                "positions": [show_position(position) for position in quote.positions],
            }
            for quote in quotes
        ],
    }


def print_accounts(venue: str, quotes: list[AccountQuote], status: str, console: Console) -> None:
    """An account a paragraph, a position a line."""
    console.print(printable(f"{venue} ({status})"), markup=False)
    if not quotes:
        console.print("\nno positions")
    for quote in quotes:
        leverage = "none" if quote.leverage is None else show_number(quote.leverage)
        head = f"{quote.id}: equity {show_number(quote.equity)}, required {show_number(quote.required)}, "
        below = ", below what the venue requires" if quote.is_liquidatable else ""
        console.print(f"\n{printable(head)}leverage {leverage}{below}", soft_wrap=True, markup=False)
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("market", "size", "entry", "mark", "liquidation", "as told", "bankruptcy", "ADL score"):
            table.add_column(title)
        for position in quote.positions:
            numbers = (position.entry, position.mark, position.liquidation_price, position.told)
            rest = (position.bankruptcy_price, position.adl_score)
            shown = ["none" if number is None else show_number(number) for number in (*numbers, *rest)]
            table.add_row(printable(position.market), _sign(position.size), *shown)
        console.print(table)


def _sign(size: Fraction) -> str:
    return ("+" if size > 0 else "") + show_number(size)


def show_number(number: Fraction) -> str:
    """The decimal, or its first places and dots where it goes on."""
    text = format_decimal(number)
    if "/" not in text:
        return text
    cut = abs(number) * 10**_DECIMALS
    whole = cut.numerator // cut.denominator
    digits = f"{whole:0{_DECIMALS + 1}d}"
    return f"{'-' if number < 0 else ''}{digits[:-_DECIMALS]}.{digits[-_DECIMALS:]}..."
