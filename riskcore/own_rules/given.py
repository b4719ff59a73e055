"""What a clause is said of: any inputs, on symbols; or the inputs of a counterexample, on integers.

A clause is one procedure for both: it names its inputs, assumes what holds of them, calls the rules, and
says what must hold. So a counterexample is the same clause, run by CPython.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, Protocol

import attrs
from attrs import frozen

from riskcore.choices import TierRule
from riskcore.own_rules.files import RulesFile
from riskcore.prover.symbols import SymBool, SymInt, new_bool, new_int, to_bool
from riskcore.prover.tracer import Tracer
from riskcore.quantities import Rate
from riskcore.ranking import Candidate, Score
from riskcore.rulebook import MarketRules, Tier
from riskcore.state import Market
from specs.markets import admissible
from specs.tiers import admissible_tiers

#: Ids in their order.
NAMES = ("alice", "bob", "carol", "dave")
#: A market has its base rates, and up to so many brackets more.
MOST_TIERS = 2
#: Rules of a market, where nothing else is asked for.
PLAIN_RULES = MarketRules(Rate(100_000), Rate(50_000), Rate(500), Rate(-100), Rate(5_000))
_FLAGS = ("liquidation_tier_step", "insurance_separate")
_WORDS = ("tiers", "tier_rule")
#: Fields of a market that are no integers; no rule may look at them but the first.
_FIXED = ("rules", "status", "best_bid", "best_ask", "pending")


class WrongResult(Exception):
    """A rule gave back what is none of its results."""


class NotSo(Exception):
    """An input does not have what a clause assumes of it."""


@frozen
class Called:
    """A rule's call: its arguments by the parameters' names, and its value."""

    function: str
    arguments: tuple[Any, ...]
    value: Any


class Given(Protocol):
    """How a clause gets its inputs, and the rules' values at them.

    ``looked_at_tiers``: whether a rule did, of any market.
    """

    looked_at_tiers: bool

    def integer(self, name: str) -> Any: ...

    def truth(self, name: str) -> Any: ...

    def id(self, name: str) -> Any: ...

    def rules(self, name: str, values: dict[str, Any], tier_rule: TierRule) -> Any: ...

    def market(self, values: dict[str, Any]) -> Any: ...

    def assume(self, *facts: Any) -> None: ...

    def has(self, function: str) -> bool: ...

    def call(self, function: str, *arguments: Any) -> Any: ...


def get_rules(given: Given, name: str = "rules", tier_rule: TierRule = TierRule.MARGINAL) -> Any:
    """Any admissible rules of a market."""
    values: dict[str, Any] = {
        one.name: given.truth(f"{name}.{one.name}") if one.name in _FLAGS else given.integer(f"{name}.{one.name}")
        for one in attrs.fields(MarketRules)
        if one.name not in _WORDS
    }
    rules = given.rules(name, values, tier_rule)
    given.assume(admissible(rules))
    return rules


def get_market(given: Given, rules: Any, name: str = "market", mark: Any = None) -> Any:
    """Any listed market of these rules: its mark price is above zero."""
    figures: dict[str, Any] = {
        one.name: given.integer(f"{name}.{one.name}")
        for one in attrs.fields(Market)
        if one.name not in (*_FIXED, "mark_price")
    }
    price = given.integer(f"{name}.mark_price") if mark is None else mark
    given.assume(price > 0)
    return given.market({"rules": rules, "mark_price": price, **figures})


def get_candidate(given: Given, name: str) -> Any:
    """Any candidate of a queue: a score over a divisor above zero, a size, an id and a weight."""
    score = Score(given.integer(f"{name}.numerator"), given.integer(f"{name}.denominator"))
    weight = given.integer(f"{name}.weight")
    given.assume(score.denominator > 0, weight >= 1)
    return Candidate(score, given.integer(f"{name}.size"), given.id(f"{name}.id"), weight)


class SymbolicId:
    """Any account id. Ids have an order, and nothing else that a rule may ask for."""

    __slots__ = ("place",)
    # equality is a symbol, so neither a hash nor a plain truth can go with it: hence what mypy is not told of
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, place: SymInt) -> None:
        self.place = place

    def __lt__(self, other: SymbolicId) -> SymBool:
        return self.place < _get_place(other)

    def __le__(self, other: SymbolicId) -> SymBool:
        return self.place <= _get_place(other)

    def __gt__(self, other: SymbolicId) -> SymBool:
        return self.place > _get_place(other)

    def __ge__(self, other: SymbolicId) -> SymBool:
        return self.place >= _get_place(other)

    def __eq__(self, other: object) -> SymBool:  # type: ignore[override]
        return self.place == _get_place(other)

    def __ne__(self, other: object) -> SymBool:  # type: ignore[override]
        return self.place != _get_place(other)

    def __bool__(self) -> bool:
        raise TypeError("the truth value of an id was asked for; ids are compared with each other")

    def __str__(self) -> str:
        raise TypeError("an id was made into text; ids are compared with each other")

    def __format__(self, how: str) -> str:
        return str(self)


def _get_place(id: object) -> SymInt:
    if not isinstance(id, SymbolicId):
        raise TypeError(f"an id was compared with {id!r}; ids are compared with each other")
    return id.place


class AnyMarket:
    """Any market, as far as a rule may look."""

    def __init__(self, values: dict[str, Any]) -> None:
        vars(self).update(values)

    def __getattr__(self, name: str) -> Any:
        raise TypeError(f"the market's {name} was asked for: a rule goes by its mark price and its rules")


class AnyRules:
    """Any rules of a market. Who looks at how brackets are used is asked about each way."""

    def __init__(self, given: SymbolicGiven, name: str, values: dict[str, Any], tier_rule: TierRule) -> None:
        vars(self).update(values)
        self._given, self._tier_rule = given, tier_rule
        self.tiers = LazyTiers(given, name, self)

    @property
    def tier_rule(self) -> TierRule:
        self._given.looked_at_tiers = True
        return self._tier_rule


class LazyTiers:
    """Any brackets, how many is settled when somebody looks: who does not is proven for any number."""

    def __init__(self, given: SymbolicGiven, name: str, rules: Any) -> None:
        self._given, self._name, self._rules = given, name, rules
        self._tiers: tuple[Tier, ...] | None = None

    #: What is assumed of brackets that nobody looks at: they matter to nobody.
    are_admissible = True

    def _get(self) -> tuple[Tier, ...]:
        self._given.looked_at_tiers = True
        if self._tiers is None:
            self._tiers = make_tiers(self._given, self._name)
            self._given.assume(admissible_tiers(SimpleNamespace(**{**vars(self._rules), "tiers": self._tiers})))
        return self._tiers

    def __iter__(self) -> Iterator[Tier]:
        return iter(self._get())

    def __len__(self) -> int:
        return len(self._get())

    def __bool__(self) -> bool:
        return bool(self._get())

    def __getitem__(self, place: Any) -> Any:
        return self._get()[place]


def make_tiers(given: Given, name: str) -> tuple[Tier, ...]:
    """None to ``MOST_TIERS`` brackets of any figures; of rules that change, one at most."""
    most = MOST_TIERS if name == "rules" else 1
    count = next((number for number in range(most) if bool(given.truth(f"{name}.are_{number}"))), most)
    fields = ("floor", "initial_margin_rate", "maintenance_margin_rate")
    return tuple(Tier(*(given.integer(f"{name}.tiers[{number}].{one}") for one in fields)) for number in range(count))


class SymbolicGiven:
    """Any inputs, on one path."""

    def __init__(self, tracer: Tracer, file: RulesFile) -> None:
        self._tracer, self._file = tracer, file
        self.looked_at_tiers = False

    def integer(self, name: str) -> Any:
        return new_int(name)

    def truth(self, name: str) -> Any:
        return new_bool(name)

    def id(self, name: str) -> Any:
        return SymbolicId(new_int(name))

    def rules(self, name: str, values: dict[str, Any], tier_rule: TierRule) -> Any:
        return AnyRules(self, name, values, tier_rule)

    def market(self, values: dict[str, Any]) -> Any:
        return AnyMarket(values)

    def assume(self, *facts: Any) -> None:
        self._tracer.assume(*(to_bool(fact) for fact in facts))

    def has(self, function: str) -> bool:
        return function in self._file.functions

    def call(self, function: str, *arguments: Any) -> Any:
        return check_result(function, self._file.get(function)(*arguments))


class PlainGiven:
    """The inputs of a model, on integers; ``calls`` has what the rules gave for them."""

    def __init__(self, values: Mapping[str, Any], file: RulesFile) -> None:
        self._values, self._file = values, file
        self.looked_at_tiers = True
        self.calls: list[Called] = []

    def integer(self, name: str) -> Any:
        return self._values.get(name, 0)

    def truth(self, name: str) -> Any:
        return self._values.get(name, False)

    def id(self, name: str) -> Any:
        # one that the path did not ask for has none among the values
        own = self._values.get(name, 0)
        places = sorted({own, *(place for one, place in self._values.items() if one.endswith(".id"))})
        return NAMES[places.index(own)]

    def rules(self, name: str, values: dict[str, Any], tier_rule: TierRule) -> Any:
        # a path that looked at no brackets says nothing of any
        tiers = make_tiers(self, name) if f"{name}.are_0" in self._values else ()
        return MarketRules(**values, tiers=tiers, tier_rule=tier_rule)

    def market(self, values: dict[str, Any]) -> Any:
        return Market(**values)

    def assume(self, *facts: Any) -> None:
        if not all(facts):
            raise NotSo

    def has(self, function: str) -> bool:
        return function in self._file.functions

    def call(self, function: str, *arguments: Any) -> Any:
        value = self._file.get(function)(*arguments)
        # what is none of a rule's results is kept as it reads
        is_plain = value is None or isinstance(value, int | float | str | Score)
        self.calls.append(Called(function, arguments, value if is_plain else repr(value)))
        return check_result(function, value)


def check_result(function: str, value: Any) -> Any:
    """The value of a rule, if it is one. Raises ``WrongResult``."""
    if function == "is_ahead":
        if not isinstance(value, SymBool) and type(value) is not bool:
            raise WrongResult("gave no truth value")
    elif function == "get_score":
        if not isinstance(value, Score) or not all(_is_integer(part) for part in value):
            raise WrongResult("gave no riskcore.ranking.Score of two integers")
    elif not _is_integer(value):
        raise WrongResult("gave no integer")
    return value


def _is_integer(value: Any) -> bool:
    return isinstance(value, SymInt) or type(value) is int
