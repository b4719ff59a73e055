"""The report: what was found, as one HTML file. The same data gives the same bytes with the same libraries."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from examples.oct10 import drawings, tables, words
from examples.oct10.data import Data
from examples.oct10.figures import count, decimals, millions, size
from examples.oct10.laboratory import PATH_PPM, Played
from examples.oct10.published import DEBATED, Check, find_quotients, get_figures, make_checks
from examples.oct10.waves import Counted, count_once, get_once, get_readings
from examples.oct10_study import DEFICIT_PPM, SHARES_PPM, Winners
from riskcore.html_report.shell import read, render
from specs.policies import Space

#: How the page begins: what begins otherwise is not replaced by one.
MARK: Final = b"<!doctype html>\n<!-- a study by riskcore -->\n"


@frozen
class Study:
    """All that the page says, and the program prints."""

    data: Data
    winners: Winners
    checks: tuple[Check, ...]
    counted: tuple[Counted, ...]
    played: Played
    conclusions: tuple[words.Sentence, ...]


def make_study(data: Data, winners: Winners, played: Played) -> Study:
    checks, counted = tuple(make_checks(data)), count_once(data.published.waves)
    conclusions = tuple(words.conclude(data, checks, counted, played))
    return Study(data, winners, checks, counted, played, conclusions)


def make_page(study: Study) -> Iterator[str]:
    """The page's text, piece by piece."""
    return render(
        _read("page.html"),
        begin=MARK,
        style=read("page.css") + _read("page.css"),
        script=read("charts.js") + _read("page.js"),
        data={"charts": drawings.draw_all(study.counted, study.played)},
        published=study.data.published,
        conclusions=study.conclusions,
        tiles=_get_tiles(study),
        tables=_get_tables(study),
        sizes=_get_sizes(study.played),
        shown=size(PATH_PPM),
        deficit=decimals(Fraction(DEFICIT_PPM, 10_000), 0),
        waves=len(study.counted),
        hashes=study.data.hashes,
    )


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _get_tiles(study: Study) -> list[tuple[str, str]]:
    totals = study.data.published.totals
    return [
        ("accounts deleveraged", f"{len(study.data.rows):,}"),
        ("notional closed, US$", millions(totals["exact_notional"])),
        ("deficit as published, US$", millions(totals["deficit"])),
        ("deficit, each loss once, US$", millions(get_once(study.counted))),
        ("needed, US$", millions(totals["needed"])),
        ("production, US$", millions(totals["production"])),
    ]


def _get_tables(study: Study) -> dict[str, Any]:
    data, counted, played = study.data, study.counted, study.played
    figures = get_figures(data, get_once(counted))
    quotients = [(multiple, one) for multiple in DEBATED for one in find_quotients(figures, multiple)]
    return {
        "contracts_checks": tables.show_checks(study.checks, Space.CONTRACTS),
        "wealth_checks": tables.show_checks(study.checks, Space.WEALTH),
        "coins": tables.show_coins(data.published.coins),
        "quotients": tables.show_quotients(quotients),
        "mixed": tables.show_mixed(quotients),
        "deficits": tables.show_deficits(counted),
        "overshoot": tables.show_overshoot(counted),
        "readings": tables.show_readings(get_readings(data.published, counted)),
        "contracts": tables.show_contracts(data.published),
        "loaded": tables.show_loaded(study.winners),
        "left_out": tables.show_left_out(),
        "courses": tables.show_courses(played.courses),
        "parts": tables.show_sizes(counted, played.courses[0].sizes),
        "kernel": tables.show_kernel(played.kernel),
    }


def _get_sizes(played: Played) -> list[dict[str, Any]]:
    """The tables of each size of the bankrupt position; the one that charts show comes first."""
    sizes = []
    for share_ppm in sorted(SHARES_PPM, key=lambda share: (share != PATH_PPM, share)):
        outcomes = [one for one in played.outcomes if one.share_ppm == share_ppm]
        sizes.append(
            {
                "title": f"{size(share_ppm)} of the winners' size: {count(outcomes[0].lots, 'lot')}",
                "closings": tables.show_closings(outcomes),
                "costs": tables.show_costs(outcomes),
                "shifts": tables.show_shifts(played, share_ppm),
            }
        )
    return sizes
