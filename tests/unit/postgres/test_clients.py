"""Which of several client programs is taken for a server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from confiture_flows.errors import EmbeddedServerError
from confiture_flows.postgres import binaries, clients
from confiture_flows.postgres.clients import find_clients


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs for each of some versions on PATH, and nothing elsewhere."""
    entries: list[Path] = []
    for name, version in (("wrapped", 15), ("new", 17), ("same", 15), ("again", 15)):
        folder = tmp_path / name
        folder.mkdir()
        program = folder / "pg_dump"
        if name == "wrapped":
            program.symlink_to(tmp_path / "pg_wrapper")
            program = tmp_path / "pg_wrapper"
        asked = tmp_path / f"{name}-asked"
        program.write_text(f"#!/bin/sh\n: > {asked}\necho 'pg_dump (PostgreSQL) {version}.1'\n")
        program.chmod(0o755)
        entries.append(folder)
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, entries)))
    monkeypatch.setattr(binaries, "FOLDER_PATTERNS", ())
    monkeypatch.setattr(clients, "_WHEELS", ())
    return tmp_path


def test_the_first_of_the_servers_version_is_taken_and_no_other_asked(folders: Path) -> None:
    assert find_clients(15, "pg_dump") == folders / "same"
    assert {each.name for each in folders.glob("*-asked")} == {"new-asked", "same-asked"}


def test_the_oldest_that_reads_the_server_is_taken(folders: Path) -> None:
    assert find_clients(16, "pg_dump") == folders / "new"


def test_a_folder_that_is_named_is_taken_as_it_is(folders: Path) -> None:
    assert find_clients(14, "pg_dump", only=folders / "wrapped") == folders / "wrapped"


def test_what_is_there_is_told(folders: Path) -> None:
    with pytest.raises(EmbeddedServerError, match=r"version 18 or newer.*Found: 15, 17"):
        find_clients(18, "pg_dump")
    with pytest.raises(EmbeddedServerError, match="Found: none"):
        find_clients(15, "pg_restore")
