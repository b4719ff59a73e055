"""An explanation as people read it, from the event down to the laws.

Amounts are in quote currency, exact; prices in quote currency per base unit where the log's header gives the market's
lot, else in atoms per lot; the numbers of a condition are the kernel's own, atoms and lots.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction

from rich.console import Console, Group, RenderableType
from rich.text import Text

from riskcore.bad_input import escape, printable
from riskcore.codec import get_members
from riskcore.columns import add_row, make_table
from riskcore.explain.accounts import AccountMargin, Figures, PositionMargin, Requirement
from riskcore.explain.clauses import Clause, Comparison
from riskcore.explain.explanation import Explanation
from riskcore.explain.queue_text import list_queue
from riskcore.explain.roundings import Rounding, Roundings
from riskcore.explain.stages_text import list_closes, list_stages
from riskcore.explain.tables import Scale, join_comparisons
from riskcore.explain.under import Under
from riskcore.journal import Pay, Reserve
from riskcore.quantities import RATE_ONE, Atoms
from riskcore.rules import Rule
from riskcore.units import format_decimal

#: Roundings of one kind, by which nothing moves, that the text shows one by one.
_ROUNDINGS = 4
#: What a forced close, or the payment of a debt, rests on.
_REASONS = {Rule.NOT_LIQUIDATABLE: "Why it may be liquidated", Rule.NO_DEFICIT: "Why a deficit is paid"}
#: What sends an account on to this stage, and lets it stay here.
_STAGES = (
    Rule.BOOK_NOT_EXHAUSTED,
    Rule.WORSE_THAN_BANKRUPTCY,
    Rule.VAULT_NOT_DUE,
    Rule.VAULT_TAKES_NO_DEFICIT,
    Rule.VAULT_LIMIT,
    Rule.VAULT_NOT_EXHAUSTED,
    Rule.INSURANCE_OPEN_POSITION,
    Rule.INSURANCE_EXHAUSTED,
    Rule.INSURANCE_NOT_EXHAUSTED,
    Rule.ADL_SOLVENT,
    Rule.QUEUE_NOT_EXHAUSTED,
    Rule.NOT_FLAT,
)


def print_explanation(found: Explanation, console: Console) -> None:
    """The whole page."""
    moment, scale = found.moment, Scale(found.moment.units)
    event = escape(json.dumps(get_members(moment.event), ensure_ascii=False))
    where = f"Event {moment.number:,} of {printable(moment.file)}, line {moment.line:,}"
    console.print(Text(where, "bold"))
    console.print(Text(event), soft_wrap=True)
    console.print(_get_verdict(found))
    for title, part in _list_sections(found, scale):
        console.print()
        console.print(Text(title, "bold"))
        console.print(part, soft_wrap=isinstance(part, Text))


def _get_verdict(found: Explanation) -> Text:
    if found.rejected is None:
        return Text("ACCEPTED", "green")
    text = Text(f"REJECTED: {found.rejected.name}", "red")
    return text.append(f", {found.rejected.value}", "default")


def _list_sections(found: Explanation, scale: Scale) -> Iterator[tuple[str, RenderableType]]:
    if found.rejected is not None and found.clauses:
        yield "Why it was rejected", _show_clause(found.clauses[-1])
    if found.margin is not None:
        yield f"{printable(found.margin.account)} just before (quote currency)", _show_margin(found.margin, scale)
    for clause in found.clauses:
        if clause.rule in _REASONS and clause.holds:
            yield _REASONS[clause.rule], _show_clause(clause)
    if found.opened is not None:
        text = f"judged when the deleveraging was opened: explain event {found.opened:,}"
        yield "Why this stage", Text(text)
    if found.stages:
        yield "What each stage had left", list_stages(found.stages, scale)
    judged = [_show_clause(clause) for clause in found.clauses if clause.rule in _STAGES]
    if judged and found.rejected is None:
        yield "Why this stage (atoms and lots)", Text("\n").join(judged)
    if found.chosen is not None:
        yield "Why this counterparty", Text(printable(found.chosen))
    if found.queue is not None:
        yield "Why this counterparty: the queue", list_queue(found.queue, scale)
    if found.closes:
        yield "Who took the lots, against mark", list_closes(found.closes, scale)
    if found.lines:
        yield "What it did", _show_lines(found, scale)
    if found.roundings.made or found.roundings.even:
        yield "What was rounded (atoms, lots or shares)", _show_roundings(found.roundings)
    if found.clauses:
        yield "What the kernel asked (atoms and lots)", _show_clauses(found.clauses)
    if found.changes and found.rejected is None:
        yield "Accounts, before and after", _show_changes(found, scale)
    if found.fields:
        yield "Market and venue, before and after (atoms and lots)", _show_fields(found)
    if found.under is not None:
        yield f"Under {printable(found.under.name)} ({found.under.status})", _show_under(found.under, scale)
    yield "Laws that speak of it", _show_laws(found)


def _show_clause(clause: Clause) -> Text:
    lines = [f"{clause.rule.name}: {clause.where} requires {clause.text}"]
    lines += [f"  {_show_comparison(comparison)}" for comparison in clause.comparisons]
    return Text(printable_lines(lines))


def printable_lines(lines: list[str]) -> str:
    """The lines, each of them escaped where a terminal would obey it."""
    return "\n".join(map(printable, lines))


def _show_comparison(comparison: Comparison) -> str:
    holds = "yes" if comparison.holds else "no"
    return f"{comparison.text}: {comparison.numbers}, {holds}  ({comparison.where})"


def _show_margin(margin: AccountMargin, scale: Scale) -> Group:
    table = make_table(["", ""], ["amount"], ["how"])
    add_row(table, "balance", "", scale.amount(margin.balance), "")
    for one in margin.positions:
        market, price = printable(one.market), scale.price(one.market, one.mark)
        held = f"{one.size:+,} lots at {price}, entered at {scale.price(one.market, one.entry_price)}"
        add_row(table, "+ value at mark", market, scale.amount(one.size * one.mark), held)
        add_row(
            table, "- funding owed", market, scale.amount(one.funding_owed), "not settled yet; below zero, owed to it"
        )
    add_row(table, "= equity", "", scale.amount(margin.equity), "")
    for one in margin.positions:
        needed = _show_requirement(one.maintenance)
        add_row(table, "  maintenance", printable(one.market), scale.amount(one.maintenance.amount), needed)
    spare = f"{'below' if margin.is_liquidatable else 'at or above'} maintenance of {scale.amount(margin.maintenance)}"
    add_row(table, "= distance", "to maintenance", scale.amount(margin.spare), spare)
    for one in margin.positions:
        needed = _show_requirement(one.initial)
        add_row(table, "  initial", printable(one.market), scale.amount(one.initial.amount), needed)
    above = scale.amount(margin.equity - margin.initial)
    add_row(table, "= distance", "to initial", above, f"of {scale.amount(margin.initial)}")
    for one in margin.positions:
        add_row(table, "prices", printable(one.market), "", _show_prices(one, scale))
    return Group(table)


def _show_prices(one: PositionMargin, scale: Scale) -> str:
    """From which mark on the account is below maintenance, and the price that its equity's part pays for."""
    bankruptcy = f"bankruptcy price {scale.price(one.market, one.bankruptcy_price)}"
    if one.liquidation_price is None:
        return f"no mark of it alone decides about maintenance, {bankruptcy}"
    beyond = "below" if one.size > 0 else "above"
    return f"below maintenance at {scale.price(one.market, one.liquidation_price)} and {beyond}, {bankruptcy}"


