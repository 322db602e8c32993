"""Sections -> the charts of the page on performance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.candidates import ALEMBIC, BARE, CONFITURE, DBMATE, FLOW, PLAIN
from tests.benchmarks.charts import bars, lines
from tests.benchmarks.copy_command import COMMANDS
from tests.benchmarks.copy_peers import CONFITURE_COPY, PG_ANON, PG_ANON_BARE
from tests.benchmarks.growth import Curve
from tests.benchmarks.measure import Series

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.benchmarks.section import Section

_COPIED = (*COMMANDS, CONFITURE_COPY, PG_ANON, PG_ANON_BARE)
_APPLIED = (BARE, DBMATE, PLAIN, ALEMBIC, CONFITURE, FLOW)


def draw(sections: Sequence[Section], folder: Path) -> None:
    """Draw what was measured; a part that was not has no picture.

    Args:
        sections: What was found.
        folder: Where the pictures go.
    """
    found = {section.name: section.figures for section in sections}
    if applied := found.get("benchmarks"):
        series = {
            name: Series(tuple(applied["runs"][name]["apply"]))
            for name in _APPLIED
            if name in applied["runs"]
        }
        title = f"{applied['migrations']} migrations applied, whole process, seconds"
        bars(folder / "apply.svg", title, series, frozenset((PLAIN, FLOW)))
    if copied := found.get("copies"):
        series = {name: Series(tuple(copied[name]["whole"])) for name in _COPIED if name in copied}
        bars(
            folder / "copies.svg", "An anonymized copy, whole, seconds", series, frozenset(COMMANDS)
        )
    if grown := found.get("growth"):
        for name in ("migrations", "rows"):
            curves = {label: Curve(tuple(points)) for label, points in grown[name].items()}
            lines(folder / f"growth-{name}.svg", f"Growth with {name}", name, curves)
