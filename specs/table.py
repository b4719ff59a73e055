"""The table of laws in ``README.md``: each law with the events it is proven for."""

from __future__ import annotations

from pathlib import Path

from riskcore.prover.obligations import get_event_name
from specs.laws import ALL_EVENTS, LAWS

README = Path(__file__).parent / "README.md"
START, END = "<!-- laws: written by `python -m specs.table`, checked by a test -->\n", "<!-- end of laws -->"


def get_table() -> str:
    """A line per law; for the events not named the law is outside the footprint, which is proven instead."""
    lines = ["| id | law | proven for |", "|---|---|---|"]
    for law in LAWS:
        names = sorted(get_event_name(kind) for kind in law.applies)
        applies = "every event" if law.applies == ALL_EVENTS else ", ".join(names)
        lines.append(f"| {law.id} | {law.sentence} | {applies} |")
    lines.append("| FRAME-1 | nothing outside the event's declared footprint changes | every event |")
    lines.append("| REJ-1 | rejected if and only if the guard fails; rejected means state identical | every event |")
    return "\n".join(lines) + "\n"


def get_page(page: str) -> str:
    """The page with the table as it is now."""
    before, rest = page.split(START)
    _, after = rest.split(END)
    return f"{before}{START}{get_table()}{END}{after}"


if __name__ == "__main__":
    README.write_text(get_page(README.read_text()))
