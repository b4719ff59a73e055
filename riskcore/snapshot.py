"""A state as a file, and as a hash.

The canonical encoding of a state is one JSON object with the keys ``accounts``,
``deleveraging``, ``draws``, ``markets``, ``orders``, ``outflow``, ``reserves``, ``rulebook``, ``sequence``,
``sharing``, ``stakes``, ``timestamp`` and ``vault_shares``, under them the field names of ``state.py``, those at
their default left out, and ``draws`` and ``outflow`` of nothing, ``orders`` where none rests, ``sharing`` where
none is open, and ``separate_insurance`` but where it is above zero; an account is
``{"balance": ..., "positions": {market: {"cost", "entry_index", "size"}}}``, with
``liquidated`` and ``sold`` where a sale is remembered, ``leverages`` where some are chosen and
``resting`` where orders are open. Every
object's keys are sorted by code point, there is no white space, integers are decimal, and
what is not ASCII is escaped as ``\\uXXXX`` with lower-case digits. Accounts of which there
is nothing to say are left out, and stakes of nothing.
The state hash is the SHA-256 of that text: the same for every table, machine and Python version.

Ids of accepted events are not part of it, since they decide nothing but which
event comes next. A snapshot file holds them as ``seen``, the empty accounts too,
and ``"riskcore_snapshot": 1``; its line breaks and order of keys mean nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from attrs import evolve

from riskcore.allocation import get_part
from riskcore.bad_input import Fault, LogError, Malformed, get_cause, printable, within
from riskcore.book_check import check_book
from riskcore.choices import Allocation
from riskcore.codec import (
    DELEVERAGING,
    DRAWS,
    MARKET,
    ORDER,
    POSITION,
    RESERVES,
    SHARING,
    SNAPSHOT,
    STAKE,
    check_admissible,
    check_rulebook,
    check_version,
    encode,
    get_numbers,
    read_integer,
    read_rulebook,
    read_text,
    require_fields,
)
from riskcore.domains import has_part
from riskcore.files import get_length, write_whole
from riskcore.leverages import Leverages
from riskcore.margin import get_margin
from riskcore.markets import get_market
from riskcore.orders import Resting, RestingOrders
from riskcore.quantities import NEVER, RATE_ONE, AccountId, Atoms, EventId, Leverage, MarketId, Shares, Time
from riskcore.rulebook import MarketRules, Tier, is_admissible_market, is_admissible_tier
from riskcore.sharing import get_account_weight, get_due
from riskcore.state import (
    NO_ACCOUNT,
    NO_DRAWS,
    NO_STAKE,
    Account,
    Deleveraging,
    Draws,
    Market,
    Position,
    Positions,
    Sharing,
    Stake,
    State,
    genesis,
)
from riskcore.strict_json import SNAPSHOT_DIGITS, describe, read_object

SCHEMA_VERSION: Final = 1
_FIELDS: Final = ("accounts", "deleveraging", "markets", "reserves", "rulebook", "seen", "sequence", "timestamp")
#: A snapshot from before there were shares, limits to draws, losses shared out, separate parts or orders has none of
#: these.
_LATER_FIELDS: Final = ("stakes", "vault_shares", "draws", "sharing", "separate_insurance", "orders", "outflow")
_ACCOUNT_FIELDS: Final = ("balance", "positions")
_LIQUIDATED: Final = "liquidated"
_LEVERAGES: Final = "leverages"
_SOLD: Final = "sold"
_RESTING: Final = "resting"

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode


def get_state_hash(state: State) -> str:
    """SHA-256 of the canonical encoding, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for piece in _get_pieces(state, whole=False):
        digest.update(piece.encode("ascii"))
    return digest.hexdigest()


def save_state(state: State, path: Path) -> None:
    """Write the state as a snapshot file, one account a line.

    Raises ``Fault``, a ``ValueError``, for a state that ``load_state`` would refuse; the file is then as it was.
    """
    with write_whole(path) as file:
        file.writelines(piece.encode("ascii") for piece in encode_snapshot(state))


