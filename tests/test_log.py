"""The log's codec: every event survives a log, numbers are exact, and both parsers agree."""

from __future__ import annotations

import errno
import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskcore import events as ev
from riskcore import log_lines, strict_json
from riskcore.bad_input import Fault, LogError, quote
from riskcore.choices import MarketStatus
from riskcore.codec import EVENTS, Source, decode_event, encode_event
from riskcore.events import Event
from riskcore.log import LogHeader, LogReader, write_log
from riskcore.quantities import AccountId, Atoms, EventId, Leverage, Lots, MarketId, Price, Rate, Shares, Time
from riskcore.rulebook import MarketRules, Rulebook
from riskcore.state import genesis
from riskcore.step import step
from riskcore.strict_json import LOG_DIGITS, parse_object, read_object
from riskcore.units import Quantity, Units, format_decimal, parse_decimal
from tests.log_cases import RULEBOOK, RULES, UNITS, make_waterfall_events

SOURCE = Source(UNITS, LOG_DIGITS)
LARGEST = 10**78 - 1
NAMES = ("a", "a:b", 'quo"te', "\\", "\u8d26\u6237", "\x00\x1b", "\U0001f600", "vault")
MARKETS = ("BTC", "perp:ETH", "\u20bf")

names = st.sampled_from(NAMES)
integers = st.integers(-LARGEST, LARGEST) | st.integers(-(2**65), 2**65) | st.integers(-5, 5)
above_zero = st.integers(1, LARGEST) | st.integers(1, 1000)
VALUES: dict[object, st.SearchStrategy[Any]] = {
    int: integers,
    Time: integers,
    Rate: integers,
    Atoms: above_zero,
    Lots: above_zero,
    Price: above_zero,
    Shares: above_zero,
    Leverage: integers,
    AccountId: names,
    MarketId: st.sampled_from(MARKETS),
    MarketId | None: st.none() | st.sampled_from(MARKETS),
    EventId: st.text(min_size=1, max_size=5),
    EventId | None: st.none() | st.text(min_size=1, max_size=5),
    bool: st.booleans(),
    MarketStatus: st.sampled_from(MarketStatus),
    MarketRules: st.builds(MarketRules, *[integers] * 5),
    tuple[AccountId, ...]: st.lists(names, max_size=3).map(tuple),
}


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Any event that a log can hold, apart from what it says of others."""
    kind = draw(st.sampled_from(get_args(Event)))
    values = {name: draw(VALUES[hint]) for name, hint in get_type_hints(kind).items()}
    if kind in (ev.Fill, ev.PlaceOrder) and draw(st.booleans()):
        values["size"] = -values["size"]
    if "maker" in values:
        values["maker"] = draw(names.filter(lambda name: name not in (values.get("taker"), values.get("account"))))
    for one, other in (("payer", "payee"), ("long", "short")):
        if one in values:
            values[other] = draw(names.filter(lambda name: name != values[one]))  # noqa: B023
    event: Event = kind(**values)
    return event


def decode(line: str | dict[str, Any], source: Source = SOURCE) -> Event:
    text = line if isinstance(line, str) else json.dumps(line)
    return read_object(text.encode(), LOG_DIGITS, lambda members: decode_event(members, source))


def make_fill(**changes: Any) -> dict[str, Any]:
    plain = {"event": "fill", "id": "e1", "sequence": 1, "timestamp": 2, "taker": "a", "maker": "b"}
    return plain | {"market": "BTC", "size": -3, "price": 50000} | changes


# Events


def test_a_fill_reads_as_documented() -> None:
    expected = ev.Fill(
        EventId("e1"), 1, Time(2), AccountId("a"), AccountId("b"), MarketId("BTC"), Lots(-3), Price(50000)
    )

    assert expected == decode(make_fill())


def test_every_event_has_its_name() -> None:
    expected = {re.sub("([a-z])([A-Z])", r"\1_\2", kind.__name__).lower() for kind in get_args(Event)}

    assert expected == set(EVENTS)


@given(event=events())
def test_an_event_survives_its_line(event: Event) -> None:
    assert event == decode(encode_event(event))


@given(listed=st.lists(events(), max_size=6))
def test_events_survive_a_log(listed: list[Event], tmp_path_factory: pytest.TempPathFactory) -> None:
    opening: list[Event] = [
        ev.ListMarket(EventId(f"m{i}"), i, Time(0), MarketId(market), RULES, Price(1))
        for i, market in enumerate(MARKETS)
    ]
    opening += [ev.Deposit(EventId(f"d{i}"), i, Time(0), AccountId(n), Atoms(1)) for i, n in enumerate(NAMES)]
    rest = [attrs.evolve(event, id=EventId(f"{i}:{event.id}")) for i, event in enumerate(listed)]
    path = tmp_path_factory.getbasetemp() / "events.jsonl"

    count = write_log(path, RULEBOOK, UNITS, opening + rest)
    with LogReader(path) as log:
        read = list(log)

    assert opening + rest == read
    assert len(read) == count


def test_the_header_survives_a_log(tmp_path: Path) -> None:
    write_log(tmp_path / "log", RULEBOOK, UNITS, [])

    with LogReader(tmp_path / "log") as log:
        expected = LogHeader(UNITS, RULEBOOK)

        assert expected == log.header
        assert genesis(RULEBOOK).reserves == log.state.reserves


def test_flags_of_a_rulebook_that_are_left_out_are_off(tmp_path: Path) -> None:
    flagged = attrs.evolve(RULEBOOK, withdrawals_wait=True, withdrawals_are_cut=True)
    write_log(tmp_path / "log", flagged, UNITS, [])
    with LogReader(tmp_path / "log") as log:
        assert flagged == log.header.rulebook

    header = json.loads((tmp_path / "log").read_text())
    del header["rulebook"]["withdrawals_wait"], header["rulebook"]["withdrawals_are_cut"]
    (tmp_path / "log").write_text(json.dumps(header) + "\n")
    with LogReader(tmp_path / "log") as log:
        assert RULEBOOK == log.header.rulebook


def test_a_file_that_stops_answering_is_an_error_at_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            line = super().readline(size)
            if not line:
                raise OSError(errno.EIO, "Input/output error")
            return line

    path = tmp_path / "log"
    write_log(path, RULEBOOK, UNITS, make_waterfall_events()[:2])
    monkeypatch.setattr(log_lines, "open_regular", lambda path: (Failing(path.read_bytes()), 0))

    with LogReader(path) as log, pytest.raises(LogError) as caught:
        list(log)

    assert str(caught.value) == f"{path}:4: expected a readable line, got input/output error"


@pytest.mark.parametrize("twice", ["e3", "e12"], ids=["accepted", "rejected"])
@pytest.mark.parametrize("is_applied", [True, False])
def test_an_id_stands_once_whatever_became_of_its_event(tmp_path: Path, twice: str, is_applied: bool) -> None:
    """A state that takes accepted ids in as they are read makes no difference."""
    events = make_waterfall_events()
    write_log(tmp_path / "log", RULEBOOK, UNITS, events)
    lines = (tmp_path / "log").read_text().splitlines()
    (tmp_path / "log").write_text("\n".join([*lines, lines[-1].replace('"e25"', f'"{twice}"')]) + "\n")
    with LogReader(tmp_path / "log") as log, pytest.raises(LogError) as caught:
        state = log.state
        for event in log:
            state = step(state, event).state if is_applied else state

    assert str(caught.value).endswith(f':27: id: expected an id that no line before has, got "{twice}"')
    # an id is held in one place
    rejected: set[str] = {"e12", "e18"}
    everything: set[str] = {event.id for event in events}
    assert (rejected if is_applied else everything) == {*log.get_names().ids}


def test_a_reader_says_how_far_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log"
    count = write_log(path, RULEBOOK, UNITS, make_waterfall_events())

    with LogReader(path) as log:
        assert log.line == 1
        list(log)

    assert path.stat().st_size == log.size == log.bytes_read
    assert count + 2 == log.line


@pytest.mark.parametrize("size", [10**78, -(10**78), 10**5000], ids=["79 digits", "below", "5001 digits"])
def test_an_event_too_large_for_a_log_is_not_written(size: int) -> None:
    event = ev.Fill(EventId("e"), 1, Time(1), AccountId("a"), AccountId("b"), MarketId("m"), Lots(size), Price(1))

    with pytest.raises(ValueError, match="expected an integer of at most 78 digits") as caught:
        encode_event(event)

    assert isinstance(caught.value, Fault)
    assert caught.value.field == "size"


def test_rules_too_large_for_a_log_are_not_written() -> None:
    rules = attrs.evolve(RULES, taker_fee_rate=Rate(10**78))

    with pytest.raises(Fault) as caught:
        encode_event(ev.ListMarket(EventId("e"), 1, Time(1), MarketId("m"), rules, Price(1)))

    assert caught.value.field == "rules.taker_fee_rate"


DEPOSIT = ev.Deposit(EventId("e"), 1, Time(1), AccountId("a"), Atoms(5))
#: Events that no log may hold, and why.
NO_EVENTS: dict[str, tuple[list[Event], str]] = {
    "an id twice": ([DEPOSIT, DEPOSIT], 'expected an id that no event before has, got "e"'),
    "an amount of zero": ([attrs.evolve(DEPOSIT, amount=Atoms(0))], "expected an amount above zero, got 0"),
    "an amount below zero": ([attrs.evolve(DEPOSIT, amount=Atoms(-5))], "expected an amount above zero, got -5"),
    "a price of zero": (
        [ev.MarkPrice(EventId("m"), 1, Time(1), MarketId("BTC"), Price(0))],
        "expected a price above zero, got 0",
    ),
    "a fill of no lots": (
        [ev.Fill(EventId("f"), 1, Time(1), AccountId("a"), AccountId("b"), MarketId("BTC"), Lots(0), Price(1))],
        "expected a size that is not zero, got 0",
    ),
    "a takeover below zero": (
        [ev.Takeover(EventId("t"), 1, Time(1), AccountId("a"), MarketId("BTC"), Lots(-1))],
        "expected a size above zero, got -1",
    ),
    "too many digits": ([attrs.evolve(DEPOSIT, amount=Atoms(10**78))], "at most 78 digits"),
}


@pytest.mark.parametrize("before", [None, "an old log"])
@pytest.mark.parametrize(("events", "reason"), NO_EVENTS.values(), ids=NO_EVENTS.keys())
def test_a_log_that_could_not_be_read_is_not_written(
    events: list[Event], reason: str, before: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "log"
    if before is not None:
        path.write_text(before)

    with pytest.raises(ValueError, match=re.escape(reason)):
        write_log(path, RULEBOOK, UNITS, [attrs.evolve(DEPOSIT, id=EventId("first")), *events])

    assert before == (path.read_text() if path.exists() else None)
    assert [path] * (before is not None) == list(tmp_path.iterdir())


def test_an_inadmissible_rulebook_is_not_written(tmp_path: Path) -> None:
    rulebook = attrs.evolve(RULEBOOK, insurance_floor=Atoms(-1))

    with pytest.raises(Fault) as caught:
        write_log(tmp_path / "log", rulebook, UNITS, [])

    assert caught.value.field == "insurance_floor"
    assert list(tmp_path.iterdir()) == []


def test_a_log_is_whole_or_not_there(tmp_path: Path) -> None:
    def give_up() -> Iterator[Event]:
        yield DEPOSIT
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_log(tmp_path / "log", RULEBOOK, UNITS, give_up())

    assert list(tmp_path.iterdir()) == []


def test_a_log_is_written_through_a_link_and_with_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("log")
    (tmp_path / "plain").touch()

    write_log(tmp_path / "link", RULEBOOK, UNITS, [DEPOSIT])

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "plain").stat().st_mode == (tmp_path / "log").stat().st_mode


def test_a_log_does_not_take_the_place_of_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(OSError, match="no regular file"):
        write_log(tmp_path / "pipe", RULEBOOK, UNITS, [])

    assert (tmp_path / "pipe").is_fifo()


def test_a_name_that_utf_8_cannot_hold_is_not_written() -> None:
    with pytest.raises(ValueError, match="lone surrogates"):
        encode_event(ev.WriteOff(EventId("e"), 1, Time(1), AccountId("\ud800")))


# Numbers


@pytest.mark.parametrize("size", [2**63, 2**64, -(2**64) - 1, 2**256 - 1, LARGEST, -LARGEST])
def test_large_integers_keep_every_digit(size: int) -> None:
    event = decode(make_fill(size=size))

    assert isinstance(event, ev.Fill)
    assert size == event.size


#: Units are a cent and a thousandth of a bitcoin: an atom per lot is 10 a bitcoin.
HUMAN: dict[str, tuple[dict[str, Any], str, int]] = {
    "amount": ({"event": "deposit", "account": "a", "amount": "12.5"}, "amount", 1250),
    "amount without a point": ({"event": "deposit", "account": "a", "amount": "12"}, "amount", 1200),
    "amount with zeros": ({"event": "deposit", "account": "a", "amount": "0.0100000"}, "amount", 1),
    "price": ({"event": "mark_price", "market": "BTC", "price": "50010"}, "price", 5001),
    "rate": ({"event": "apply_funding", "market": "BTC", "rate": "-0.0005"}, "rate", -500),
    "size": ({"event": "takeover", "account": "a", "market": "BTC", "size": "0.25"}, "size", 250),
    "native amount": ({"event": "deposit", "account": "a", "amount": 12}, "amount", 12),
}


@pytest.mark.parametrize(("members", "name", "native"), HUMAN.values(), ids=HUMAN.keys())
def test_decimal_strings_are_human_units(members: dict[str, Any], name: str, native: int) -> None:
    event = decode({"id": "e", "sequence": 1, "timestamp": 1} | members)

    assert native == getattr(event, name)


def test_the_rates_of_a_market_may_be_decimal_strings() -> None:
    rules = {
        "initial_margin_rate": "0.1", "maintenance_margin_rate": "0.05", "taker_fee_rate": "0.0005",
        "maker_fee_rate": "-0.000001", "liquidation_fee_rate": 5000,
    }  # fmt: skip
    line = {"event": "list_market", "id": "e", "sequence": 1, "timestamp": 1, "market": "BTC", "rules": rules}
    expected = MarketRules(Rate(100_000), Rate(50_000), Rate(500), Rate(-1), Rate(5000))

    event = decode(line | {"mark_price": "10"})

    assert isinstance(event, ev.ListMarket)
    assert (expected, 1) == (event.rules, event.mark_price)


def test_without_units_a_decimal_string_is_refused() -> None:
    with pytest.raises(Fault, match="expected an integer of lots, 78 digits at most, got"):
        decode(make_fill(size="1"), Source(None, LOG_DIGITS))


@given(native=st.integers(-(10**30), 10**30), cash=st.decimals("0.000000000001", "1000", places=12))
def test_an_amount_shown_reads_back_exactly(native: int, cash: Any) -> None:
    units = Units(f"{cash:f}")
    shown = units.format_amount(native)

    assert native == units.to_native(Quantity.AMOUNT, None, shown.replace(",", ""))


@given(amount=st.integers(-(10**12), 10**12), decimals=st.integers(0, 4))
def test_a_rounded_amount_is_the_nearest(amount: int, decimals: int) -> None:
    shown = Units("0.0003").format_amount(amount, decimals).replace(",", "")
    digits, scale = parse_decimal(shown)

    assert scale == 10**decimals
    assert 2 * abs(digits * 10_000 - amount * 3 * scale) <= 10_000


@pytest.mark.parametrize(
    ("atoms", "expected"), [(0, "0.000000"), (-1, "-0.000001"), (1_234_567_000_000, "1,234,567.000000")]
)
def test_amounts_are_shown_with_their_units_decimals(atoms: int, expected: str) -> None:
    assert expected == Units("0.000001").format_amount(atoms)


def test_a_unit_without_a_finite_decimal_is_named_as_a_fraction() -> None:
    units = Units("0.01", {"BTC": "3"})

    with pytest.raises(Fault, match=re.escape("expected a multiple of 1/300 (one atom per lot)")):
        units.to_native(Quantity.PRICE, "BTC", "0.001")


@given(number=st.fractions())
def test_a_decimal_is_shown_exactly_or_as_a_fraction(number: Any) -> None:
    shown = format_decimal(number)

    assert number == (type(number)(shown))


@pytest.mark.parametrize("text", ["", ".5", "5.", "+5", "05", "1e5", "1_000", "1,000", "0x1", "NaN", "-", "5\n", " 5"])
def test_what_is_no_decimal_string_is_refused(text: str) -> None:
    with pytest.raises(Fault, match=re.escape(f"expected a decimal string like 12.5, got {quote(text)}")):
        parse_decimal(text)


@pytest.mark.parametrize("cash", ["0", "-1", "x"])
def test_units_are_above_zero(cash: str) -> None:
    with pytest.raises(ValueError, match="expected a decimal string") as caught:
        Units(cash)

    assert isinstance(caught.value, Fault)
    assert caught.value.field == "cash"


# The two parsers


def read_carefully(data: bytes) -> object:
    try:
        return parse_object(data)
    except Fault:
        return None


def has_odd(value: object) -> bool:
    """Whether the careful parser met a number that no field takes."""
    if isinstance(value, dict):
        return any(has_odd(member) for member in value.values())
    return any(has_odd(member) for member in value) if isinstance(value, list) else isinstance(value, strict_json.Odd)


PIECES = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    " ",
    '"a"',
    '"b"',
    '"\\u003a"',
    '":"',
    '"\\ud800"',
    "1",
    "-0",
    "1.5",
    "null",
    "9" * 80,
]


@given(
    data=st.lists(st.sampled_from(PIECES), max_size=9).map("".join) | st.from_regex(r'\{"a":.{0,9}\}', fullmatch=True)
)
def test_the_quick_parser_takes_nothing_that_the_careful_one_does_not(data: str) -> None:
    try:
        line = data.encode()
    except UnicodeEncodeError:
        return
    quick = strict_json._parse_quickly(line)
    careful = read_carefully(line)

    if quick is not None and not has_odd(careful):
        assert careful == quick


json_values = st.recursive(
    st.none() | st.booleans() | integers | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(members=st.dictionaries(st.text(max_size=3), json_values, max_size=4))
def test_both_parsers_read_what_was_written(members: dict[str, object]) -> None:
    data = json.dumps(members).encode()

    assert members == parse_object(data)
    assert strict_json._parse_quickly(data) in (members, None)


# The documentation


def test_the_documented_log_is_one(tmp_path: Path) -> None:
    text = (Path(__file__).parent.parent / "LOG.md").read_text()
    block = text.split("```json\n")[1].split("```")[0]
    (tmp_path / "log").write_text(block)

    with LogReader(tmp_path / "log") as log:
        kinds = [type(event) for event in log]

    assert [ev.ListMarket, ev.Deposit, ev.Deposit, ev.Fill] == kinds


def test_the_documentation_names_every_event_and_field() -> None:
    text = (Path(__file__).parent.parent / "LOG.md").read_text()
    table = text.split("## Events")[1].split("## Numbers")[0]
    expected = {name for record in EVENTS.values() for name in record.fields} | set(EVENTS)

    assert expected <= set(re.findall(r"`(\w+)`", table))
    assert {field.name for field in attrs.fields(Rulebook)} <= set(re.findall(r'"(\w+)":', text))


def test_an_error_is_one_sentence() -> None:
    error = LogError("x.jsonl", 3, "size", "a size above zero", "-1")

    assert str(error) == "x.jsonl:3: size: expected a size above zero, got -1"
