"""Print how many of the peers' figures agree: ``python -m tests.vectors [FOLDER]``, of files like those in cases."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.vectors.play import FOLDER
from tests.vectors.table import show

if __name__ == "__main__":
    sys.exit(0 if show(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER) else 1)
