"""Names from a log as a page shows them: nothing in them obeyed, and none so long that it drowns the rest."""

from __future__ import annotations

from typing import Final

from riskcore.bad_input import printable

#: Characters of a name in a chart or a choice.
NAME: Final = 48
#: And of any text elsewhere.
TEXT: Final = 200


def shorten(text: str, limit: int = NAME) -> str:
    """The text as it reads, its end cut off where it is long."""
    shown = printable(text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."
