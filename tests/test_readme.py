"""What the README shows is what happens."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from riskcore.cli import main
from tests.test_architecture import KERNEL

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def get_blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("block", get_blocks("python"))
def test_an_example_prints_what_it_says(block: str) -> None:
    expected = re.findall(r"# prints (.*)", block)
    result = subprocess.run([sys.executable, "-c", block], cwd=ROOT, capture_output=True, text=True, check=True)

    assert expected
    assert expected == result.stdout.splitlines()


def test_the_commands_name_what_exists() -> None:
    commands = " ".join(get_blocks("sh"))

    assert (ROOT / "examples" / "crash.jsonl").exists()
    assert "riskcore replay examples/crash.jsonl" in commands
    assert "riskcore explain examples/crash.jsonl --event 5655 --under hyperliquid" in commands
    assert "riskcore replay examples/crash.jsonl --report crash.html" in commands
    assert "riskcore replay fills.jsonl --report fills.html" in commands
    assert (ROOT / "examples" / "scenarios" / "crash.toml").exists()
    assert "riskcore simulate examples/scenarios/crash.toml --out crash.jsonl" in commands
    assert "riskcore picture crash.jsonl --out crash.svg" in commands
    assert "pip install '.[test]' && .venv/bin/pytest" in commands
    assert ".venv/bin/pytest" in commands


def test_the_modules_in_reading_order_are_all_there_is_to_the_kernel() -> None:
    (listing,) = re.findall(r"reading order: (.*?), all in", README, re.DOTALL)
    names = re.findall(r"`(\w+)`", listing)

    assert list(KERNEL) == names
    assert all((ROOT / "riskcore" / f"{name}.py").exists() for name in names)
    for link in re.findall(r"\]\((\S+?)\)", README):
        assert (ROOT / link).exists()


def ask_price(venue: str) -> str:
    (command,) = re.findall(r"riskcore (price --venue .*)", " ".join(get_blocks("sh")))
    words = command.split()
    words[words.index("hyperliquid")] = venue
    result = CliRunner().invoke(main, words)

    assert 0 == result.exit_code
    return result.stdout


def test_the_prices_are_those_that_the_command_prints() -> None:
    page, _ = get_blocks("text")
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", README, re.MULTILINE)

    assert page == ask_price("hyperliquid")
    assert 3 == len(rows)
    for venue, price in rows:
        assert f"\nliquidation price   {price} " in ask_price(venue)


def test_what_is_made_from_market_data_is_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = [block for block in get_blocks("sh") if "rulebook from" in block]
    _, page = get_blocks("text")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    results = [CliRunner().invoke(main, line.split()[1:]) for line in block.splitlines()]

    assert [0, 0] == [result.exit_code for result in results]
    shown = [line.rstrip() for line in results[-1].stdout.splitlines()]
    assert page.splitlines() == shown