def encode_snapshot(state: State) -> Iterator[str]:
    """The text of a snapshot file, piece by piece; raises as ``save_state`` does."""
    check_state(state)
    yield from _get_pieces(state, whole=True)


def _get_pieces(state: State, whole: bool) -> Iterator[str]:
    """The encoding piece by piece; ``whole`` is what a file holds more than the hash covers, and its limits."""
    gap = "\n" if whole else ""
    digits = SNAPSHOT_DIGITS if whole else None
    yield '{"accounts":{'
    separator = gap
    for id, account in sorted(state.accounts.items(), key=_get_key):
        if whole or account != NO_ACCOUNT:
            yield f"{separator}{_canonical(id)}:{_canonical(encode_account(id, account, digits))}"
            separator = "," + gap
    yield '},"deleveraging":' + _encode_part("deleveraging", state.deleveraging, digits)
    if state.draws != NO_DRAWS:
        yield ',"draws":' + _encode_part("draws", state.draws, digits)
    markets = {id: market for id, market in state.markets.items() if market is not None}
    yield ',"markets":' + _encode_part("markets", markets, digits)
    orders = {id: order for id, order in state.orders.items() if order is not None}
    if orders:
        yield ',"orders":' + _encode_part("orders", orders, digits)
    if state.outflow != NO_DRAWS:
        yield ',"outflow":' + _encode_part("outflow", state.outflow, digits)
    yield ',"reserves":' + _encode_part("reserves", state.reserves, digits)
    if whole:
        yield f',"riskcore_snapshot":{SCHEMA_VERSION}'
    yield ',"rulebook":' + _encode_part("rulebook", state.rulebook, digits)
    if whole:
        seen = sorted(id for id, accepted in state.seen.items() if accepted)
        yield ',"seen":' + _encode_part("seen", seen, digits)
    if state.separate_insurance != 0:
        yield ',"separate_insurance":' + _encode_part("separate_insurance", state.separate_insurance, digits)
    yield ',"sequence":' + _encode_part("sequence", state.sequence, digits)
    if state.sharing is not None:
        yield ',"sharing":' + _encode_part("sharing", state.sharing, digits)
    stakes = {id: stake for id, stake in state.stakes.items() if stake != NO_STAKE}
    yield ',"stakes":' + _encode_part("stakes", stakes, digits)
    yield ',"timestamp":' + _encode_part("timestamp", state.timestamp, digits)
    yield ',"vault_shares":' + _encode_part("vault_shares", state.vault_shares, digits) + "}" + gap


def _encode_part(name: str, value: object, digits: int | None) -> str:
    with within(name):
        return _canonical(encode(value, digits))


def _get_key(entry: tuple[str, object]) -> str:
    return entry[0]


def encode_account(id: str, account: Account, digits: int | None = None) -> dict[str, Any]:
    """An account's JSON object; with ``digits`` as in a file, and ``Fault`` where that cannot hold it."""
    positions = {
        market: {"cost": position.cost, "entry_index": position.entry_index, "size": position.size}
        for market, position in account.positions.items()
    }
    for market, position in account.positions.items():
        if position.opened:
            positions[market]["opened"] = position.opened
    members: dict[str, Any] = {"balance": account.balance, "positions": positions}
    if account.liquidated != NEVER:
        members[_LIQUIDATED] = account.liquidated
    if account.leverages:
        members[_LEVERAGES] = dict(account.leverages.items())
    if account.sold != 0:
        members[_SOLD] = account.sold
    if not account.resting.is_empty:
        members[_RESTING] = {market: resting._asdict() for market, resting in account.resting.items()}
    if digits is not None:
        try:
            encode(id, digits)
            encode(members, digits)
        except Fault as fault:
            raise fault.under(printable(id)).under("accounts") from None
    return members


def load_state(path: Path, *, mutable: bool = False) -> State:
    """The state that a snapshot file holds, on the tables that ``mutable`` chooses.

    Raises ``LogError`` where the file cannot be read, or holds a state on which the
    kernel's transitions are not defined. Whether its sums are right is for the laws
    to say.
    """
    file = str(path)
    get_length(path, "a readable snapshot")
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise LogError(file, None, None, "a readable snapshot", get_cause(error)) from None
    try:
        return decode_snapshot(data, mutable=mutable)
    except Malformed as fault:
        raise LogError(file, fault.row, None, fault.expected, fault.got) from None
    except Fault as fault:
        raise LogError(file, None, fault.field, fault.expected, fault.got) from None


