"""Schemas of open projects -> labelled columns: what detection is tuned on, and what is set aside.

One CSV a project in open_schemas/; README.md there says which projects, where they come from, and
how it was decided which are tuned on.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from confiture_flows.anonymization.strategy import Column
from tests.benchmarks.detection_schemas import SCHEMAS

if TYPE_CHECKING:
    from pathlib import Path

_OPEN = SCHEMAS.with_name("open_schemas")
OPEN_TUNED, OPEN_SET_ASIDE = _OPEN / "tuned", _OPEN / "set_aside"


def open_projects(folder: Path) -> tuple[str, ...]:
    """The projects of a folder, by name."""
    return tuple(sorted(each.stem for each in folder.glob("*.csv")))


def columns_of_project(file: Path) -> list[tuple[Column, bool, str]]:
    """Its columns, whether they are foreign keys, and what they are; "" is not personal."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        return [
            (
                Column("public", row["table"], row["column"], row["type"]),
                bool(row["refers"]),
                row["category"],
            )
            for row in rows
        ]