def _show_requirement(needed: Requirement) -> str:
    """In atoms, as the kernel divides."""
    if not needed.brackets:
        return "no lots"
    terms = [f"{_percent(one.rate)} above {one.floor:,}" for one in needed.brackets]
    terms = terms if len(terms) > 1 or needed.brackets[0].floor else [_percent(needed.brackets[0].rate)]
    text = f"{' + '.join(terms)} of {needed.notional:,} atoms: {show_rounding(needed.exact, needed.amount)}"
    if needed.by_leverage is not None:
        text += f"; by its leverage {format_decimal(needed.by_leverage)}"
    return text


def show_rounding(exact: Fraction, rounded: int) -> str:
    """``301/2 up to 151``, or the number alone where it is one."""
    if exact.denominator == 1 and exact == rounded:
        return f"{rounded:,}"
    return f"{exact.numerator}/{exact.denominator} {'up' if rounded > exact else 'down'} to {rounded:,}"


def _percent(rate: int) -> str:
    return f"{format_decimal(Fraction(100 * rate, RATE_ONE))} %"


def _show_lines(found: Explanation, scale: Scale) -> RenderableType:
    table = make_table(["stage", "reason", "from", "to"], ["amount"], ["lots"])
    for line in found.lines:
        amount = line.amount
        if isinstance(line, Pay):
            who, lots = (line.payer, line.payee) if amount > 0 else (line.payee, line.payer), ""
            amount = Atoms(abs(amount))
        else:
            who = (line.buyer, line.seller)
            lots = f"{line.lots:,} {printable(line.market)} from {printable(line.seller)} to {printable(line.buyer)}"
        add_row(
            table,
            line.stage,
            line.reason,
            *(printable(str(one.value if isinstance(one, Reserve) else one)) for one in who),
            scale.amount(amount),
            lots,
        )
    return table