def decode_snapshot(data: bytes, *, mutable: bool = False) -> State:
    """The state that a snapshot file's text describes; ``Fault`` where ``load_state`` would refuse it."""
    return read_object(data, SNAPSHOT_DIGITS, lambda members: _decode_checked(members, mutable))


def _decode_checked(members: dict[str, object], mutable: bool) -> State:
    state = decode_state(members, mutable=mutable)
    check_state(state)
    return state


def encode_state(state: State, *, whole: bool = True) -> dict[str, Any]:
    """The state's JSON object, as ``decode_state`` reads it; not ``whole``: what the state hash covers, and no more."""
    members: dict[str, Any] = json.loads("".join(_get_pieces(state, whole=whole)))
    return members


def decode_state(members: dict[str, object], *, mutable: bool = False) -> State:
    """The state that the object describes, and uses up. ``Fault`` where it is none.

    Whether the kernel is defined on it, ``check_state`` says.
    """
    check_version(members, "riskcore_snapshot", SCHEMA_VERSION)
    require_fields(members, _FIELDS, "a snapshot", _LATER_FIELDS)
    with within("rulebook"):
        state = genesis(read_rulebook(members["rulebook"], SNAPSHOT), mutable=mutable)
    accounts, markets, seen, stakes, orders = state.accounts, state.markets, state.seen, state.stakes, state.orders
    for id, value in _get_entries(members, "markets"):
        with within(f"markets.{printable(id)}"):
            markets = markets.put(MarketId(id), MARKET.read(value, SNAPSHOT))
    for id, value in _get_entries(members, "accounts"):
        with within(f"accounts.{printable(id)}"):
            accounts = accounts.put(AccountId(id), _read_account(value))
    for id in _read_ids(members["seen"]):
        seen = seen.put(EventId(id), True)
    for id, value in _get_entries({"stakes": {}, **members}, "stakes"):
        with within(f"stakes.{printable(id)}"):
            stakes = stakes.put(AccountId(id), STAKE.read(value, SNAPSHOT))
    for id, value in _get_entries({"orders": {}, **members}, "orders"):
        with within(f"orders.{printable(id)}"):
            orders = orders.put(EventId(id), ORDER.read(value, SNAPSHOT))
    with within("vault_shares"):
        vault_shares = Shares(read_integer(members.get("vault_shares", 0), SNAPSHOT))
    with within("draws"):
        draws = DRAWS.read(members.get("draws", {}), SNAPSHOT)
    with within("outflow"):
        outflow = DRAWS.read(members.get("outflow", {}), SNAPSHOT)
    with within("reserves"):
        reserves = RESERVES.read(members["reserves"], SNAPSHOT)
    with within("deleveraging"):
        value = members["deleveraging"]
        deleveraging = None if value is None else DELEVERAGING.read(value, SNAPSHOT)
    with within("sharing"):
        value = members.get("sharing")
        sharing = None if value is None else SHARING.read(value, SNAPSHOT)
    with within("separate_insurance"):
        separate = Atoms(read_integer(members.get("separate_insurance", 0), SNAPSHOT))
    with within("sequence"):
        sequence = read_integer(members["sequence"], SNAPSHOT)
    with within("timestamp"):
        timestamp = Time(read_integer(members["timestamp"], SNAPSHOT))
    return State(
        state.rulebook,
        accounts,
        markets,
        seen,
        reserves,
        deleveraging,
        sequence,
        timestamp,
        stakes,
        vault_shares,
        draws,
        sharing,
        separate,
        orders,
        outflow,
    )


def _get_entries(members: dict[str, object], name: str) -> Iterator[tuple[str, object]]:
    """The entries of an object whose keys are ids."""
    with within(name):
        value = members[name]
        if type(value) is not dict:
            raise Fault("an object", describe(value))
        for id, entry in value.items():
            yield read_text(id, SNAPSHOT), entry


