"""``riskcore/venues/README.md``: what each preset says of each mechanism, with its line and the case that checks it.

Written by ``python -m tests.venue_table``; a test compares.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
from attrs import frozen

from riskcore.quantities import RATE_ONE
from riskcore.rulebook import MarketRules, Rulebook
from riskcore.units import format_decimal
from riskcore.venues import get_venue
from riskcore.venues.exact import exact
from riskcore.venues.presets import CHOSEN, get_preset_names, get_status, load_preset, split_reference
from riskcore.venues.pricing import FORMULAS, Basis
from specs.laws.choices import CHOICES
from tests.promises.verdicts import get_log, read_verdicts

ROOT = Path(__file__).parent.parent
PRESETS = ROOT / "riskcore" / "venues" / "presets"
PAGE = ROOT / "riskcore" / "venues" / "README.md"
CASES = (
    *sorted((ROOT / "tests" / "vectors" / "cases").glob("*.json")),
    *sorted((ROOT / "tests/vectors").glob("*.json")),
)


@frozen
class Mechanism:
    """A column: the figures that say it, by their path, ``*`` being a market's name, and how they are shown."""

    title: str
    paths: tuple[str, ...]
    show: Callable[..., str]


def show_rate(rate: Any) -> str:
    """As per cent."""
    return f"{format_decimal(exact(str(rate)) * 100)} %"


