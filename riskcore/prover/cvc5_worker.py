"""A process that only decides: scripts come in, each with cvc5's options for it, and one word goes out.

Run as a file of its own, so that nothing of the kernel is loaded and whoever asks can end it at any time.
"""

from __future__ import annotations

import signal
import sys
from typing import Any, BinaryIO

import cvc5


def main(questions: BinaryIO, answers: BinaryIO) -> None:
    """A question is a line of options, a line with its seconds and its length in bytes, and so many bytes of script.

    Its seconds are the processor's: past them the process ends in the middle of whatever it does.
    """
    answers.write(b"ready\n")
    answers.flush()
    while header := questions.readline():
        options = dict(pair.split("=", 1) for pair in header.decode().split())
        seconds, length = questions.readline().split()
        script = questions.read(int(length)).decode()
        set_alarm(float(seconds))
        answer = decide(script, options)
        set_alarm(0)
        answers.write(answer.encode() + b"\n")
        answers.flush()


def set_alarm(seconds: float) -> None:
    """End the process after so much of the processor's time, where the system can; whoever asks has a clock too."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


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
