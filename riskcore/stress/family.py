"""A family of scenarios as a TOML file: one scenario, which of its figures are drawn, and the rulebooks to compare."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias

from attrs import evolve, frozen

from riskcore.bad_input import Fault, LogError, get_hint, printable, quote, within
from riskcore.choices import AdlSize, Allocation, CloseOut, LossSharing, RankPolicy
from riskcore.rulebook import Rulebook, is_admissible_rulebook
from riskcore.simulation.scenario import Scenario
from riskcore.simulation.scenario_file import decode_scenario
from riskcore.strict_toml import Members, describe_toml, one_of, read_array, read_name, read_text, read_toml, whole
from riskcore.units import parse_decimal

SCHEMA_VERSION: Final = 1
MOST_PATHS: Final = 1_000_000

#: A place in a scenario's table: keys, and places in arrays.
Place: TypeAlias = tuple[str | int, ...]


@frozen
class Variation:
    """A figure between ``low`` and ``high``, of as many decimals as those are written with."""

    name: str
    place: Place
    low: Fraction
    high: Fraction
    decimals: int

    def draw(self, random: Random) -> str | int:
        return self.write(random.randint(0, self.get_steps()))

    def get_steps(self) -> int:
        return int((self.high - self.low) * 10**self.decimals)

    def write(self, step: int) -> str | int:
        """The figure so many steps above the lowest, as a scenario has it."""
        scaled = int(self.low * 10**self.decimals) + step
        if not self.decimals:
            return scaled
        whole_part, rest = divmod(abs(scaled), 10**self.decimals)
        return f"{'-' if scaled < 0 else ''}{whole_part}.{rest:0{self.decimals}}"


@frozen
class Choice:
    """A rulebook to compare: what of the scenario's is otherwise."""

    name: str
    fields: Mapping[str, Any]

    def apply(self, rulebook: Rulebook) -> Rulebook:
        return evolve(rulebook, **self.fields)


@frozen
class Family:
    """``members``: the scenario's table, as it is written; ``folder``: where it names files from."""

    name: str
    members: Mapping[str, Any]
    folder: Path
    variations: tuple[Variation, ...]
    choices: tuple[Choice, ...]
    paths: int
    seed: int

    def draw(self, path: int) -> tuple[dict[str, str | int], Scenario]:
        """The figures of a path, and its scenario: the same for every rulebook, and on every machine."""
        random = Random(self.seed * MOST_PATHS + path)
        figures = {one.name: one.draw(random) for one in self.variations}
        return figures, self.make({one.place: figures[one.name] for one in self.variations}, random.getrandbits(64))

    def make(self, figures: Mapping[Place, str | int], seed: int) -> Scenario:
        """The scenario with these figures. Raises ``Fault``."""
        members = deepcopy(dict(self.members))
        for place, figure in figures.items():
            put(members, place, figure)
        return evolve(decode_scenario(members, self.folder), seed=seed)


#: What of a rulebook may be compared, and the words for it.
WORDS: Final[dict[str, type[StrEnum]]] = {
    "adl_rank": RankPolicy,
    "adl_allocation": Allocation,
    "adl_close_out": CloseOut,
    "adl_size": AdlSize,
    "loss_sharing": LossSharing,
}
SWITCHES: Final = (
    "adl_solvent",
    "adl_requires_profit",
    "insurance_before_adl",
    "insurance_backs_fills",
    "vault_takes_deficits",
)


def read_family(path: Path) -> Family:
    """The family in the file; ``LogError`` where it, or its scenario at any of the ends, cannot be read as one."""
    try:
        family = _decode(read_toml(path), path)
    except Fault as fault:
        raise LogError(str(path), None, fault.field, fault.expected, fault.got) from None
    return family


def _decode(value: object, path: Path) -> Family:
    members = Members(value, "a family of scenarios")
    members.take("riskcore_stress", whole(SCHEMA_VERSION, SCHEMA_VERSION))
    scenario = path.parent / members.take("scenario", read_text)
    family = Family(
        path.stem,
        read_toml(scenario),
        scenario.parent,
        (),
        members.take("rulebooks", _read_choices, (Choice("as it is", {}),)),
        members.take("paths", whole(2, MOST_PATHS), 1000),
        members.take("seed", whole(0, 2**63 - 1), 0),
    )
    plain = _make_plain(family, scenario)
    no_variations: tuple[Variation, ...] = ()
    family = evolve(
        family, variations=members.take("vary", lambda value: _read_variations(value, family), no_variations)
    )
    members.finish()
    _check_ends(family)
    for place, choice in enumerate(family.choices):
        if not is_admissible_rulebook(choice.apply(plain.rulebook)):
            raise Fault("a rulebook that is admissible", "one that is not", f"rulebooks[{place}]")
    return family