def _read_account(value: object) -> Account:
    if type(value) is not dict:
        raise Fault("an object", describe(value))
    require_fields(value, _ACCOUNT_FIELDS, "an account", (_LIQUIDATED, _LEVERAGES, _SOLD, _RESTING))
    with within("balance"):
        balance = Atoms(read_integer(value["balance"], SNAPSHOT))
    positions: dict[MarketId, Position] = {}
    for id, entry in _get_entries(value, "positions"):
        with within(f"positions.{printable(id)}"):
            position = POSITION.read(entry, SNAPSHOT)
            if position.size == 0:
                raise Fault("a size that is not zero", "0", "size")
            positions[MarketId(id)] = position
    with within(_LIQUIDATED):
        liquidated = Time(read_integer(value.get(_LIQUIDATED, NEVER), SNAPSHOT))
    leverages: dict[MarketId, Leverage] = {}
    for id, entry in _get_entries({_LEVERAGES: {}, **value}, _LEVERAGES):
        with within(f"{_LEVERAGES}.{printable(id)}"):
            leverages[MarketId(id)] = Leverage(read_integer(entry, SNAPSHOT))
            if not entry:
                raise Fault("a whole number above zero", "0")
    with within(_SOLD):
        sold = Atoms(read_integer(value.get(_SOLD, 0), SNAPSHOT))
    resting: dict[MarketId, Resting] = {}
    for id, entry in _get_entries({_RESTING: {}, **value}, _RESTING):
        with within(f"{_RESTING}.{printable(id)}"):
            resting[MarketId(id)] = _read_resting(entry)
    return Account(balance, Positions(positions), liquidated, Leverages(leverages), sold, RestingOrders(resting))


def _read_resting(value: object) -> Resting:
    if type(value) is not dict:
        raise Fault("an object", describe(value))
    require_fields(value, Resting._fields, "an account's orders")
    counts = {}
    for name in Resting._fields:
        with within(name):
            counts[name] = read_integer(value[name], SNAPSHOT)
    if not counts["orders"]:
        raise Fault("a number above zero", "0", "orders")
    return Resting(**counts)


def _read_ids(value: object) -> list[str]:
    with within("seen"):
        if type(value) is not list:
            raise Fault("an array of strings", describe(value))
        return [read_text(id, SNAPSHOT) for id in value]


def check_state(state: State) -> None:
    """``Fault`` for a state on which the kernel's transitions are not defined."""
    with within("rulebook"):
        check_rulebook(state.rulebook)
    if state.timestamp < 0:
        raise Fault("a time, zero or more", str(state.timestamp), "timestamp")
    for id, market in sorted(state.markets.items(), key=_get_key):
        if market is not None:
            with within(f"markets.{printable(id)}"):
                _check_market(market, state)
    times = [
        (id, account.liquidated)
        for id, account in state.accounts.items()
        if not NEVER <= account.liquidated <= state.timestamp
    ]
    if times:
        holder, time = min(times)
        expected = f"a time that is not after the snapshot's, or {NEVER} for never"
        raise Fault(expected, str(time), f"accounts.{printable(holder)}.{_LIQUIDATED}")
    debts = [(id, account.sold) for id, account in state.accounts.items() if account.sold < 0]
    if debts:
        holder, sold = min(debts)
        raise Fault("an amount, zero or more", str(sold), f"accounts.{printable(holder)}.{_SOLD}")
    strays = [
        (account_id, name, market_id)
        for account_id, account in state.accounts.items()
        for name, entries in (("positions", account.positions), (_LEVERAGES, account.leverages))
        for market_id, _ in entries.items()
        if state.markets.get(market_id) is None
    ]
    if strays:
        place = "accounts.{}.{}.{}".format(*map(printable, min(strays)))
        raise Fault("a market of this snapshot", "another", place)
    negative = [
        (account_id, market_id, leverage)
        for account_id, account in state.accounts.items()
        for market_id, leverage in account.leverages.items()
        if leverage < 0
    ]
    if negative:
        holder, chosen_in, leverage = min(negative)
        place = f"accounts.{printable(holder)}.{_LEVERAGES}.{printable(chosen_in)}"
        raise Fault("a whole number above zero", str(leverage), place)
    if state.deleveraging is not None:
        with within("deleveraging"):
            _check_deleveraging(state.deleveraging, state)
    if state.sharing is not None:
        with within("sharing"):
            _check_sharing(state.sharing, state)
    check_book(state)
    with within("draws"):
        _check_draws(state.draws, state)
    with within("outflow"):
        _check_draws(state.outflow, state)
    if not 0 <= state.separate_insurance <= state.reserves.insurance:
        expected = "an amount, zero or more and no more than the insurance fund"
        raise Fault(expected, str(state.separate_insurance), "separate_insurance")
    for holder, stake in sorted(state.stakes.items(), key=_get_key):
        with within(f"stakes.{printable(holder)}"):
            _check_stake(stake, state)


