"""A log compressed or as Parquet is the same log; what is cut, damaged, huge or of other types is refused."""

from __future__ import annotations

import gzip
import json
import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskcore import cli, log_columns, log_lines, log_rows
from riskcore import events as ev
from riskcore.codec import EVENTS
from riskcore.events import Event
from riskcore.log import LogReader, write_log
from riskcore.quantities import AccountId, Atoms, EventId, MarketId, Price, Time
from riskcore.replay import replay
from tests.log_cases import RULEBOOK, RULES, UNITS, make_waterfall_events, write_snapshot_log, write_waterfall_log
from tests.test_log import MARKETS, events
from tests.test_log import NAMES as ACCOUNTS

NAMES = ("log.jsonl", "log.jsonl.gz", "log.jsonl.zst", "log.parquet")
PACKED = NAMES[1:3]


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, arguments)


def assert_refused(result: Result, sentence: str) -> None:
    assert isinstance(result.exception, SystemExit), result.exception
    assert (2, "", f"Error: {sentence}\n") == (result.exit_code, result.stdout, result.stderr)


def make(name: str) -> Path:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    return write_waterfall_log(Path(), name)


def read(path: Path) -> list[Event]:
    with LogReader(path) as log:
        return list(log)


# The same log


@pytest.mark.parametrize("name", NAMES)
def test_a_log_is_the_same_however_it_is_kept(name: str) -> None:
    path = make(name)
    expected = replay(write_waterfall_log(Path(), "plain"))
    actual = replay(path)

    assert make_waterfall_events() == read(path)
    assert expected.state_hash == actual.state_hash
    assert expected.header == actual.header
    # what it is its first bytes say, not its name
    path.rename("other")
    assert make_waterfall_events() == read(Path("other"))


@pytest.mark.parametrize("name", NAMES)
def test_a_log_that_was_converted_there_and_back_is_the_same(name: str) -> None:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    plain = write_waterfall_log(Path(), "plain")

    there, back = run("convert", "plain", name), run("convert", name, "back")

    assert (f"25 events in {name}\n", "25 events in back\n") == (there.stdout, back.stdout)
    assert plain.read_bytes() == Path("back").read_bytes()


@pytest.mark.parametrize("name", NAMES[1:])
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(listed=st.lists(events(), min_size=1, max_size=30))
def test_every_event_and_field_survives(name: str, listed: list[Event]) -> None:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    opening: list[Event] = [
        ev.ListMarket(EventId(f"m{i}"), i, Time(0), MarketId(market), RULES, Price(1))
        for i, market in enumerate(MARKETS)
    ]
    opening += [ev.Deposit(EventId(f"d{i}"), i, Time(0), AccountId(n), Atoms(1)) for i, n in enumerate(ACCOUNTS)]
    # of a sequence number and a time Parquet holds no more
    rest = [
        attrs.evolve(event, id=EventId(f"{i}:{event.id}"), sequence=(-1) ** i * ((1 << 63) - 1), timestamp=Time(i))
        for i, event in enumerate(listed)
    ]
    write_log(Path(name), RULEBOOK, UNITS, opening + rest)

    assert opening + rest == read(Path(name))


def test_the_same_log_gives_the_same_file() -> None:
    for name in NAMES:
        if name.endswith(".parquet"):
            pytest.importorskip("pyarrow")
        first = make(name).read_bytes()
        second = make(name).read_bytes()

        assert first == second


@pytest.mark.parametrize("name", NAMES)
def test_human_units_become_native_ones(name: str) -> None:
    make(name)
    plain = write_waterfall_log(Path(), "plain").read_text().splitlines()[:4]
    deposit = {"event": "deposit", "id": "x", "sequence": 9, "timestamp": 1_760_000_000_009}
    Path("human").write_text("\n".join([*plain, json.dumps(deposit | {"account": "a", "amount": "1.25"})]) + "\n")
    expected = ev.Deposit(EventId("x"), 9, Time(1_760_000_000_009), AccountId("a"), Atoms(125))

    assert 0 == run("convert", "human", name).exit_code
    assert [*make_waterfall_events()[:3], expected] == read(Path(name))


