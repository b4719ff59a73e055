"""Look for input that is not refused as it should be, longer than the tests do. Exit codes: 0 none found, 1 some."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from random import Random

from tests.hostile.hunting import try_case
from tests.hostile.readers import make_readers


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--cases", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", help="only this one")
    options = parser.parse_args()
    readers = [one for one in make_readers() if options.reader in (None, one.name)]
    if not readers:
        parser.error("known readers: " + ", ".join(one.name for one in make_readers()))
    codes: Counter[tuple[str, int]] = Counter()
    seen: Counter[str] = Counter()
    for number in range(options.cases):
        random = Random(f"{options.seed}/{number}")
        reader = random.choices(readers, [one.weight for one in readers])[0]
        case = try_case(reader, random)
        codes[reader.name, case.result.exit_code] += 1
        for wrong in case.wrong:
            seen[f"{reader.name}: {wrong[:60]}"] += 1
            if seen[f"{reader.name}: {wrong[:60]}"] == 1:
                shown = case.data if len(case.data) < 3_000 else case.data[:1_500] + b" ... " + case.data[-200:]
                print(f"{options.seed}/{number} {reader.name}, {case.file}: {wrong}\n   {shown!r}"[:1_500], flush=True)
    for reader in readers:
        counts = {code: times for (name, code), times in sorted(codes.items()) if name == reader.name}
        print(f"{reader.name}: exit codes {counts}")
    print(f"{options.cases:,} cases, {sum(seen.values())} met wrongly, in {len(seen)} ways")
    return 1 if seen else 0


if __name__ == "__main__":
    sys.exit(main())