def _check_market(market: Market, state: State) -> None:
    with within("rules"):
        check_rules(market.rules)
    if market.mark_price <= 0:
        raise Fault("a price above zero", str(market.mark_price), "mark_price")
    limit = RATE_ONE * state.rulebook.funding_interval
    if not 0 <= market.funding_remainder < limit:
        expected = f"at least 0 and less than {limit}, a million times the funding interval"
        raise Fault(expected, str(market.funding_remainder), "funding_remainder")
    _check_past(market.funding_time, "funding_time", state)
    _check_past(market.mark_time, "mark_time", state)
    _check_past(market.sold_time, "sold_time", state)
    if market.sold < 0:
        raise Fault("an amount, zero or more", str(market.sold), "sold")
    for name in ("previous_mark_price", "index_price"):
        if getattr(market, name) <= 0:
            raise Fault("a price above zero", str(getattr(market, name)), name)
    _check_past(market.index_time, "index_time", state)
    if market.insurance != 0 and not has_part(market):
        raise Fault("0 where the market is not separate, or ends", str(market.insurance), "insurance")
    if not 0 <= market.insurance <= state.separate_insurance:
        raise Fault("an amount, zero or more and within separate_insurance", str(market.insurance), "insurance")
    if market.pending is not None:
        with within("pending"):
            check_rules(market.pending)
            separate = market.pending.insurance_separate
            if separate != market.rules.insurance_separate:
                raise Fault("as in the market's rules", describe(separate), "insurance_separate")
    if market.open_interest < 0:
        raise Fault("lots, zero or more", str(market.open_interest), "open_interest")


def check_rules(rules: MarketRules) -> None:
    """``Fault`` unless admissible: the base first, then each bracket above the one below it."""
    check_admissible(evolve(rules, tiers=()), is_admissible_market, "admissible rules")
    base = Tier(Atoms(0), rules.initial_margin_rate, rules.maintenance_margin_rate)
    for index, (lower, tier) in enumerate(pairwise((base, *rules.tiers))):
        with within(f"tiers[{index}]"):
            expected = "a bracket above the last one, of no lower rates"
            check_admissible(tier, partial(is_admissible_tier, lower), expected, get_numbers(lower).values())


def _check_past(time: Time, field: str, state: State) -> None:
    if time > state.timestamp:
        raise Fault("a time that is not after the snapshot's", str(time), field)


def _check_draws(draws: Draws, state: State) -> None:
    if draws.drawn < 0:
        raise Fault("an amount, zero or more", str(draws.drawn), "drawn")
    _check_past(draws.since, "since", state)


def _check_stake(stake: Stake, state: State) -> None:
    """One that is part of the total, by which the kernel divides."""
    if not 0 <= stake.shares <= state.vault_shares:
        raise Fault("shares, zero or more and within vault_shares", str(stake.shares), "shares")
    if stake.deposit < 0:
        raise Fault("an amount, zero or more", str(stake.deposit), "deposit")
    if not 0 <= stake.redemption <= stake.shares:
        raise Fault("zero or more of the stake's shares", str(stake.redemption), "redemption")
    for field, time in (("deposit_time", stake.deposit_time), ("redemption_time", stake.redemption_time)):
        if not 0 <= time <= state.timestamp:
            raise Fault("a time, zero or more and not after the snapshot's", str(time), field)