@pytest.mark.parametrize("name", NAMES[1:])
def test_every_command_that_reads_a_log_reads_it(name: str) -> None:
    make(name)
    plain = write_waterfall_log(Path(), "plain")
    for command, options in (("explain", ("--event", "e12", "--format", "json")), ("diff", ("plain",))):
        expected, actual = run(command, str(plain), *options), run(command, name, *options)

        assert expected.exit_code == actual.exit_code == 0
        assert expected.stdout.replace('"plain"', f'"{name}"') == actual.stdout or command == "diff"
    assert 0 == run("picture", name, "--out", "p.svg").exit_code
    assert 0 == run("rulebook", "show", name).exit_code


@pytest.mark.parametrize("name", NAMES)
def test_one_that_starts_from_a_snapshot_stays_in_its_folder(name: str) -> None:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    write_snapshot_log(Path())
    Path("else").mkdir()
    result = run("convert", "rest.jsonl", name)

    assert 0 == result.exit_code
    assert replay(Path("rest.jsonl")).state_hash == replay(Path(name)).state_hash
    sentence = f"else/{name}: expected a file in the log's folder, where its snapshot is, got another folder"
    assert_refused(run("convert", "rest.jsonl", f"else/{name}"), sentence)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_but_a_log_is_replaced(name: str) -> None:
    make(name)
    Path("plain").write_text("mine")
    assert 0 == run("convert", name, "new.gz").exit_code
    assert 0 == run("convert", name, "new.gz").exit_code
    assert_refused(run("convert", name, "plain"), "plain: expected a new file, or an earlier log, got another file")
    assert_refused(run("convert", name, name), f"{name}: expected another file than the log, got the log itself")
    assert "mine" == Path("plain").read_text()
    assert make_waterfall_events() == read(Path(name))


@pytest.mark.parametrize("name", PACKED)
def test_a_prefix_of_a_packed_log_is_its_first_lines(name: str) -> None:
    from riskcore.log_prefix import save_prefix

    path = make(name)
    save_prefix(path, Path("prefix"), 9)
    save_prefix(path, Path("prefix"), 10)
    save_prefix(path, Path("prefix.gz"), 11)

    assert (
        write_waterfall_log(Path(), "plain").read_bytes().splitlines()[:11] == Path("prefix").read_bytes().splitlines()
    )
    assert make_waterfall_events()[:11] == read(Path("prefix.gz"))


# Cut, damaged, huge


@pytest.mark.parametrize(("name", "form"), [*zip(PACKED, ("gzip", "Zstandard"), strict=True)])
def test_a_packed_log_that_is_cut_is_refused(name: str, form: str) -> None:
    path = make(name)
    path.write_bytes(path.read_bytes()[:-200])
    result = run("replay", name)

    assert (2, "") == (result.exit_code, result.stdout)
    assert result.stderr.endswith(f"expected a whole file of {form}, got one that ends in the middle\n")


@pytest.mark.parametrize(("name", "form"), [*zip(PACKED, ("gzip", "Zstandard"), strict=True)])
def test_what_stands_behind_a_packed_log_is_refused(name: str, form: str) -> None:
    path = make(name)
    path.write_bytes(path.read_bytes() + b"more")
    result = run("replay", name)

    assert (2, "") == (result.exit_code, result.stdout)
    assert result.stderr.endswith(f"expected a file of {form} and nothing else, got other bytes, or damaged ones\n")


