"""Order books in snapshots: what comes back is what went in, and a book that is none is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from riskcore.bad_input import LogError
from riskcore.events import CancelOrder, Deposit, Event, Fill, ListMarket, PlaceOrder
from riskcore.quantities import AccountId, EventId
from riskcore.snapshot import get_state_hash, load_state, save_state
from riskcore.state import State, genesis
from riskcore.step import step
from riskcore.testing.observation import observe
from riskcore.testing.rulebooks import make_rulebook, make_rules


def make_events() -> list[Event]:
    """BTC: bids b1 and b2 at 90, b3 at 80; an ask a1 at 110 that only reduces, a2 at 120. ETH: one bid."""
    listed: list[tuple[Any, ...]] = [
        (ListMarket, "BTC", make_rules(), 100),
        (ListMarket, "ETH", make_rules(), 100),
        (Deposit, "amber", 1000),
        (Deposit, "birch", 1000),
        (PlaceOrder, "amber", "BTC", 5, 100),
        (Fill, "birch", "amber", "BTC", -5, 100, "e5"),
        (PlaceOrder, "amber", "BTC", 2, 90),
        (PlaceOrder, "birch", "BTC", 1, 90, False, "e7"),
        (PlaceOrder, "amber", "BTC", 3, 80, False, "e8"),
        (PlaceOrder, "amber", "BTC", -9, 110, True),
        (PlaceOrder, "birch", "BTC", -4, 120, False, "e10"),
        (PlaceOrder, "birch", "ETH", 1, 10),
    ]
    return [kind(f"e{number}", number, number, *fields) for number, (kind, *fields) in enumerate(listed, 1)]


def make_state(*, mutable: bool = False) -> State:
    state = genesis(make_rulebook(has_book=True), mutable=mutable)
    for event in make_events():
        outcome = step(state, event)
        assert outcome.rejected is None
        state = outcome.state
    return state


def test_a_book_survives_a_file(tmp_path: Path) -> None:
    file, state = tmp_path / "state.json", make_state()
    save_state(state, file)

    for mutable in (False, True):
        loaded = load_state(file, mutable=mutable)
        assert observe(state) == observe(loaded)
        assert get_state_hash(state) == get_state_hash(make_state(mutable=True)) == get_state_hash(loaded)


def test_it_counts_in_the_hash_and_goes_out_of_it() -> None:
    state, hashes = make_state(), set()
    for id in ("e7", "e8", "e9", "e10", "e11", "e12"):
        hashes.add(get_state_hash(state))
        market = state.orders.get(EventId(id))
        assert market is not None
        header = EventId(f"c{id}"), state.sequence + 1, state.timestamp
        state = step(state, CancelOrder(*header, market.market, EventId(id))).state
    plain = step(genesis(make_rulebook(has_book=True)), make_events()[0]).state

    assert 6 == len(hashes)
    # nothing rests, as if nothing ever had
    assert get_state_hash(evolve(state, orders=plain.orders)) == get_state_hash(state)


RESTING = "accounts.amber.resting.BTC"
PLACE = "expected a place behind better prices and older orders, got another"
SPOILT: dict[str, tuple[dict[str, Any], str]] = {
    "no array": ({"orders": []}, "orders: expected an object, got an array"),
    "no object": ({"orders.e7": 5}, "orders.e7: expected an object, got 5"),
    "field missing": ({"orders.e7.price": ...}, "orders.e7.price: expected this field in order, got none"),
    "unknown market": (
        {"orders.e7.market": "DOGE"},
        'orders.e7.market: expected a market of this snapshot, got "DOGE"',
    ),
    "market listed": ({"orders.e7.market": "ETH"}, 'markets.BTC.best_bid: expected an order of this side, got "e7"'),
    "id not seen": ({"seen": ["e8"]}, "orders.e10: expected the id of an accepted event, got another"),
    "no size": ({"orders.e7.size": 0}, "orders.e7.size: expected a size that is not zero, got 0"),
    "other side": (
        {"orders.e7.size": -2},
        'markets.BTC.best_bid: expected an order of this side, got "e7"',
    ),
    "no price": ({"orders.e7.price": 0}, "orders.e7.price: expected a price above zero, got 0"),
    "part reserved": ({"orders.e7.reserved": 1}, "orders.e7.reserved: expected 0 or all lots, 2, got 1"),
    "to come": (
        {"orders.e7.sequence": 13},
        "orders.e7.sequence: expected a number that is not after the snapshot's, got 13",
    ),
    "best unknown": (
        {"markets.BTC.best_bid": "e99", "markets.BTC.bid_price": 0},
        'markets.BTC.best_bid: expected an order of this side, got "e99"',
    ),
    "best of nothing": (
        {"markets.BTC.best_bid": ..., "markets.BTC.bid_price": ...},
        "orders.e7: expected an order that its market's best leads to, got another",
    ),
    "second is best": (
        {"markets.BTC.best_bid": "e8"},
        'orders.e8.ahead: expected the order that it stands behind, "", got "e7"',
    ),
    "best price": (
        {"markets.BTC.bid_price": 91},
        "markets.BTC.best_bid: expected the price of the side's best order, or 0 where there is none, got 91",
    ),
    "price without orders": (
        {"markets.ETH.ask_price": 91},
        "markets.ETH.best_ask: expected the price of the side's best order, or 0 where there is none, got 91",
    ),
    "cut off": (
        {"orders.e8.behind": ...},
        "orders.e9: expected an order that its market's best leads to, got another",
    ),
    "in a circle": (
        {"orders.e9.behind": "e7"},
        'orders.e7.ahead: expected the order that it stands behind, "e9", got ""',
    ),
    "one sided": (
        {"orders.e9.ahead": "e7"},
        'orders.e9.ahead: expected the order that it stands behind, "e8", got "e7"',
    ),
    "behind unknown": ({"orders.e9.behind": "e99"}, 'orders.e9.behind: expected an order of this side, got "e99"'),
    "worse ahead": ({"orders.e9.price": 91}, f"orders.e9: {PLACE}"),
    "younger ahead": ({"orders.e8.sequence": 7}, f"orders.e8: {PLACE}"),
    "crossed": (
        {"orders.e10.price": 90, "markets.BTC.ask_price": 90},
        "markets.BTC.ask_price: expected a price above 90, that of the best bid, got 90",
    ),
    "fewer lots": (
        {f"{RESTING}.bids": 4},
        f"{RESTING}: expected what its orders are, bids 5, asks 0, orders 3, got bids 4, asks 0, orders 3",
    ),
    "reducing lots counted": (
        {f"{RESTING}.asks": 9},
        f"{RESTING}: expected what its orders are, bids 5, asks 0, orders 3, got bids 5, asks 9, orders 3",
    ),
    "one order more": (
        {f"{RESTING}.orders": 4},
        f"{RESTING}: expected what its orders are, bids 5, asks 0, orders 3, got bids 5, asks 0, orders 4",
    ),
    "nothing counted": (
        {"accounts.amber.resting": ...},
        f"{RESTING}: expected what its orders are, bids 5, asks 0, orders 3, got bids 0, asks 0, orders 0",
    ),
    "counted elsewhere": (
        {"accounts.amber.resting.DOGE": {"bids": 1, "asks": 0, "orders": 1}},
        "accounts.amber.resting.DOGE: expected what its orders are, bids 0, asks 0, orders 0, "
        "got bids 1, asks 0, orders 1",
    ),
    "counts of nothing": (
        {"accounts.amber.resting.ETH": {"bids": 0, "asks": 0, "orders": 0}},
        "accounts.amber.resting.ETH.orders: expected a number above zero, got 0",
    ),
    "count missing": (
        {f"{RESTING}.asks": ...},
        f"{RESTING}.asks: expected this field in an account's orders, got none",
    ),
    "count of text": (
        {f"{RESTING}.asks": "1"},
        f'{RESTING}.asks: expected an integer of at most 400 digits, got "1"',
    ),
    "no counts": ({RESTING: []}, f"{RESTING}: expected an object, got an array"),
}


def spoil(document: dict[str, Any], path: str, value: object) -> None:
    *parents, name = path.split(".")
    for parent in parents:
        document = document[parent]
    if value is ...:
        del document[name]
    else:
        document[name] = value


@pytest.mark.parametrize(("changes", "sentence"), SPOILT.values(), ids=SPOILT.keys())
def test_a_book_that_is_none_is_refused(changes: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    save_state(make_state(), file)
    document = json.loads(file.read_text())
    for path, value in changes.items():
        spoil(document, path, value)
    file.write_text(json.dumps(document))

    with pytest.raises(LogError) as caught:
        load_state(file)

    assert f"{file}: {sentence}" == str(caught.value)


def test_nor_is_it_written(tmp_path: Path) -> None:
    state = make_state()
    account = evolve(state.accounts.get(AccountId("amber")), resting=state.accounts.get(AccountId("birch")).resting)
    state = evolve(state, accounts=state.accounts.put(AccountId("amber"), account))

    with pytest.raises(ValueError, match="what its orders are"):
        save_state(state, tmp_path / "state.json")

    assert [] == list(tmp_path.iterdir())
