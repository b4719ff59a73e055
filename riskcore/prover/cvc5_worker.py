"""A process that only decides: scripts come in, each with cvc5's options for it, and one word goes out.

Run as a file of its own, so that nothing of the kernel is loaded and whoever asks can end it at any time.
"""

from __future__ import annotations

import sys
from typing import Any, BinaryIO

import cvc5


def main(questions: BinaryIO, answers: BinaryIO) -> None:
    """Each question is three lines' worth: its options, its length in bytes, and so many bytes of script."""
    while header := questions.readline():
        options = dict(pair.split("=", 1) for pair in header.decode().split())
        script = questions.read(int(questions.readline())).decode()
        answers.write(decide(script, options).encode() + b"\n")
        answers.flush()


def decide(script: str, options: dict[str, str]) -> str:
    """What the script's one question is answered; ``error`` and why, where it cannot be read."""
    try:
        solver: Any = cvc5.Solver(cvc5.TermManager())
        for name, value in options.items():
            solver.setOption(name, value)
        parser = cvc5.InputParser(solver)
        parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, script, "obligation")
        said = ""
        while not (command := parser.nextCommand()).isNull():
            said += command.invoke(solver, parser.getSymbolManager())
    except Exception as error:  # whatever cvc5 does not like is an answer too
        return f"error {' '.join(str(error).split())}"
    return " ".join(said.split())


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
