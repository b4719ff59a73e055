"""JUnit XML, which CI systems list as tests."""

from __future__ import annotations

from collections import Counter
from typing import Final
from xml.etree import ElementTree

from riskcore.bad_input import printable

_COUNTS: Final = {"failures": "failure", "errors": "error", "skipped": "skipped"}


class Suite:
    """A suite of test cases. Texts may hold anything: what XML has no place for is shown escaped."""

    def __init__(self, name: str, seconds: float) -> None:
        self._name = name
        self._root = ElementTree.Element("testsuite", name=f"riskcore {name}", time=f"{seconds:.3f}")
        self._outcomes: Counter[str] = Counter()

    def add(self, group: str, name: str, tag: str = "", message: str = "", details: str = "", time: float = 0) -> None:
        """A case that passed, or one with a ``tag``: ``failure``, ``error`` or ``skipped``; ``details`` in lines."""
        case = ElementTree.SubElement(
            self._root, "testcase", classname=f"{self._name}.{printable(group)}", name=printable(name)
        )
        if time:
            case.set("time", f"{time:.3f}")
        if tag:
            outcome = ElementTree.SubElement(case, tag, message=printable(message))
            if details:
                outcome.text = "\n".join(map(printable, details.split("\n")))
        self._outcomes[tag] += 1

    def to_xml(self) -> str:
        self._root.set("tests", str(self._outcomes.total()))
        for name, tag in _COUNTS.items():
            self._root.set(name, str(self._outcomes[tag]))
        ElementTree.indent(self._root)
        return ElementTree.tostring(self._root, encoding="unicode", xml_declaration=True) + "\n"
