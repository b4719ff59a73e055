"""How two states differ, field by field: nothing differs where, and only where, their hashes are equal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from attrs import evolve, frozen
from rich.console import Console
from rich.text import Text

from riskcore.bad_input import printable
from riskcore.columns import add_row, make_table
from riskcore.log import LogReader
from riskcore.log_files import read_start
from riskcore.quantities import AccountId
from riskcore.snapshot import encode_account, encode_state, get_state_hash, load_state
from riskcore.state import NO_ACCOUNT, Account, State
from riskcore.step import step
from riskcore.tables import PersistentTable

#: Differences that the text shows.
_SHOWN: Final = 100
_PROGRESS_EVERY: Final = 1000


@frozen
class Difference:
    """A field by the names that lead to it; None where a state does not have it."""

    path: tuple[str, ...]
    first: Any
    second: Any

    @property
    def change(self) -> int | None:
        """By how much a number is more in the second; a number that is not there is none."""
        if type(self.first) is int and type(self.second) is int:
            return self.second - self.first
        return None


@frozen
class Comparison:
    """The differences in the order of their paths, and the hash of either state."""

    hashes: tuple[str, str]
    differences: tuple[Difference, ...]

    def list_ids(self, table: str) -> list[str]:
        """Whose fields differ in ``accounts``, ``markets``, or another table, each once."""
        return list(dict.fromkeys(one.path[1] for one in self.differences if one.path[0] == table and one.path[1:]))


def read_state(path: Path, progress: Callable[[int, int], None] | None = None) -> State:
    """The state of a snapshot, or that to which a log leads. ``LogError`` where the file is neither."""
    if b'"riskcore_log"' not in read_start(path, 1_000_000):
        return load_state(path)
    with LogReader(path) as log:
        state = log.state
        for number, event in enumerate(log):
            state = step(state, event).state
            if progress is not None and number % _PROGRESS_EVERY == 0:
                progress(log.bytes_read, log.size)
        return state


def compare_states(first: State, second: State) -> Comparison:
    """What of the canonical encoding differs; ids of accepted events are no part of it."""
    found = [*_compare_accounts(first, second), *_compare(_encode_rest(first), _encode_rest(second), ())]
    return Comparison((get_state_hash(first), get_state_hash(second)), tuple(sorted(found, key=lambda one: one.path)))


def _compare_accounts(first: State, second: State) -> Iterator[Difference]:
    ids = {id for state in (first, second) for id, _ in state.accounts.items()}
    for id in ids:
        left, right = first.accounts.get(id), second.accounts.get(id)
        if left != right:
            yield from _compare(_encode(id, left), _encode(id, right), ("accounts", id))


def _encode(id: AccountId, account: Account) -> dict[str, Any] | None:
    return None if account == NO_ACCOUNT else encode_account(id, account)


def _encode_rest(state: State) -> dict[str, Any]:
    return encode_state(evolve(state, accounts=PersistentTable(NO_ACCOUNT)), whole=False)


def _compare(first: Any, second: Any, path: tuple[str, ...]) -> Iterator[Difference]:
    if first == second:
        return
    left, right = _get_entries(first), _get_entries(second)
    if left is None or right is None or not (left or right):
        yield Difference(path, first, second)
        return
    for name in {**left, **right}:
        yield from _compare(left.get(name), right.get(name), (*path, name))


def _get_entries(value: Any) -> dict[str, Any] | None:
    """What stands in an object or array, by name, and nothing in what is not there; None where it is neither."""
    if isinstance(value, list):
        return {f"[{index}]": entry for index, entry in enumerate(value)}
    return {} if value is None else value if isinstance(value, dict) else None


def to_json(comparison: Comparison) -> dict[str, Any]:
    return {
        "same": not comparison.differences,
        "state_hashes": list(comparison.hashes),
        "accounts": comparison.list_ids("accounts"),
        "markets": comparison.list_ids("markets"),
        "differences": [
            {"path": list(one.path), "first": one.first, "second": one.second} for one in comparison.differences
        ],
    }


def print_comparison(comparison: Comparison, names: tuple[str, str], console: Console) -> None:
    differences = comparison.differences
    table = make_table(["field"], [*map(printable, names), "change"])
    for one in differences[:_SHOWN]:
        change = "" if one.change is None else f"{one.change:+,}"
        add_row(table, printable(".".join(one.path).replace(".[", "[")), _show(one.first), _show(one.second), change)
    if differences:
        console.print(table)
    if (left := len(differences) - _SHOWN) > 0:
        console.print(Text(f"and {left:,} more: all with --format json", "dim"))
    console.print()
    for name, hash in zip(names, comparison.hashes, strict=True):
        console.print(Text(f"state hash  {hash}  {printable(name)}"), soft_wrap=True)
    if differences:
        fields, accounts, markets = (
            len(differences),
            *(len(comparison.list_ids(one)) for one in ("accounts", "markets")),
        )
        console.print(Text(f"verdict     DIFFERENT: fields {fields:,}, accounts {accounts:,}, markets {markets:,}"))
    else:
        console.print(Text("verdict     THE SAME"))


def _show(value: Any) -> str:
    return "-" if value is None else f"{value:,}" if type(value) is int else printable(str(value))