def _make_plain(family: Family, path: Path) -> Scenario:
    """The scenario as it is written. Raises ``LogError`` in its own name."""
    try:
        return family.make({}, 0)
    except Fault as fault:
        raise LogError(str(path), None, fault.field, fault.expected, fault.got) from None


def _check_ends(family: Family) -> None:
    """Each figure at its lowest and at its highest is one that the scenario may have."""
    for one in family.variations:
        for step in (0, 1, one.get_steps()):
            with within("vary"), within(one.name):
                family.make({one.place: one.write(min(step, one.get_steps()))}, 0)


def _read_variations(value: object, family: Family) -> tuple[Variation, ...]:
    if not isinstance(value, dict):
        raise Fault("a table of figures of the scenario", describe_toml(value))
    found = []
    for name, ends in value.items():
        with within(printable(name)):
            found.append(_read_variation(name, ends, family))
    return tuple(found)


def _read_variation(name: str, value: object, family: Family) -> Variation:
    place = find_place(name, family.members)
    if not isinstance(value, list) or len(value) != 2:
        raise Fault("an array of the lowest and the highest", describe_toml(value))
    ends = [_read_number(end) for end in value]
    decimals = max(digits for _, digits in ends)
    low, high = (number for number, _ in ends)
    if low > high:
        raise Fault("two numbers that do not fall", f"{value[0]} and {value[1]}")
    return Variation(name, place, low, high, decimals)


def _read_number(value: object) -> tuple[Fraction, int]:
    """A number, and its decimals."""
    if type(value) is int:
        return Fraction(value), 0
    if not isinstance(value, str):
        raise Fault("a number", describe_toml(value))
    digits, scale = parse_decimal(value)
    return Fraction(digits, scale), len(str(scale)) - 1


def find_place(name: str, members: Mapping[str, Any]) -> Place:
    """Where a dotted name leads to: ``markets.BTC.path.2.change``. Raises ``Fault`` where there is no figure."""
    place: list[str | int] = []
    found: Any = members
    for word in name.split("."):
        if isinstance(found, list):
            if not word.isdecimal() or int(word) >= len(found):
                raise Fault(f"a place from 0 to {len(found) - 1} of an array", quote(word))
            place.append(int(word))
        elif isinstance(found, dict) and word in found:
            place.append(word)
        else:
            known = list(found) if isinstance(found, dict) else []
            expected = f"a key of the scenario ({', '.join(map(printable, known))})" if known else "the end of the name"
            raise Fault(expected, quote(word) + get_hint(word, known))
        found = found[place[-1]]
    if isinstance(found, (dict, list, bool)):
        raise Fault("the name of a figure", describe_toml(found))
    return tuple(place)


def put(members: Any, place: Place, figure: str | int) -> None:
    for step in place[:-1]:
        members = members[step]
    members[place[-1]] = figure


def _read_choices(value: object) -> tuple[Choice, ...]:
    choices: list[Choice] = []
    for place, table in enumerate(read_array(value, "tables of rulebooks")):
        with within(f"[{place}]"):
            choice = _read_choice(table)
            if choice.name in [one.name for one in choices]:
                raise Fault("a name that no other has", quote(choice.name), "name")
            choices.append(choice)
    return tuple(choices)


def _read_choice(value: object) -> Choice:
    members = Members(value, "a rulebook to compare")
    name = members.take("name", read_name)
    words = {key: members.take_or_none(key, one_of(*kind)) for key, kind in WORDS.items()}
    switches = {key: members.take_or_none(key, _read_flag) for key in SWITCHES}
    members.finish()
    chosen = {key: WORDS[key](word) for key, word in words.items() if word is not None}
    return Choice(name, {**chosen, **{key: flag for key, flag in switches.items() if flag is not None}})


def _read_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Fault("true or false", describe_toml(value))
    return value