def _show_roundings(roundings: Roundings) -> RenderableType:
    table = make_table(["what"], ["exact", "rounded to", "times"], ["the fraction is borne by"])
    kinds: dict[str, list[Rounding]] = {}
    for one in roundings.made:
        kinds.setdefault(one.what, []).append(one)
    for what, made in kinds.items():
        if len(made) > _ROUNDINGS and not made[0].moves:
            times = f"{sum(one.times for one in made):,}"
            add_row(table, what, f"{len(made):,} different ones", "", times, made[0].borne_by)
            continue
        for one in made:
            exact = f"{one.exact.numerator}/{one.exact.denominator}"
            add_row(table, what, exact, f"{one.rounded:,}", f"{one.times:,}", one.borne_by)
    note = Text(f"{roundings.even:,} divisions came out even", "dim")
    return Group(table, note) if roundings.made else note


def _show_clauses(clauses: tuple[Clause, ...]) -> RenderableType:
    table = make_table(["rule", "holds"], [], ["with its numbers"])
    for clause in clauses:
        holds = "yes" if clause.holds else "NO"
        add_row(table, clause.rule.name, holds, printable(join_comparisons(clause.comparisons)))
    return table


def _show_changes(found: Explanation, scale: Scale) -> RenderableType:
    table = make_table(["account", "figure"], ["before", "after"])
    for change in found.changes:
        before, after = _list_figures(change.before, scale), _list_figures(change.after, scale)
        for name in dict.fromkeys((*before, *after)):
            old, new = before.get(name, "0"), after.get(name, "0")
            if old != new or name == "equity":
                add_row(table, printable(change.account), name, old, new)
    return table


def _list_figures(figures: Figures, scale: Scale) -> dict[str, str]:
    shown = {name: scale.amount(getattr(figures, name)) for name in ("balance", "equity", "initial", "maintenance")}
    shown |= {f"{printable(market)} lots": f"{size:+,}" for market, size in figures.positions.items()}
    shown |= {"vault shares": f"{figures.shares:,}", "in escrow": scale.amount(figures.escrow)}
    return shown | {"orders": f"{figures.orders:,}"}


def _show_fields(found: Explanation) -> RenderableType:
    table = make_table(["figure"], ["before", "after"])
    for change in found.fields:
        cells = ("-" if value is None else printable(str(value)) for value in (change.before, change.after))
        add_row(table, printable(change.name), *cells)
    return table


def _show_laws(found: Explanation) -> RenderableType:
    table = make_table(["law", "verdict"], [], ["says"])
    for law in found.laws:
        style = "red" if law.verdict.startswith("VIOLATED") else ""
        table.add_row(*(Text(cell, style) for cell in (law.law, law.verdict, law.sentence)))
    return table


def _show_under(under: Under, scale: Scale) -> Group:
    margin = under.margin
    state = "is liquidated" if margin.is_liquidatable else "is not liquidated"
    figures = f"equity {scale.amount(margin.equity)}, maintenance {scale.amount(margin.maintenance)}"
    lines = [f"{margin.account} {state} at this moment: {figures}"]
    for one in margin.positions:
        whose = "its rules" if one.market in under.markets else "the log's rules"
        lines.append(f"{one.market} ({whose}): {_show_prices(one, scale)}")
    for queue in under.queues:
        first = "nobody" if queue.first is None else queue.first
        lines.append(f"{queue.market}: first to be deleveraged against it is {first}, of {queue.eligible:,} eligible")
    told = "would be accepted" if under.rejected is None else f"would be rejected: {under.rejected.name}"
    return Group(Text(printable_lines([*lines, f"the event {told}"])))
