"""A log whose every name is an attack on whoever shows it."""

from __future__ import annotations

from pathlib import Path

from riskcore import events as ev
from riskcore.log import write_log
from riskcore.units import Units
from tests.log_cases import RULEBOOK, RULES, Script

#: What each would do if it ran: say so in the document's title.
DEED = "document.title='taken'"
MARKET = f"</script><script>{DEED}</script>"
ACCOUNTS = (
    f"<img src=x onerror={DEED}>",
    f"\"'><svg onload={DEED}>",
    f"<!--<script>{DEED}",
    f"javascript:{DEED}",
    f"${{{DEED}}}`{{{{7*7}}}}",
    "line\u2028paragraph\u2029\r\nend \x00\x1b[31m\u202egnp.exe",
    "|table|`tick`|*bold*|@someone|#1|https://example.org|]]>",
)


def write_hostile_log(folder: Path) -> Path:
    """Each account trades in a market that is no better, and one of them is deleveraged."""
    script = Script()
    script.add(ev.ListMarket, MARKET, RULES, 1000)
    first, second, *others = ACCOUNTS
    script.add(ev.Deposit, first, 11_600)
    script.add(ev.Deposit, second, 20_000)
    for account in others:
        script.add(ev.Deposit, account, 1)
    script.add(ev.Fill, first, second, MARKET, 100, 1000)
    script.add(ev.Withdraw, first, 11_599)  # rejected: below initial margin
    script.add(ev.MarkPrice, MARKET, 830)
    script.add(ev.CoverDeficit, first)  # rejected: it has a position
    script.add(ev.BeginDeleveraging, first, MARKET, (second,))
    script.add(ev.Deleverage)
    path = folder / "hostile & <b>bold.jsonl"
    write_log(path, RULEBOOK, Units("0.01", {MARKET: "0.001"}), script.events)
    return path
