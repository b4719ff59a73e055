"""What a policy is tried on: winners, all short in one market, and longs that are bankrupt one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from random import Random
from typing import TypeAlias

from attrs import evolve, frozen


@frozen
class Winner:
    """A short in one market.

    ``sales``: lots and price, in atoms per lot, of each trade that opened it. ``equity``: atoms at mark.
    ``opened``: when; who has less opened earlier. ``is_hedged``: a long in another market, of the same mark, gains
    what the short loses.
    """

    name: str
    sales: tuple[tuple[int, int], ...]
    equity: int
    opened: int = 0
    is_hedged: bool = False

    @property
    def held(self) -> int:
        return sum(lots for lots, _ in self.sales)

    @property
    def entry(self) -> int:
        """Atoms that the position was traded at."""
        return sum(lots * price for lots, price in self.sales)


@frozen
class Round:
    """A long's bankruptcy. ``lots`` it holds; ``shortfall``: atoms that each is short of, at mark."""

    lots: int
    shortfall: int = 0


@frozen
class Case:
    """``mark``: atoms per lot when everything is closed. ``rounds`` come one after another."""

    mark: int
    winners: tuple[Winner, ...]
    rounds: tuple[Round, ...]

    @property
    def lots(self) -> int:
        return sum(one.lots for one in self.rounds)

    def get_figures(self) -> tuple[int, ...]:
        """Every number in it: of two cases, the plainer has fewer winners, or smaller ones."""
        winners = (number for one in self.winners for sale in one.sales for number in (*sale, one.equity, one.opened))
        rounds = (number for one in self.rounds for number in (one.lots, one.shortfall))
        return (self.mark, *winners, *rounds)


#: A case and those that a property compares it with.
Variants: TypeAlias = tuple[Case, ...]


def is_playable(case: Case) -> bool:
    """Whether figures are above zero, there are lots to close, and all winners can bear their part of each round."""
    return (
        case.mark > 0
        and 0 < case.lots <= sum(one.held for one in case.winners)
        and all(one.lots > 0 and one.shortfall >= 0 for one in case.rounds)
        and all(_can_bear(one, case) for one in case.winners)
    )


def _can_bear(winner: Winner, case: Case) -> bool:
    burden = winner.held * sum(one.shortfall for one in case.rounds)
    return winner.equity > burden and all(lots > 0 and price > 0 for lots, price in winner.sales)


NAMES = ("amber", "birch", "cedar", "daisy", "elder")


def draw_case(random: Random) -> Case:
    """Some case with two to four winners, figures often the same, so that ranks tie; or now and then with a crowd."""
    mark = random.choice((10, 20, 50))
    winners = _draw_crowd(random, mark) if random.random() < CROWDS else _draw_few(random, mark)
    lots = random.randint(1, sum(one.held for one in winners))
    return Case(mark, winners, (Round(lots, random.choice((0, 0, 1, 2))),))


#: How often a case has a crowd.
CROWDS = 0.2


def _draw_few(random: Random, mark: int) -> tuple[Winner, ...]:
    return tuple(_draw_winner(random, name, mark) for name in NAMES[: random.randint(2, 4)])


def _draw_crowd(random: Random, mark: int) -> tuple[Winner, ...]:
    """Many small and few large ones, whose parts the roundings of the many add up in."""
    winners = []
    for place in range(random.choice((6, 10, 16, 24))):
        is_large = random.random() < 0.15
        held = random.choice((40, 100, 300) if is_large else (1, 2, 3, 5))
        equity = held * random.choice((3, 5, 8, 13)) + random.choice((0, 1, 3))
        winners.append(Winner(f"winner{place:02}", ((held, mark + mark // 5),), equity, place))
    return tuple(winners)


def _draw_winner(random: Random, name: str, mark: int) -> Winner:
    sales = tuple(
        (random.choice((1, 2, 3, 4, 6, 8, 12, 20, 30)), _draw_price(random, mark))
        for _ in range(random.choice((1, 1, 1, 2)))
    )
    held = sum(lots for lots, _ in sales)
    equity = random.choice((1, 2, 5, 10, 50)) * held * random.choice((1, 2, 3)) + random.choice((0, 0, 0, 1, 7))
    return Winner(name, sales, equity, random.choice((0, 0, 1, 2, 3)))


def _draw_price(random: Random, mark: int) -> int:
    return random.choice((mark - 1, mark + 1, *(mark * part // 5 for part in (4, 5, 6, 8, 9, 11, 12, 15, 20, 30, 50))))


#: The figures of the cases that ``iter_grid`` runs through.
GRID_MARK, GRID_HELD, GRID_PRICES, GRID_EQUITY = 4, (1, 2, 5), (3, 4, 6, 12), (2, 12)


def iter_grid() -> Iterator[Case]:
    """Every case of two winners with the figures above, one deficit or none, and any lots to close."""
    figures = list(product(GRID_HELD, GRID_PRICES, GRID_EQUITY))
    for one, other in product(figures, repeat=2):
        winners = tuple(
            Winner(name, ((held, price),), equity * held, place)
            for place, (name, (held, price, equity)) in enumerate(zip(NAMES[:2], (one, other), strict=True))
        )
        for lots in range(1, one[0] + other[0] + 1):
            for shortfall in (0, 1):
                yield Case(GRID_MARK, winners, (Round(lots, shortfall),))


def shrink(case: Case, still: Callable[[Case], bool]) -> Case:
    """A case of which no single figure can be made smaller, and no winner left out, so that ``still`` holds."""
    found = True
    while found:
        found = False
        for simpler in iter_simpler(case):
            if is_playable(simpler) and still(simpler):
                case, found = simpler, True
                break
    return case


def iter_simpler(case: Case) -> Iterator[Case]:
    """The same with less: a winner, a round's lots, a figure."""
    for place in range(len(case.winners)):
        if len(case.winners) > 1:
            yield evolve(case, winners=case.winners[:place] + case.winners[place + 1 :])
    for place, one in enumerate(case.rounds):
        for lots in iter_smaller(one.lots, 1):
            yield _with_round(case, place, evolve(one, lots=lots))
        for shortfall in iter_smaller(one.shortfall, 0):
            yield _with_round(case, place, evolve(one, shortfall=shortfall))
    for place, winner in enumerate(case.winners):
        for simpler in _iter_simpler_winners(winner):
            yield evolve(case, winners=(*case.winners[:place], simpler, *case.winners[place + 1 :]))
    for mark in iter_smaller(case.mark, 1):
        yield evolve(case, mark=mark)


def _with_round(case: Case, place: int, one: Round) -> Case:
    return evolve(case, rounds=(*case.rounds[:place], one, *case.rounds[place + 1 :]))


def _iter_simpler_winners(winner: Winner) -> Iterator[Winner]:
    for opened in iter_smaller(winner.opened, 0):
        yield evolve(winner, opened=opened)
    for equity in iter_smaller(winner.equity, 1):
        yield evolve(winner, equity=equity)
    for place, (lots, price) in enumerate(winner.sales):
        smaller = [*((one, price) for one in iter_smaller(lots, 1)), *((lots, one) for one in iter_smaller(price, 1))]
        for sale in smaller:
            yield evolve(winner, sales=(*winner.sales[:place], sale, *winner.sales[place + 1 :]))


def iter_smaller(number: int, least: int) -> Iterable[int]:
    """Smaller numbers, the smallest first, and those close by last."""
    return dict.fromkeys(
        one for one in (least, number // 4, number // 2, number - 2, number - 1) if least <= one < number
    )
