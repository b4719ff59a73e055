"""``riskcore price``."""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from pathlib import Path

import click

from riskcore.bad_input import Fault, printable
from riskcore.commands.output import (
    BAD_INPUT,
    FORMAT,
    refusing,
    render,
    say,
    show,
)
from riskcore.units import parse_decimal


@click.command("price")
@click.option("--venue", metavar="NAME|FILE", help="A preset, or a rulebook's file with units.")
@click.option("--market", metavar="NAME")
@click.option("--side", type=click.Choice(["long", "short"]))
@click.option("--size", metavar="DECIMAL", help="Base units.")
@click.option("--entry", metavar="DECIMAL", help="Price of the entry.")
@click.option("--margin", metavar="DECIMAL", help="Quote currency that the position can lose.")
@click.option("--mark", metavar="DECIMAL", help="Mark price; default: the entry.")
@click.option("--file", "path", type=click.Path(path_type=Path), help="A JSON object with these instead.")
@click.option("--positions", type=click.Path(path_type=Path), metavar="FILE", help="All of an account: see below.")
@click.option("--wallet", metavar="DECIMAL", help="With ccxt's --positions: balance that cross positions share.")
@FORMAT
def price_command(
    path: Path | None, positions: Path | None, wallet: str | None, output: str, **options: str | None
) -> None:
    """Liquidation and bankruptcy price, margin, leverage and ADL score of one position by a venue's rules.

    With --positions, of every position of an account, as ccxt's fetch_positions or Hyperliquid's clearinghouseState
    give them, each while the others stay as they are; --venue says whose rules.

    Exit codes: 0, 2 bad input.
    """
    from riskcore.price_report import answer, make_question, print_quote, read_question, to_json

    if positions is not None:
        _price_accounts(positions, wallet, path, output, options)
        return
    if wallet is not None:
        raise click.UsageError("--wallet goes with --positions")
    members: dict[str, object] = {name: text for name, text in options.items() if text is not None}
    if path is not None and members:
        raise click.UsageError(f"--file has the whole position, so --{next(iter(members))} is one too many")
    with refusing():
        place = f"{path}: " if path is not None else "--"
        try:
            question = make_question(members) if path is None else read_question(path)
            quote, status = answer(question, path)
        except Fault as fault:
            say(f"Error: {printable(place)}{fault.field}: expected {fault.expected}, got {fault.got}")
            sys.exit(BAD_INPUT)
        if output == "json":
            show(json.dumps(to_json(question, quote, status)) + "\n")
        else:
            show(render(lambda console: print_quote(question, quote, status, console)))


def _price_accounts(
    positions: Path, wallet: str | None, path: Path | None, output: str, options: dict[str, str | None]
) -> None:
    from riskcore.price_report import accounts_to_json, answer_accounts, print_accounts, read_accounts

    venue = options.pop("venue")
    others = [name for name, text in options.items() if text is not None] + (["file"] if path is not None else [])
    if others:
        raise click.UsageError(f"--positions has the positions, so --{others[0]} is one too many")
    if venue is None:
        raise click.UsageError("--positions needs --venue: whose rules are asked")
    with refusing():
        data = read_accounts(positions, None if wallet is None else _read_wallet(wallet))
        quotes, status = answer_accounts(venue, data, positions)
        if output == "json":
            show(json.dumps(accounts_to_json(venue, quotes, status)) + "\n")
        else:
            show(render(lambda console: print_accounts(venue, quotes, status, console)))


def _read_wallet(text: str) -> Fraction:
    try:
        return Fraction(*parse_decimal(text))
    except Fault as fault:
        raise click.UsageError(f"--wallet {text}: expected {fault.expected}") from None