def show_word(value: Any) -> str:
    """A choice in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).replace("_", " ")


def show_time(milliseconds: Any) -> str:
    """Hours, or seconds."""
    seconds = Fraction(milliseconds, 1000)
    return f"{seconds / 3600} h" if seconds >= 3600 else f"{seconds} s"


def show_amount(amount: Any) -> str:
    """Quote currency, or lots."""
    return format(int(amount), ",") if str(amount).isdigit() else str(amount)


def show_brackets(count: Any, rule: Any) -> str:
    """How many brackets, and what their rates are rates of."""
    words = {"slab": "of the whole", "marginal": "of each part"}
    return "one" if not count else f"{count + 1}, {words[rule]}"


def show_stages(vault: Any, deficits: Any, before: Any, sharing: Any) -> str:
    """The order in which a loss is borne."""
    stages = ["book"]
    stages += ["vault"] if str(vault) != "0" else []
    stages += ["fund"] if before else []
    stages += ["vault takes deficits"] if deficits else []
    stages += ["ADL"] if before else ["ADL, fund"]
    stages += [f"shared by {sharing}"] if sharing != "none" else ["uncovered"]
    return ", ".join(stages)


def both(show: Callable[[Any], str]) -> Callable[..., str]:
    """Several figures of one kind."""
    return lambda *values: " / ".join(map(show, values))


AGAINST = {
    Basis.PRICE: "the requirement at the price",
    Basis.PRICE_AND_FEE: "the requirement at the price and the fee of closing",
    Basis.ENTRY: "the requirement at entry",
}
GROUPS: Mapping[str, tuple[Mechanism, ...]] = {
    "Margin": (
        Mechanism(
            "initial / maintenance",
            ("markets.*.initial_margin_rate", "markets.*.maintenance_margin_rate"),
            both(show_rate),
        ),
        Mechanism("brackets", ("markets.*.tiers", "markets.*.tier_rule"), show_brackets),
        Mechanism(
            "open interest raises initial rates",
            ("markets.*.open_interest_floor", "markets.*.open_interest_cap"),
            lambda low, high: "no" if str(high) == "0" else f"from {show_amount(low)} to {show_amount(high)}",
        ),
        Mechanism(
            "fills lie within",
            ("markets.*.fill_price_band",),
            lambda band: "no bound" if str(band) == "0" else f"{show_rate(band)} of mark",
        ),
    ),
    "Trigger of a liquidation": (
        Mechanism("equity below", ("equity_against",), lambda against: AGAINST[Basis(against)]),
        Mechanism(
            "a mark moves at most",
            ("markets.*.mark_move_limit",),
            lambda limit: "no bound" if str(limit) == "0" else show_rate(limit),
        ),
    ),
    "Stages of a loss": (
        Mechanism(
            "order",
            (
                "rulebook.vault_position_limit",
                "rulebook.vault_takes_deficits",
                "rulebook.insurance_before_adl",
                "rulebook.loss_sharing",
            ),
            show_stages,
        ),
        Mechanism(
            "vault takes over below",
            ("rulebook.takeover_rate", "rulebook.vault_position_limit"),
            lambda rate, limit: "no vault" if str(limit) == "0" else f"{show_rate(rate)} of maintenance",
        ),
        Mechanism("fund pays for fills", ("rulebook.insurance_backs_fills",), show_word),
        Mechanism("fund per market", ("markets.*.insurance_separate",), show_word),
        Mechanism(
            "withdrawals under a loss",
            ("rulebook.withdrawals_wait", "rulebook.withdrawals_are_cut"),
            lambda wait, cut: "wait" if wait else "cut" if cut else "free",
        ),
    ),
    "Size of a liquidation": (
        Mechanism(
            "share of a position",
            ("markets.*.liquidation_share", "markets.*.liquidation_share_floor"),
            lambda share, floor: "whole" if str(share) == "1" else f"{show_rate(share)} above {show_amount(floor)}",
        ),
        Mechanism(
            "then whole for",
            ("rulebook.liquidation_window",),
            lambda window: "no window" if not window else show_time(window),
        ),
        Mechanism("down to the bracket below", ("markets.*.liquidation_tier_step",), show_word),
        Mechanism(
            "of an account in a block",
            ("rulebook.liquidation_block_limit",),
            lambda limit: "no limit" if str(limit) == "0" else show_amount(limit),
        ),
    ),
    "Fees": (
        Mechanism("taker / maker", ("markets.*.taker_fee_rate", "markets.*.maker_fee_rate"), both(show_rate)),
        Mechanism("liquidation", ("markets.*.liquidation_fee_rate",), show_rate),
        Mechanism("to the fund", ("rulebook.insurance_fee_share",), show_rate),
    ),
    "Deleveraging": (
        Mechanism("of the solvent", ("rulebook.adl_solvent",), show_word),
        Mechanism("rank", ("rulebook.adl_rank",), show_word),
        Mechanism("close-out price", ("rulebook.adl_close_out",), show_word),
        Mechanism("size", ("rulebook.adl_size",), show_word),
        Mechanism("payers need profit", ("rulebook.adl_requires_profit",), show_word),
    ),
    "Funding": (
        Mechanism("interval", ("rulebook.funding_interval",), show_time),
        Mechanism("cap", ("rulebook.funding_rate_cap",), show_rate),
        Mechanism("on notional at", ("rulebook.funding_on_index",), lambda index: "index" if index else "mark"),
    ),
}

#: Rules that are functions: by preset, the function, and a case that it reproduces.
RULES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "liquidation price": {
        "binance": ("get_liquidation_price", "binance-lp-1"),
        "bitmex": ("pricing.compute_quote", "price-bitmex-100"),
        "bluefin": ("get_liquidation_price", "liquidations-001"),
        "bybit": ("get_liquidation_price", "cex-isolated-18"),
        "hyperliquid": ("get_liquidation_price", "hl-real-03"),
        "okx": ("get_liquidation_price", "cex-isolated-13"),
    },
    "bankruptcy price": {
        "bitmex": ("get_bankruptcy_price", "price-bitmex-100"),
        "bybit": ("get_bankruptcy_price", "bybit-bk-abc"),
        "dydx": ("get_bankruptcy_quote", "dydx-bankr-07"),
    },
    "size of a liquidation": {
        "drift": ("get_liquidation_size", "drift-base-2"),
        "dydx": ("get_liquidatable_notional", "dydx-poslimit-3"),
        "paradex": ("liquidate", "paradex-share-0.2"),
        "starkex": ("is_healthier", "starknet-liq-1"),
    },
    "trigger of deleveraging": {
        "bybit": ("is_adl_triggered", "bybit-trigger-1"),
        "dydx": ("get_close_out", "dydx-candelev-1"),
        "okx": ("is_adl_triggered", "okx-trigger"),
        "starkex": ("get_health", "starknet-tvtr-01"),
    },
    "score or fairness": {
        "binance": ("get_adl_score", "rank-common-book"),
        "bitmex": ("get_adl_score", "rank-common-book"),
        "hyperliquid": ("get_engine_adl_score", "rank-trap-hl"),
        "hyperliquid_documented": ("get_documented_adl_score", "rank-trap-hl"),
        "starkex": ("is_fair_deleverage", "starknet-delev-1"),
    },
    "rounding": {
        "bluefin": ("apply", "tradesandfee-002"),
        "dydx": ("get_requirements", "dydx-mreq-10"),
        "drift": ("get_rebase", "drift-rebase-01"),
        "hyperliquid": ("make_tiers", "hl-tier-ETH"),
        "starkex": ("get_maintenance_margin", "starknet-risk-1"),
    },
}
#: In which direction, where a venue's module rounds; the others are exact.
ROUNDING = {
    "bluefin": "nine decimals, toward zero",
    "dydx": "requirements up, worth toward zero",
    "drift": "shares down",
    "hyperliquid": "exact; in the preset rates up to a millionth",
    "starkex": "risk and funding down",
}


class Lines:
    """On which line of a preset's file a path stands."""

    def __init__(self, file: Path) -> None:
        text = file.read_text()
        assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n", (
            f"{file} is not indented by one"
        )
        self.by_path: dict[str, int] = {}
        stack: list[list[Any]] = []
        for number, line in enumerate(text.splitlines(), start=1):
            self._note(line.strip(), number, stack)

    def _note(self, line: str, number: int, stack: list[list[Any]]) -> None:
        if line[0] in "]}":
            stack.pop()
            return
        name, _, value = line.partition('": ') if line.startswith('"') and '": ' in line else ("", "", line)
        path = ""
        if stack:
            prefix, kind, count = stack[-1]
            path = f"{prefix}[{count}]" if kind == "[" else f"{prefix}.{name[1:]}" if prefix else name[1:]
            stack[-1][2] += 1
        self.by_path[path] = number
        if value in ("[", "{"):
            stack.append([path, value, 0])


