"""Which mutants are asked for: all, of a module or function, of what has changed since a commit, or a sample."""

from __future__ import annotations

import ast
import random
import re
import subprocess
from itertools import pairwise
from pathlib import Path

from attrs import asdict, frozen

from riskcore.bad_input import LogError
from riskcore.mutation.mutants import Mutant, get_mutants
from riskcore.mutation.planting import get_function_nodes, get_source
from riskcore.mutation.types import KERNEL

_HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", re.MULTILINE)


@frozen
class Wanted:
    """What is asked for; ``None`` means all."""

    module: str | None = None
    function: str | None = None
    changed: str | None = None
    sample: int | None = None
    seed: int = 0

    def get_command(self, by: str) -> str:
        """What was typed, without what changes nothing."""
        options = {name: value for name, value in asdict(self).items() if value is not None}
        return " ".join(["riskcore mutate", *(f"--{name} {value}" for name, value in options.items()), f"--by {by}"])


def get_function_names(module: str) -> tuple[str, ...]:
    return tuple(name for name, _ in get_function_nodes(ast.parse(get_source(KERNEL[module]))))


def select(wanted: Wanted) -> list[Mutant]:
    """The mutants in the order of the source. Raises ``LogError`` where a commit cannot be compared with."""
    modules = [wanted.module] if wanted.module is not None else list(KERNEL)
    found = [one for module in modules for one in get_mutants(module, wanted.function)]
    if wanted.changed is not None:
        changed = {module: get_changed_functions(module, wanted.changed) for module in modules}
        found = [one for one in found if one.function in changed[one.module]]
    return found if wanted.sample is None else take_sample(found, wanted.sample, wanted.seed)


def take_sample(mutants: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """So many, one of each of as many even parts of the source, by the seed; the same everywhere."""
    if count >= len(mutants):
        return mutants
    chance = random.Random(seed)
    ends = [len(mutants) * number // count for number in range(count + 1)]
    return [mutants[chance.randrange(start, end)] for start, end in pairwise(ends)]


def get_changed_functions(module: str, base: str) -> set[str]:
    """The functions of a module whose lines differ from those at a commit."""
    source = get_source(KERNEL[module])
    touched = get_touched_lines(read_difference(Path(str(KERNEL[module].__file__)), base))
    return {
        name
        for name, node in get_function_nodes(ast.parse(source))
        if any(node.lineno <= line <= (node.end_lineno or node.lineno) for line in touched)
    }


def read_difference(path: Path, base: str) -> str:
    """How git says that a file differs from a commit's."""
    command = ["git", "diff", "--unified=0", "--no-color", "--no-ext-diff", "--end-of-options", base, "--", path.name]
    try:
        result = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=False)
    except OSError:
        raise LogError("--changed", None, None, "git, which compares with a commit", "none here") from None
    if result.returncode != 0:
        raise LogError("--changed", None, None, "a commit of the repository that has the kernel", base)
    return result.stdout


def get_touched_lines(difference: str) -> list[int]:
    """The numbers of new lines, and of those around a gap that lines were taken from."""
    lines: list[int] = []
    for start, count in _HUNK.findall(difference):
        size = 1 if count == "" else int(count)
        lines += range(int(start), int(start) + max(size, 2 if size == 0 else size))
    return lines
