"""Which files a new migration gets, and that none is ever overwritten."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from confiture_flows.errors import ConfigError
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.layouts import all_layouts
from confiture_flows.migrations.scaffold import scaffold

NOW = datetime(2026, 11, 23, 10, 15, 30, tzinfo=UTC)


def written(path: Path, title: str = "Add users", layout: str | None = None) -> list[str]:
    return [file.relative_to(path).as_posix() for file in scaffold(path, title, NOW, layout=layout)]


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        (None, ["20261123101530_add_users.up.sql", "20261123101530_add_users.down.sql"]),
        ("pairs", ["20261123101530_add_users.up.sql", "20261123101530_add_users.down.sql"]),
        ("pairs-by-name", ["20261123101530_add_users.up.sql", "20261123101530_add_users.down.sql"]),
        ("diesel", ["2026-11-23-101530_add_users/up.sql", "2026-11-23-101530_add_users/down.sql"]),
        ("prisma", ["20261123101530_add_users/migration.sql"]),
        ("goose", ["20261123101530_add_users.sql"]),
        ("dbmate", ["20261123101530_add_users.sql"]),
        ("flat", ["20261123101530_add_users.sql"]),
    ],
)
def test_new_directory_gets_the_files_of_its_layout(
    tmp_path: Path, layout: str | None, expected: list[str]
) -> None:
    assert written(tmp_path / "db" / "migrations", layout=layout) == expected


@pytest.mark.parametrize("layout", [layout.name for layout in all_layouts()])
def test_what_a_layout_writes_it_can_read(tmp_path: Path, layout: str) -> None:
    scaffold(tmp_path, "add users", NOW, layout=layout)

    directory = discover(tmp_path, layout=layout)

    (migration,) = directory.migrations
    assert directory.findings == ()
    assert migration.label.endswith("add_users")
    assert migration.up.batches() == ()
    assert migration.down is None or migration.down.batches() == ()
    if not layout.startswith("pairs-"):  # those are never detected
        assert discover(tmp_path).layout == layout


@pytest.mark.parametrize(
    ("existing", "version"),
    [
        (["0001_a"], "0002"),
        (["0009_a"], "0010"),
        (["9_a", "10_b"], "11"),
        (["099_a"], "100"),
        (["1626194317_a"], "20261123101530"),
        (["20261122000000_a"], "20261123101530"),
        # two in one second
        (["20261123101530_a"], "20261123101531"),
        (["20261123101530_a", "20261123101531_b"], "20261123101532"),
        (["v1_a"], "20261123101530"),
    ],
)
def test_version_goes_on_as_the_directory_counts(
    tmp_path: Path, existing: list[str], version: str
) -> None:
    for stem in existing:
        (tmp_path / f"{stem}.up.sql").write_text("SELECT 1;")

    assert written(tmp_path)[0] == f"{version}_add_users.up.sql"


def test_two_in_one_second_get_two_versions_in_a_layout_of_folders(tmp_path: Path) -> None:
    assert written(tmp_path, "a", "prisma") == ["20261123101530_a/migration.sql"]
    assert written(tmp_path, "b") == ["20261123101531_b/migration.sql"]


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Add users", "add_users"),
        ("  add--users!  ", "add_users"),
        ("Größe ändern", "groe_andern"),
        ("../../etc/passwd", "etc_passwd"),
        ("2 factor", "2_factor"),
    ],
)
def test_title_becomes_a_plain_file_name(tmp_path: Path, title: str, slug: str) -> None:
    assert written(tmp_path, title)[0] == f"20261123101530_{slug}.up.sql"


@pytest.mark.parametrize("title", ["", "  ", "!?", "日本"])
def test_title_without_letters_is_refused(tmp_path: Path, title: str) -> None:
    with pytest.raises(ConfigError, match="makes no file name"):
        scaffold(tmp_path / "new", title, NOW)
    assert not (tmp_path / "new").exists()


def test_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "0001_a.up.sql").write_text("SELECT 1;")
    orphan = tmp_path / "0002_add_users.down.sql"
    orphan.write_text("DROP TABLE users;")

    with pytest.raises(ConfigError, match=r"0002_add_users\.down\.sql is already there"):
        scaffold(tmp_path, "add users", NOW)

    assert orphan.read_text() == "DROP TABLE users;"
    assert not (tmp_path / "0002_add_users.up.sql").exists()


@pytest.mark.parametrize("title", ["add users", "x" * 300])
def test_directory_that_cannot_be_written_is_refused(tmp_path: Path, title: str) -> None:
    place = tmp_path / "file"
    if title == "add users":
        place.write_text("not a directory")
    with pytest.raises(ConfigError, match="cannot be written"):
        scaffold(place, title, NOW)
