"""``riskcore replay --report``: a replay as one HTML file that needs nothing else.

``recorder`` watches the replay; ``page`` writes what it saw. Nothing of a log is markup in it: REPORT.md says how.
"""

from importlib.util import find_spec
from typing import Final

#: How every page begins: what begins otherwise is not replaced by one.
MARK: Final = b"<!doctype html>\n<!-- a replay by riskcore -->\n"
_NEEDED: Final = ("altair", "jinja2", "vl_convert")


def is_installed() -> bool:
    """Whether the libraries that draw a page are."""
    return all(find_spec(name) is not None for name in _NEEDED)
