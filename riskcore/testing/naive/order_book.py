"""The model's order book: two sorted lists, looked through from end to end."""

from __future__ import annotations

from typing import NamedTuple


class Ticket(NamedTuple):
    """A resting order; ``size`` lots are left of it, + buys, - sells. ``reduces``: it may do nothing else."""

    id: str
    account: str
    size: int
    price: int
    sequence: int
    reduces: bool

    @property
    def buys(self) -> bool:
        return self.size > 0

    @property
    def place(self) -> tuple[int, int]:
        """What is lower is better."""
        return -self.price if self.buys else self.price, self.sequence


class OrderView(NamedTuple):
    """An order as the state has it, with its neighbours."""

    account: str
    market: str
    size: int
    price: int
    sequence: int
    reserved: int
    ahead: str
    behind: str


class RestingView(NamedTuple):
    """Lots that an account's orders of a market buy and sell, those that only reduce left out, and how many."""

    bids: int = 0
    asks: int = 0
    orders: int = 0


class Book:
    """One market's orders in one list, by price and age within each side."""

    def __init__(self, tickets: list[Ticket]) -> None:
        self.tickets = tickets

    def get_side(self, buys: bool) -> list[Ticket]:
        """Best first."""
        return sorted((ticket for ticket in self.tickets if ticket.buys == buys), key=lambda ticket: ticket.place)

    def get_best(self, buys: bool) -> Ticket | None:
        side = self.get_side(buys)
        return side[0] if side else None

    def get_price(self, buys: bool) -> int:
        best = self.get_best(buys)
        return 0 if best is None else best.price

    def find(self, id: str) -> Ticket | None:
        return next((ticket for ticket in self.tickets if ticket.id == id), None)

    def would_trade(self, buys: bool, price: int) -> bool:
        return any(
            other.buys != buys and (other.price <= price if buys else other.price >= price) for other in self.tickets
        )

    def get_ahead(self, ticket: Ticket) -> str | None:
        """Behind whom a ticket stands, among those that there are."""
        better = [other.id for other in self.get_side(ticket.buys) if other.place < ticket.place]
        return better[-1] if better else None

    def add(self, ticket: Ticket) -> None:
        self.tickets.append(ticket)

    def drop(self, id: str) -> None:
        self.tickets = [ticket for ticket in self.tickets if ticket.id != id]

    def take(self, id: str, lots: int) -> None:
        """So many lots of an order are traded."""
        found = self.find(id)
        assert found is not None
        self.drop(id)
        left = found.size - lots if found.buys else found.size + lots
        if left:
            self.add(found._replace(size=left))

    def count(self, account: str) -> RestingView:
        own = [ticket for ticket in self.tickets if ticket.account == account]
        free = [ticket.size for ticket in own if not ticket.reduces]
        return RestingView(sum(size for size in free if size > 0), -sum(size for size in free if size < 0), len(own))

    def view(self, market: str) -> dict[str, OrderView]:
        views = {}
        for side in (self.get_side(True), self.get_side(False)):
            ids = ["", *(ticket.id for ticket in side), ""]
            for place, ticket in enumerate(side):
                reserved = 0 if ticket.reduces else abs(ticket.size)
                terms = ticket.account, market, ticket.size, ticket.price, ticket.sequence, reserved
                views[ticket.id] = OrderView(*terms, ids[place], ids[place + 2])
        return views


def get_exposed(size: int, resting: RestingView) -> int:
    """Lots of the larger of the two positions that it could come to, all orders of one side filled."""
    return max(abs(size + resting.bids), abs(size - resting.asks))
