"""The command line. Exit codes: 0 holds, 1 violated, 2 bad input or usage, 3 inconclusive."""

from __future__ import annotations

import io
import sys
from importlib.metadata import PackageNotFoundError, version

import click

from riskcore.commands.comparing import conform_command, fuzz_command, vectors_command
from riskcore.commands.importing import import_group
from riskcore.commands.keeping import convert_command, diff_command
from riskcore.commands.laboratory import policies_command
from riskcore.commands.output import show
from riskcore.commands.playing import picture_command, simulate_command
from riskcore.commands.pricing import price_command
from riskcore.commands.proving import mutate_command, verify_command
from riskcore.commands.replaying import explain_command, replay_command
from riskcore.commands.rulebooks import rulebook_group
from riskcore.commands.stressing import stress_command


def _show_version(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        show(f"riskcore {get_version()}\n")
        context.exit()


def get_version() -> str:
    """The installed distribution's version."""
    try:
        return version("riskcore")
    except PackageNotFoundError:
        return "(not installed)"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
)
def main() -> None:
    """The reference risk engine for perpetual swaps: exact, proven, replayable."""
    # what is read has a limit of its own, and what grows out of that is bounded
    sys.set_int_max_str_digits(0)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


for _command in (
    replay_command,
    explain_command,
    verify_command,
    vectors_command,
    conform_command,
    mutate_command,
    rulebook_group,
    price_command,
    import_group,
    convert_command,
    diff_command,
    simulate_command,
    picture_command,
    fuzz_command,
    policies_command,
    stress_command,
):
    main.add_command(_command)


if __name__ == "__main__":
    main()
