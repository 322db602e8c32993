"""Where each migration stands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from confiture_flows.migrations.discovery import Directory
from confiture_flows.migrations.status import State, read_status


def test_every_state_is_told(make_migrations, make_rows) -> None:
    migrations = make_migrations("1", "2", "3", "4", forward_only=("4",))
    applied, edited, gone = make_rows("1", "3", "9")
    rows = (
        replace(applied, checksum=migrations[0].checksum),
        replace(edited, checksum="another"),
        gone,
    )

    entries = read_status(Directory(Path("m"), "pairs", migrations), rows)

    assert [(each.version, each.state, each.reversible) for each in entries] == [
        ("1", State.APPLIED, True),
        ("2", State.OUT_OF_ORDER, True),
        ("3", State.EDITED, True),
        ("4", State.PENDING, False),
        ("9", State.DELETED, False),
    ]
    assert [each.applied_at for each in entries] == [
        applied.applied_at,
        None,
        edited.applied_at,
        None,
        gone.applied_at,
    ]


def test_row_that_was_squashed_away_is_not_shown_as_deleted(make_migrations, make_rows) -> None:
    rows = make_rows("1", "2", archived=("1",))

    entries = read_status(Directory(Path("m"), "pairs", make_migrations("2")), rows)

    assert [(each.version, each.state) for each in entries] == [("2", State.APPLIED)]


def test_row_without_a_checksum_is_applied(make_migrations, make_rows) -> None:
    directory = Directory(Path("m"), "pairs", make_migrations("1"))
    assert [each.state for each in read_status(directory, make_rows("1"))] == [State.APPLIED]
