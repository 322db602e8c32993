"""Which folders are found, in which order, and what each says when it is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from confiture_flows.errors import EmbeddedServerError
from confiture_flows.postgres.binaries import (
    ask_version,
    newest_first,
    parse_version,
    system_folders,
    wheel_folder,
)


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ("postgres (PostgreSQL) 15.12 (Debian 15.12-0+deb12u2)\n", (15, 12)),
        ("postgres (PostgreSQL) 17.10", (17, 10)),
        ("postgres (PostgreSQL) 18beta1", (18, 0)),
        ("postgres (PostgreSQL) 19devel", (19, 0)),
        ("postgres (PostgreSQL) 17.2 - Percona Server for PostgreSQL 17.2.1", (17, 2)),
    ],
)
def test_version_is_read_from_the_answer(answer: str, version: tuple[int, int]) -> None:
    assert parse_version(answer) == version


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("postgres (Greenplum Database) 6.25.3", "not PostgreSQL"),
        ("", "not PostgreSQL"),
        ("postgres (PostgreSQL) 9.6.24", "older than 10"),
    ],
)
def test_other_answers_are_refused(answer: str, reason: str) -> None:
    with pytest.raises(EmbeddedServerError, match=reason):
        parse_version(answer)


def test_folders_on_path_come_newest_first(fake_folder, monkeypatch: pytest.MonkeyPatch) -> None:
    older = fake_folder("older", "postgres (PostgreSQL) 98.2")
    newer = fake_folder("newer", "postgres (PostgreSQL) 99.10")
    same = fake_folder("same", "postgres (PostgreSQL) 99.10")
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, (older, newer, same))))

    found, _ = newest_first(system_folders())

    assert [one.bin_dir for one in found][:3] == [newer, same, older]
    assert found[0].version == (99, 10)


def test_a_link_on_path_leads_to_the_real_folder_once(
    fake_folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fake_folder("real", "postgres (PostgreSQL) 99.1")
    links = tmp_path / "links"
    links.mkdir()
    (links / "postgres").symlink_to(real / "postgres")
    monkeypatch.setenv("PATH", os.pathsep.join((str(links), str(real))))

    folders = system_folders()

    assert folders.count(real) == 1
    assert links not in folders


def test_a_relative_entry_of_path_is_not_run(fake_folder, monkeypatch: pytest.MonkeyPatch) -> None:
    bin_dir = fake_folder("here", "postgres (PostgreSQL) 99.1")
    monkeypatch.chdir(bin_dir)
    monkeypatch.setenv("PATH", os.pathsep.join(("", ".")))

    assert bin_dir not in {folder.resolve() for folder in system_folders()}


def test_each_refused_folder_says_why(fake_folder) -> None:
    broken = fake_folder("broken", "", code=127)
    half = fake_folder("half", "postgres (PostgreSQL) 99.1", initdb=False)
    other = fake_folder("other", "postgres (Something Else) 3.0")
    not_a_program = fake_folder("not_a_program", "")
    (not_a_program / "postgres").write_bytes(b"\x7fELF, but not really")

    found, refused = newest_first([broken, half, other, not_a_program])

    assert found == ()
    assert "broken is broken" in refused[broken]
    assert refused[half] == "has no initdb"
    assert "Something Else" in refused[other]
    assert "does not run" in refused[not_a_program]


def test_a_folder_without_postgres_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="has no postgres"):
        ask_version(tmp_path)


def test_a_wheel_that_is_not_installed_has_no_folder() -> None:
    assert wheel_folder("no_such_wheel_anywhere") is None


def test_a_wheel_is_found_without_being_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "some_wheel_with_binaries"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)

    assert wheel_folder(package.name) == package / "pginstall" / "bin"


def test_importing_the_room_loads_nothing_heavy() -> None:
    code = (
        "import sys, confiture_flows.postgres;"
        "print(sorted({'psycopg', 'docker', 'testcontainers', 'prefect'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[3]
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
