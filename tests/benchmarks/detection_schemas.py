"""Schemas written by hand -> labelled columns: what detection was developed on; some set aside.

Each file of schemas/ is one domain; the comment behind a column is its label, and a column without
one is not personal. Labels follow docs/explanation/personal-labels.md.
"""

from __future__ import annotations

import re
from pathlib import Path

from confiture_flows.anonymization.strategy import Column
from confiture_flows.lint.runner import replayed_state
from confiture_flows.migrations.migration import Migration, Script

SCHEMAS = Path(__file__).with_name("schemas")
SET_ASIDE = SCHEMAS / "set_aside"

_TABLE = re.compile(r'CREATE TABLE "?(\w+)"? \(\n(.*?)\n\);', re.DOTALL)
_LABEL = re.compile(r'^    "?(\w+)"? .*? -- ([a-z -]+)$', re.MULTILINE)


def schema_files(folder: Path) -> list[Path]:
    """The schemas of a folder, one a domain."""
    return sorted(folder.glob("*.sql"))


def labels_of(file: Path) -> dict[tuple[str, str], str]:
    """Table and column -> category, of the columns that are personal."""
    return {
        (table, column): label
        for table, body in _TABLE.findall(file.read_text("utf-8"))
        for column, label in _LABEL.findall(body)
    }


def columns_of(migrations: tuple[Migration, ...]) -> list[tuple[Column, bool]]:
    """The columns that migrations make, and whether they are foreign keys."""
    found: list[tuple[Column, bool]] = []
    for table in replayed_state(migrations).tables.values():
        keys = {column for key in table.foreign_keys for column in key.columns}
        for column in table.columns.values():
            kind = column.type.name.name + ("[]" if column.type.array else "")
            schema, name = table.name
            of = Column(schema or "public", name, column.name, kind)
            found.append((of, column.name in keys))
    return found


def columns_of_schema(file: Path) -> list[tuple[Column, bool]]:
    """The columns of a schema, and whether they are foreign keys."""
    return columns_of((Migration(file.stem, file.stem, Script(file), ""),))