@pytest.mark.parametrize("name", NAMES[1:])
def test_a_damaged_byte_is_no_traceback_and_no_other_log(name: str) -> None:
    path = make(name)
    good, expected = path.read_bytes(), read(path)
    for place in range(4, len(good), max(len(good) // 150, 1)):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0x55]) + good[place + 1 :])
        result = run("convert", name, "out")

        assert result.exit_code in (0, 2), result.exception
        assert result.exit_code == 2 or expected == read(Path("out"))
        assert result.stderr.count("\n") <= 1


def test_several_packed_parts_are_one_log() -> None:
    lines = write_waterfall_log(Path(), "plain").read_bytes().splitlines(keepends=True)
    Path("parts").write_bytes(gzip.compress(b"".join(lines[:5])) + gzip.compress(b"".join(lines[5:])))

    assert make_waterfall_events() == read(Path("parts"))


def pack(name: str, pieces: int) -> None:
    """A small file that unpacks to so many million bytes of one line."""
    with log_lines.write_lines(Path(name)) as file:
        file.write(b" " * 1_000_000)
    Path(name).write_bytes(Path(name).read_bytes() * pieces)


@pytest.mark.parametrize("name", PACKED)
def test_a_small_file_that_unpacks_to_a_huge_line_is_refused_in_little_memory(name: str) -> None:
    pack(name, 2000)
    command = [sys.executable, "-m", "riskcore", "replay", "--no-laws", str(Path(name).absolute())]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))

    root = Path(__file__).parent.parent
    result = subprocess.run(command, cwd=root, preexec_fn=limit, capture_output=True, text=True, check=False)

    expected = f"Error: {Path(name).absolute()}:1: expected a line of at most 64,000,000 bytes, got a longer one\n"
    assert (2, expected) == (result.returncode, result.stderr)


def test_a_long_line_of_plain_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_lines, "MOST", 2000)
    path = write_waterfall_log(Path(), "plain")
    path.write_bytes(path.read_bytes() + b" " * 2000 + b"\n")

    assert_refused(run("replay", "plain"), "plain:27: expected a line of at most 2,000 bytes, got a longer one")


# Parquet's columns and types


def write_table(columns: dict[str, tuple[Any, list[Any]]], header: str | None = None, **options: Any) -> None:
    """A Parquet file of columns, each of a type and with values."""
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    lines = write_waterfall_log(Path(), "plain").read_text().splitlines()
    fields = [
        (name, getattr(pyarrow, kind)() if isinstance(kind, str) else kind) for name, (kind, _) in columns.items()
    ]
    metadata = {"riskcore_log": lines[0] if header is None else header}
    schema = pyarrow.schema(fields, metadata=metadata if header != "" else None)
    table = pyarrow.table([values for _, values in columns.values()], schema=schema)
    parquet.write_table(table, "log.parquet", **options)


GOOD: dict[str, tuple[Any, list[Any]]] = {
    "event": ("string", ["deposit", "deposit"]),
    "id": ("string", ["e1", "e2"]),
    "sequence": ("int64", [1, 2]),
    "timestamp": ("int64", [5, 6]),
    "account": ("string", ["a", "b"]),
    "amount": ("string", ["7", "8"]),
}


@pytest.mark.parametrize("kind", ["int8", "int32", "int64", "uint64", "string", "large_string"])
def test_a_column_of_integers_may_be_of_any_integer_type(kind: str) -> None:
    write_table(GOOD | {"amount": (kind, ["7", "8"] if kind.endswith("string") else [7, 8])})

    assert [7, 8] == [getattr(event, "amount", None) for event in read(Path("log.parquet"))]