def _check_deleveraging(episode: Deleveraging, state: State) -> None:
    """One that its own steps can carry on."""

    def get_size(id: AccountId) -> int:
        return state.accounts.get(id).positions.get(episode.market).size

    if state.markets.get(episode.market) is None:
        raise Fault("a market of this snapshot", describe(episode.market), "market")
    size = get_size(episode.account)
    if not 0 <= episode.done < episode.lots or abs(size) < episode.lots - episode.done:
        raise Fault("lots less those done, above zero and no more than the account holds", str(episode.lots), "lots")
    if episode.excess < 0:
        raise Fault("an amount, zero or more", str(episode.excess), "excess")
    if not 0 <= episode.head <= len(episode.queue):
        raise Fault("a place in the queue", str(episode.head), "head")
    waiting = episode.queue[episode.head :]
    if len(set(waiting)) < len(waiting) or any(get_size(id) * size >= 0 for id in waiting):
        raise Fault("different accounts on the opposite side behind the head", "others", "queue")
    if episode.level_lots < 0:
        raise Fault("lots, zero or more", str(episode.level_lots), "level_lots")
    if episode.level_weight <= 0:
        raise Fault("a weight above zero", str(episode.level_weight), "level_weight")
    _check_parts(episode, state)


def _check_parts(episode: Deleveraging, state: State) -> None:
    """That those still to come are allotted all that is left to close, or all that they have."""
    policy, market = state.rulebook.adl_allocation, get_market(state, episode.market)
    waiting = [state.accounts.get(id) for id in episode.queue[episode.head :]]
    positions = [account.positions.get(episode.market) for account in waiting]
    if policy is Allocation.QUEUE:
        if (episode.level_lots, episode.level_weight, episode.remainder) != (0, 1, 0):
            raise Fault("no level and no remainder, where the rulebook parts no lots", "others", "level_lots")
        return
    level = episode.level_lots, episode.level_weight
    parts = [
        get_part(policy, held.size, held.cost, market.mark_price, get_margin(account, state.markets).equity, *level)
        for account, held in zip(waiting, positions, strict=True)
    ]
    left = min(episode.lots - episode.done, sum(abs(held.size) for held in positions))
    if not 0 <= episode.remainder <= sum(part.most - part.least for part in parts):
        raise Fault("no more lots than there are parts with a fraction", str(episode.remainder), "remainder")
    if sum(part.least for part in parts) + episode.remainder != left:
        raise Fault("a level at which the parts are all that is left to close", str(episode.level_lots), "level_lots")


def _check_sharing(sharing: Sharing, state: State) -> None:
    """One that its own steps can carry on, and that all else waits for."""
    if state.deleveraging is not None:
        raise Fault("null, where a deleveraging is open", "both", "")
    market = state.markets.get(sharing.market)
    if market is None:
        raise Fault("a market of this snapshot", describe(sharing.market), "market")
    if sharing.amount <= 0:
        raise Fault("an amount above zero", str(sharing.amount), "amount")
    if sharing.weight <= 0:
        raise Fault("a weight above zero", str(sharing.weight), "weight")
    if not 0 <= sharing.head < len(sharing.members):
        raise Fault("a place among the members", str(sharing.head), "head")
    members = sharing.members
    if any(first >= second for first, second in pairwise(members)):
        raise Fault("different accounts in the order of their ids", "others", "members")
    accounts = (state.accounts.get(id) for id in members[sharing.head :])
    left = sum(get_account_weight(state, sharing.market, market, account) for account in accounts)
    if sharing.done < 0 or left != sharing.weight - sharing.done:
        raise Fault("the weight less that of the members still to pay", str(sharing.done), "done")
    if sharing.amount - get_due(sharing, sharing.done) > -state.reserves.uncovered:
        raise Fault("an amount whose rest is still uncovered", str(sharing.amount), "amount")