def find_case_lines() -> dict[str, tuple[Path, int]]:
    """Where each case stands."""
    found: dict[str, tuple[Path, int]] = {}
    for file in CASES:
        for number, line in enumerate(file.read_text().splitlines(), start=1):
            start = line.find('"id": "')
            if start >= 0:
                found.setdefault(line[start + 7 :].split('"', 1)[0], (file, number))
    return found


class Page:
    """Cells of the tables, each with its links."""

    def __init__(self) -> None:
        self.cases = find_case_lines()
        self.files = {name: load_preset(name) for name in get_preset_names()}
        self.lines = {name: Lines(PRESETS / f"{name}.json").by_path for name in self.files}
        self.verdicts = read_verdicts()

    def link_case(self, id: str) -> str:
        """The case's id, linked to its line."""
        file, line = self.cases[id]
        return f"[{id}](../../{file.relative_to(ROOT).as_posix()}#L{line})"

    def get_market(self, name: str) -> str:
        """The market with the most figures that cases have, the first of them."""
        file = self.files[name]
        return max(file.markets, key=lambda market: sum(path.startswith(f"markets.{market}.") for path in file.cases))

    def get_cell(self, name: str, mechanism: Mechanism) -> str:
        """The value; of each line that says it the case, or what is known of it instead."""
        market = self.get_market(name)
        paths = [path.replace("*", market) for path in mechanism.paths]
        shown = mechanism.show(*(self._get_value(name, path) for path in paths))
        standings: dict[str, list[str]] = {}
        for path in (path for path in paths if path in self.lines[name]):
            line = self.lines[name][path]
            standings.setdefault(self._get_standing(name, path), []).append(f"[{line}](presets/{name}.json#L{line})")
        known = [f"{', '.join(lines)}: {standing}" for standing, lines in standings.items()]
        return "<br>".join([shown, *(known or ["not in the file, not sourced"])])

    def _get_value(self, name: str, path: str) -> Any:
        """As the file writes it, or the kernel's default; of brackets their count."""
        file = self.files[name]
        if path.endswith(".tiers"):
            return sum(figure.startswith(f"{path}[") and figure.endswith(".floor") for figure in file.figures)
        if path in file.figures:
            return file.figures[path]
        if path == "equity_against":
            return file.equity_against
        field = attrs.fields_dict(Rulebook if path.startswith("rulebook.") else MarketRules)[path.rpartition(".")[2]]
        default: Any = field.default
        return format_decimal(Fraction(default, RATE_ONE)) if str(field.type) == "Rate" else default

    def _get_standing(self, name: str, path: str) -> str:
        file = self.files[name]
        ids = [
            split_reference(reference)[0]
            for checked, references in file.cases.items()
            if checked == path or checked.startswith(f"{path}[")
            for reference in references
        ]
        if ids:
            first, *others = dict.fromkeys(ids)
            return self.link_case(first) + (f" and {len(others)} more" if others else "")
        is_ours = (file.get_source(path) or CHOSEN).startswith(CHOSEN)
        return "ours, not sourced" if is_ours else "sourced, UNVERIFIED"

    def get_group(self, title: str, mechanisms: tuple[Mechanism, ...]) -> str:
        """One table: a venue a line."""
        head = f"| preset | {' | '.join(mechanism.title for mechanism in mechanisms)} |"
        rows = [
            f"| `{name}` | {' | '.join(self.get_cell(name, mechanism) for mechanism in mechanisms)} |"
            for name in self.files
        ]
        return "\n".join([f"## {title}\n", head, "|---" * (len(mechanisms) + 1) + "|", *rows])

    def get_rule(self, rule: str, name: str) -> str:
        """The function of a rule, and the case that it reproduces."""
        found = RULES[rule].get(name)
        if found is None:
            return "as the rulebook says" if rule != "rounding" else "exact"
        function, id = found
        module, _, last = function.rpartition(".")
        holder = (
            get_venue(name.removesuffix("_documented"))
            if not module
            else __import__(f"riskcore.venues.{module}", fromlist=[last])
        )
        source = Path(inspect.getsourcefile(getattr(holder, last)) or "")
        line = inspect.getsourcelines(getattr(holder, last))[1]
        link = f"[{last}]({source.relative_to(PAGE.parent).as_posix()}#L{line})"
        text = f"{ROUNDING[name]}: {link}" if rule == "rounding" else link
        return f"{text}<br>{self.link_case(id)}"

    def get_rules(self) -> str:
        """The table of functions."""
        head = f"| preset | {' | '.join(RULES)} |"
        rows = []
        for name in self.files:
            rules = " | ".join(self.get_rule(rule, name) for rule in RULES)
            rows.append(f"| `{name}` | {rules} |")
        formulas = [f"* Liquidation price against {AGAINST[basis]}: `{FORMULAS[basis]}`" for basis in Basis]
        return "\n".join(
            [
                "## Rules that are functions\n",
                head,
                "|---" * (len(RULES) + 2) + "|",
                *rows,
                "",
                *formulas,
            ]
        )

    def get_promises(self) -> str:
        """The table of verdicts."""
        head = f"| preset | {' | '.join(choice.id for choice in CHOICES)} |"
        rows = [
            f"| `{name}` | {' | '.join(self._get_verdict(name, choice.id) for choice in CHOICES)} |"
            for name in self.files
        ]
        laws = [f"* {choice.id}: {choice.sentence}. Holds where {choice.condition}." for choice in CHOICES]
        return "\n".join(["## What each promises\n", *laws, "", head, "|---" * (len(CHOICES) + 1) + "|", *rows])

    def _get_verdict(self, name: str, law: str) -> str:
        line = self.verdicts.get(name, {}).get(law)
        if line is None:
            return "not judged"
        log = get_log(name, law)
        return f"[{line.verdict}](../../{log.relative_to(ROOT).as_posix()})" if log.exists() else line.verdict

    def get_presets(self) -> str:
        """Which presets there are."""
        rows = [
            f"| [`{name}`](presets/{name}.json) | {file.venue} | {file.date} | {get_status(file)} "
            f"| {len(file.cases)} of {len(file.figures)} | {self.get_market(name)} |"
            for name, file in self.files.items()
        ]
        head = "| preset | venue | as of | status | figures with a case | market shown |"
        return "\n".join([head, "|---|---|---|---|---|---|", *rows])


INTRODUCTION = """\
# Venues as rulebooks

Written by `python -m tests.venue_table`, checked by a test. Each cell has the value, the lines of the preset that say
it, and the case that has the figure: the preset names the place in the case, and the tests play the case. "sourced,
UNVERIFIED": the preset names a source, and no case has the figure. "ours, not sourced": chosen here, and the preset
says why. "not in the file": as the kernel has it unless told otherwise. A preset is VERIFIED where cases have at least
five of its figures. `riskcore rulebook show NAME` prints every figure with its source.
"""

PROMISES = """\
PROVED is the proof that `riskcore verify` makes too. REFUTED links to a log of one event that the kernel accepts under
the preset, and after which the law is broken; `riskcore replay` takes it. Judged by `python -m tests.promises`, some
forty seconds a preset.
"""


def get_page() -> str:
    """The whole page."""
    page = Page()
    groups = [page.get_group(title, mechanisms) for title, mechanisms in GROUPS.items()]
    parts = [
        INTRODUCTION + "\n" + page.get_presets(),
        *groups,
        page.get_rules(),
        page.get_promises() + "\n\n" + PROMISES.rstrip(),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(get_page())
