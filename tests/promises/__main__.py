"""Judge the presets: ``python -m tests.promises`` what is missing, ``python -m tests.promises NAME...`` these anew.

A preset takes some forty seconds. ``all`` stands for every preset.
"""

from __future__ import annotations

import sys

from riskcore.venues.presets import get_preset_names
from tests.promises.verdicts import judge_all, read_verdicts

if __name__ == "__main__":
    names = tuple(sys.argv[1:])
    unknown = set(names) - {"all", *get_preset_names()}
    if unknown:
        sys.exit(f"no preset: {', '.join(sorted(unknown))}; known: {', '.join(get_preset_names())}")
    judge_all(read_verdicts(), get_preset_names() if "all" in names else names)