SPOILT: dict[str, tuple[dict[str, tuple[Any, list[Any]]], str]] = {
    "a float": (
        {"amount": ("float64", [7.0, 8.0])},
        'column "amount": expected a column of integers, or of strings of their digits, got double',
    ),
    "a flag for a number": (
        {"sequence": ("bool_", [True, False])},
        'column "sequence": expected a column of integers, or of strings of their digits, got bool',
    ),
    "bytes": ({"id": ("binary", [b"e1", b"e2"])}, 'column "id": expected a column of strings, got binary'),
    "a number for a name": (
        {"account": ("int64", [1, 2])},
        'column "account": expected a column of strings, got int64',
    ),
    "a word for a flag": (
        {"reduce_only": ("string", ["x", "y"])},
        'column "reduce_only": expected a column of booleans, got string',
    ),
    "an unknown column": (
        {"amuont": ("string", ["7", "8"])},
        f'column "amuont": expected only the columns {", ".join(log_columns.KINDS)}, got an unknown column '
        '(did you mean "amount"?)',
    ),
    "human units": (
        {"amount": ("string", ["7", "8.5"])},
        'row 2: amount: expected an integer in native units, of at most 78 digits, got "8.5"',
    ),
    "an exponent": (
        {"amount": ("string", ["7", "1e3"])},
        'row 2: amount: expected an integer in native units, of at most 78 digits, got "1e3"',
    ),
    "79 digits": (
        {"amount": ("string", ["7", "9" * 79])},
        "row 2: amount: expected an integer in native units, of at most 78 digits, got one of 79 digits",
    ),
    "nothing": ({"amount": ("string", ["7", None])}, "row 2: amount: expected this field in deposit, got none"),
    "below zero": ({"amount": ("string", ["7", "-8"])}, "row 2: amount: expected an amount above zero, got -8"),
    "an id twice": ({"id": ("string", ["e1", "e1"])}, 'row 2: id: expected an id that no line before has, got "e1"'),
    "no JSON": (
        {"event": ("string", ["deposit", "begin_deleveraging"]), "queue": ("string", [None, "[1"])},
        "row 2: queue: expected one JSON object, got malformed JSON at column 3: expecting ',' delimiter",
    ),
    "one field more": (
        {"queue": ("string", [None, "[]"])},
        "row 2: queue: expected only the fields of deposit (id, sequence, timestamp, account, amount), got an unknown "
        'field (did you mean "sequence"?)',
    ),
}


def test_rows_with_nothing_in_them_are_refused() -> None:
    write_table({name: (kind, [None, None]) for name, (kind, _) in GOOD.items()})
    sentence = "row 1: event: expected this field in every line after the header, got none"

    assert_refused(run("convert", "log.parquet", "out"), f"log.parquet: {sentence}")


def test_a_number_of_rows_that_is_not_the_writers_is_refused() -> None:
    make("log.parquet")
    from pyarrow import parquet

    table = parquet.read_table("log.parquet")
    parquet.write_table(
        table.slice(0, 24).replace_schema_metadata(
            {**table.schema.metadata, **parquet.read_metadata("log.parquet").metadata}
        ),
        "log.parquet",
    )

    assert_refused(run("convert", "log.parquet", "out"), "log.parquet: metadata: expected 24 and 25 rows, got 24")


@pytest.mark.parametrize(("columns", "sentence"), SPOILT.values(), ids=SPOILT.keys())
def test_a_spoilt_table_is_refused(columns: dict[str, tuple[Any, list[Any]]], sentence: str) -> None:
    write_table(GOOD | columns)

    assert_refused(run("convert", "log.parquet", "out"), f"log.parquet: {sentence}")
    assert not Path("out").exists()


def test_a_table_without_a_needed_column_is_refused() -> None:
    write_table({name: column for name, column in GOOD.items() if name != "timestamp"})

    assert_refused(
        run("convert", "log.parquet", "out"), 'log.parquet: column "timestamp": expected this column, got none'
    )


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("", "expected the log's header, as riskcore_log, got none"),
        ("x", "expected one JSON object, got malformed JSON at column 1: expecting value"),
        ("{}", "riskcore_log: expected this field, with the schema version 1, got none"),
    ],
)
def test_a_table_without_a_header_is_refused(header: str, sentence: str) -> None:
    write_table(GOOD, header)

    assert_refused(run("convert", "log.parquet", "out"), f"log.parquet: metadata: {sentence}")


