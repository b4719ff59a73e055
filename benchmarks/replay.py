"""What checking the laws costs: a replay with all of them against one with none, in one process.

    python benchmarks/replay.py [LOG]

Both read, decode and step the same log; turns alternate, and the ratio is of processor
time, turn by turn.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from statistics import median
from time import process_time

from riskcore.monitor import Monitor
from riskcore.replay import MonitorFactory, replay

CRASH = Path(__file__).parent.parent / "examples" / "crash.jsonl"
TURNS = 7


def measure(log: Path, monitor: MonitorFactory | None) -> float:
    gc.collect()
    started = process_time()
    result = replay(log, monitor)
    assert result.events
    return process_time() - started


def main() -> None:
    log = Path(sys.argv[1]) if len(sys.argv) > 1 else CRASH
    turns = [(measure(log, Monitor), measure(log, None)) for _ in range(TURNS)]
    ratios = sorted(checked / plain for checked, plain in turns)
    print(f"all laws  {median(checked for checked, _ in turns):.3f} s")
    print(f"no laws   {median(plain for _, plain in turns):.3f} s")
    print(f"ratio     {median(ratios):.2f} (from {ratios[0]:.2f} to {ratios[-1]:.2f} in {TURNS} turns)")


if __name__ == "__main__":
    main()
