"""The obligations as a folder of SMT-LIB 2 scripts, which whoever doubts them decides with a solver of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from riskcore.bad_input import LogError, get_cause
from riskcore.files import write_whole_folder
from riskcore.prover.obligations import Obligation
from riskcore.prover.smtlib import Check, write_script
from specs.laws import LAWS

INDEX = "INDEX.tsv"
COLUMNS = ("obligation", "law", "verdict", "checks", "sha256", "file")

#: What is claimed under the names that are no law's.
SENTENCES = {law.id: law.sentence for law in LAWS} | {
    "FRAME-1": "nothing outside the event's declared footprint changes",
    "REJ-1": "rejected if and only if the guard fails; rejected means state identical; no other exception escapes",
    "EFFECT": "each field has exactly the new value that the contract gives it",
}

README = """Obligations of riskcore as SMT-LIB 2, one file each: what the law says, negated, on each path of the kernel.
Each (check-sat) asks for a counterexample, so each has to answer unsat. To decide them all, with nothing but a solver:

  find . -name '*.smt2' | sort | while read -r file; do
    z3 "$file" | sort | uniq -c | sed "s|^|$file |"       # or: cvc5 --incremental "$file"
  done

INDEX.tsv has each file's number of checks. That no file is another:
  tail -n +2 INDEX.tsv | awk -F '\\t' '{ print $5 "  " $6 }' | sha256sum --check --quiet
That a path can be walked at all is no formula but an example, run by CPython: */WITNESS in `riskcore verify`.
"""


def get_script(obligation: Obligation, checks: Sequence[Check]) -> str:
    """The text of an obligation's file."""
    sentence = SENTENCES.get(obligation.law)
    title = [obligation.name, obligation.law if sentence is None else f"{obligation.law}: {sentence}", obligation.scope]
    return write_script(checks, [" ".join(line.split()) for line in title])


def get_file_name(name: str) -> str:
    return f"{name}.smt2"


def save_script(folder: Path, obligation: Obligation, script: str) -> None:
    path = folder / get_file_name(obligation.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(script.encode())


@contextmanager
def exporting(target: Path) -> Iterator[Path]:
    """A folder to write to, which takes the target's place where the block ends well; else that is as it was.

    Raises ``LogError`` where there is something other than an earlier export, or nothing can be written.
    """
    expected = "a new or empty folder, or an earlier export"
    if target.exists() and not is_replaceable(target):
        got = "another file" if not target.is_dir() else "a folder with other things in it"
        raise LogError(str(target), None, None, expected, got)
    try:
        with write_whole_folder(target) as folder:
            yield folder
    except OSError as error:
        raise LogError(str(target), None, None, expected, get_cause(error)) from None


def is_replaceable(folder: Path) -> bool:
    """Whether a folder is empty, or an export with nothing beside it."""
    if not folder.is_dir():
        return False
    if not any(folder.iterdir()):
        return True
    index = folder / INDEX
    if not index.is_file():
        return False
    first, *rows = index.read_text(errors="replace").split("\n")
    known = {row.rpartition("\t")[2] for row in rows if row} | {INDEX, "README.txt"}
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    return first == "\t".join(COLUMNS) and all(name in known for name in found)


def finish_export(folder: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write the index, whose rows are obligation, law, verdict, checks and hash, and say how the files are decided."""
    lines = ["\t".join(COLUMNS), *sorted("\t".join((*row, get_file_name(row[0]))) for row in rows)]
    (folder / INDEX).write_bytes("".join(f"{line}\n" for line in lines).encode())
    (folder / "README.txt").write_bytes(README.encode())
