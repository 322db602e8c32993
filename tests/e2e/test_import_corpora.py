"""The real migrations of six projects, written out as pairs, are the same migrations."""

from __future__ import annotations

from pathlib import Path

import pytest

from confiture_flows.errors import MigrationFileError
from confiture_flows.migrations.discovery import Directory, discover
from confiture_flows.migrations.import_pairs import import_directory
from confiture_flows.migrations.migration import Runnable

CORPORA = [
    ("crates_io", None, 285, "pairs-as-text"),
    ("neosync", None, 31, "pairs"),
    ("concourse", "pairs-by-name", 149, "pairs-by-name"),
    ("e2b", None, 131, "pairs"),
    ("langfuse", None, 434, "pairs-by-name-as-text"),
    ("svix", None, 16, "pairs"),
]


def runs_as(script: Runnable | None) -> object:
    if script is None:
        return None
    try:
        batches = script.batches()
    except MigrationFileError as error:
        return error.message
    return [
        (batch.transactional, batch.opening, batch.keep, [s.sql for s in batch.statements])
        for batch in batches
    ]


def meaning(directory: Directory) -> list[object]:
    return [
        (m.version, runs_as(m.up), runs_as(m.down), runs_as(m.verify)) for m in directory.migrations
    ]


@pytest.mark.parametrize("as_written", [False, True], ids=["auto", "as-written"])
@pytest.mark.parametrize(("project", "layout", "number", "becomes"), CORPORA)
def test_project_is_the_same_as_pairs(
    project: str,
    layout: str | None,
    number: int,
    becomes: str,
    as_written: bool,
    corpora: Path,
    tmp_path: Path,
) -> None:
    source = discover(corpora / project / "migrations", layout=layout, as_written=as_written)

    done = import_directory(source, tmp_path / "imported")

    assert (done.migrations, done.layout) == (number, becomes)
    imported = discover(tmp_path / "imported", layout=done.layout)
    assert meaning(imported) == meaning(source)