def test_a_table_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_rows, "_BYTES", 100_000)
    write_table(GOOD | {"account": ("string", ["a" * 60_000, "b" * 60_000])})
    result = run("convert", "log.parquet", "out")

    assert (2, "") == (result.exit_code, result.stdout)
    assert 'row group 1: column "account": expected at most 100,000 bytes of a column' in result.stderr


@pytest.mark.parametrize("kind", ["string", "large_string"])
def test_a_text_that_repeats_stands_in_memory_once(kind: str) -> None:
    """Five hundred rows of one name of a hundred thousand characters."""
    rows = 500
    columns: dict[str, tuple[Any, list[Any]]] = {
        "event": ("string", ["deposit"] * rows),
        "id": ("string", [f"e{row}" for row in range(rows)]),
        "sequence": ("int64", list(range(rows))),
        "timestamp": ("int64", [5] * rows),
        "account": (kind, ["a" * 100_000] * rows),
        "amount": ("string", ["1"] * rows),
    }
    write_table(columns)
    found = read(Path("log.parquet"))

    assert rows == len(found)
    assert 1 == len({id(getattr(event, "account", None)) for event in found})


def test_an_encoding_that_small_files_can_hide_much_in_is_refused() -> None:
    write_table(GOOD, use_dictionary=False, column_encoding={"account": "DELTA_BYTE_ARRAY"})
    expected = "expected plain texts, or a dictionary of them, got the encoding DELTA_BYTE_ARRAY"

    assert_refused(run("convert", "log.parquet", "out"), f'log.parquet: row group 1: column "account": {expected}')


def test_a_number_that_parquet_cannot_hold_is_refused() -> None:
    pytest.importorskip("pyarrow")
    write_log(Path("log"), RULEBOOK, UNITS, [ev.AdvanceTime(EventId("e"), 1, Time(1 << 63))])
    expected = "log:2: timestamp: expected a number of 64 bits, as Parquet has it, got one of 64 bits"

    assert_refused(run("convert", "log", "log.parquet"), expected)
    assert not Path("log.parquet").exists()


def test_every_field_has_a_column() -> None:
    assert {"event"} | {name for record in EVENTS.values() for name in record.fields} == set(log_columns.KINDS)


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    write_waterfall_log(Path(), "plain")
    Path("log.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    expected = "log.parquet: expected pyarrow, as the file is Parquet (pip install 'riskcore[parquet]'), got none"

    assert_refused(run("replay", "log.parquet"), expected)
    Path("log.parquet").unlink()
    assert_refused(run("convert", "plain", "log.parquet"), expected)


@pytest.mark.parametrize("data", [b"PAR1", b"PAR1" * 100, b"PAR1" + b"\xff" * 50 + b"PAR1"])
def test_what_only_begins_like_parquet_is_refused(data: bytes) -> None:
    pytest.importorskip("pyarrow")
    Path("log.parquet").write_bytes(data)
    result = run("replay", "log.parquet")

    assert (2, "") == (result.exit_code, result.stdout)
    assert result.stderr.startswith("Error: log.parquet: expected a Parquet file, got ")


def test_the_documentation_names_every_column() -> None:
    page = (Path(__file__).parent.parent / "LOG.md").read_text()
    section = page.partition("A Parquet file has these columns")[2].partition("An integer column")[0]
    kinds = {"string": {"text", "integer", "json"}, "boolean": {"flag"}, "int64": {"integer"}}
    named: dict[str, str] = {}
    for names, type_ in re.findall(r"^\| (`.*?) \| (string|boolean|int64) \|", section, re.MULTILINE):
        named |= dict.fromkeys(re.findall(r"`(\w+)`", names), type_)

    assert set(log_columns.KINDS) == set(named)
    assert all(kind in kinds[named[name]] for name, kind in log_columns.KINDS.items())
    assert set(log_columns.SMALL) == {name for name, type_ in named.items() if type_ == "int64"}
