"""Broken input for every reader: refused in a sentence, soon and with little memory, or read; nothing escapes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result

from riskcore.bad_input import Fault, LogError, escape
from riskcore.cli import main
from riskcore.strict_json import parse_object
from tests.hostile.hunting import list_wrong, list_wrong_in_file, run_case, try_case
from tests.hostile.readers import Reader, make_readers

CASES = 600
READERS = make_readers()
BY_NAME = {reader.name: reader for reader in READERS}


@pytest.mark.parametrize("name", BY_NAME)
def test_what_is_spoilt_is_good_before(name: str) -> None:
    reader = BY_NAME[name]
    case = run_case(reader, reader.spoilt[0], reader.files[reader.spoilt[0]], reader.words)

    # one side of trades can be checked against nothing
    assert (3 if name == "ccxt trades" else 0) == case.result.exit_code, case.result.output
    assert () == case.wrong


def test_spoilt_files_are_refused_in_a_sentence_or_read() -> None:
    wrong = []
    for number in range(CASES):
        random = Random(f"tests/{number}")
        reader = random.choices(READERS, [one.weight for one in READERS])[0]
        case = try_case(reader, random)
        if case.wrong:
            wrong.append((number, reader.name, case.wrong, case.data[:500]))

    assert [] == wrong


# What is no file


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


NO_FILES: dict[str, Callable[[Path], None]] = {
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a link to itself": make_loop,
    "a link without end": lambda path: path.symlink_to("/dev/zero"),
    "nothing": Path.touch,
}


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_is_refused_and_not_waited_for(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, reader in enumerate(READERS):
        for name in sorted(set(reader.spoilt)):
            folder = tmp_path / f"{number}-{name.replace('/', '-')}"
            for own, data in reader.files.items():
                (folder / own).parent.mkdir(parents=True, exist_ok=True)
                (folder / own).write_bytes(data)
            (folder / name).unlink()
            NO_FILES[kind](folder / name)
            monkeypatch.chdir(folder)
            result = CliRunner().invoke(main, reader.words)

            assert (reader.name, 2, []) == (reader.name, result.exit_code, list(list_wrong(reader, result)))


LONG = "a" * 300


@pytest.mark.parametrize(
    "words",
    [
        ("replay", LONG),
        ("rulebook", "show", LONG),
        ("fuzz", "--resume", LONG),
        ("fuzz", "--out", LONG, "--steps", "1"),
        ("vectors", LONG),
        ("conform", "--vectors", LONG, "--", "true"),
    ],
)
def test_a_name_that_no_file_can_have_is_refused(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, words)

    assert 2 == result.exit_code
    assert result.stderr.startswith(f"Error: {LONG}") and ": expected " in result.stderr


# What grows


def test_what_is_long_takes_time_in_proportion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    started = time.monotonic()
    many = [f"k{number}" for number in range(100_000)]
    with pytest.raises(Fault, match="each key once"):
        parse_object(json.dumps(dict.fromkeys(many, 1)).replace("}", ', "k99999": 1}').encode())
    table = BY_NAME["table"]
    (tmp_path / "mapping.toml").write_bytes(table.files["mapping.toml"])
    (tmp_path / "fills.csv").write_text(",".join(many) + "\n")
    result = CliRunner().invoke(main, table.words)
    (tmp_path / "alice.json").write_text("[1" + ",1" * 2_000_000 + "]")
    listed = CliRunner().invoke(main, BY_NAME["ccxt trades"].words)

    assert (2, 2) == (result.exit_code, listed.exit_code)
    assert "alice.json: [0]: expected an object, got 1" in listed.stderr
    assert time.monotonic() - started < 10


# The sentence


def test_a_sentence_is_one_whatever_it_is_made_of() -> None:
    error = LogError("a\nb", 3, "f\x1b[2J", "x\r\nError: forged", "\u202ey" + "z" * 10_000)

    assert str(error).isprintable()
    assert str(error).startswith(r"a\nb:3: f\u001b[2J: expected x\r\nError: forged, got \u202eyzzz")
    assert len(str(error)) < 1_500


def test_json_is_escaped_only_where_it_must_be() -> None:
    odd = '{"a\x7f": "\x9b\u2028\U000e0001", "b": "\u00e9\U0001f98a"}\n'

    assert json.loads(odd) == json.loads(escape(odd))
    assert '{"a\\u007f": "\\u009b\\u2028\\udb40\\udc01", "b": "\u00e9\U0001f98a"}\n' == escape(odd)


# Whoever looks sees something


def make_result(code: int, stdout: str = "", stderr: str = "", error: BaseException | None = None) -> Result:
    return Result(CliRunner(), stdout.encode(), stderr.encode(), (stdout + stderr).encode(), None, code, error, None)


PLAIN = Reader("plain", {"some.json": b"{}"}, ("some.json",), ("replay", "some.json"))


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (make_result(1, error=KeyError("x")), "KeyError escapes"),
        (make_result(4), "the exit code is 4"),
        (make_result(0, "\x1b[2J"), "a terminal would obey"),
        (make_result(2, stderr="Error: some.json: expected a, got b\nand more\n"), "not one sentence"),
        (make_result(2, "half of it", "Error: some.json: expected a, got b\n"), "and yet it prints"),
        (make_result(2, stderr="Error: expected a, got b\n"), "no file is named"),
        (make_result(2, stderr="Error: some.json: " + "a" * 5_000 + "\n"), "a sentence of"),
    ],
)
def test_what_is_met_wrongly_is_seen(result: Result, said: str) -> None:
    assert any(said in wrong for wrong in list_wrong(PLAIN, result))


def test_what_a_file_holds_is_looked_at(tmp_path: Path) -> None:
    picture = tmp_path / "a.svg"
    for text, said in (("<svg><script/></svg>", "has a script"), ("<svg>", "is no XML"), ("<svg>\x9b</svg>", "has [")):
        picture.write_text(text)
        assert any(said in wrong for wrong in list_wrong_in_file(picture))


@pytest.mark.parametrize(
    "words",
    [("verify", "--rules"), ("verify", "--write-ledger"), ("mutate", "--sample", "1", "--by", "proofs", "--out")],
)
@pytest.mark.parametrize("kind", ["a folder", "a pipe", "a link without end"])
def test_what_is_no_file_is_no_place_for_rules_or_results(words: tuple[str, ...], kind: str, tmp_path: Path) -> None:
    target = tmp_path / "target"
    NO_FILES[kind](target)
    result = CliRunner().invoke(main, (*words, str(target)))

    assert 2 == result.exit_code
    assert result.stderr.startswith(f"Error: {target}: expected a")
