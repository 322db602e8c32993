"""Root's own binaries, which the server's user cannot read: copied, never opened up."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from confiture_flows.errors import EmbeddedServerError
from confiture_flows.postgres import start_server

from .conftest import Footprint

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes the user")


def permissions(root: Path) -> dict[Path, tuple[int, int, int]]:
    return {
        path: (status.st_mode, status.st_uid, status.st_gid)
        for path in (root, *root.parents, *root.rglob("*"))
        for status in (path.lstat(),)
    }


def hidden_copy(bin_dir: Path, hidden: Path) -> Path:
    """Copy an installation, and a wheel's libraries beside its package, below a 0700 folder."""
    hidden.mkdir(mode=0o700)
    root, package = bin_dir.parent, bin_dir.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    for folder in (root / "bin", root / "lib", root / "share", libraries):
        if folder.is_dir():
            shutil.copytree(folder, hidden / folder.relative_to(package.parent), symlinks=True)
    return hidden / bin_dir.relative_to(package.parent)


def test_binaries_below_a_closed_folder_run_from_a_copy(bin_dir: Path, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    copy = hidden_copy(bin_dir, hidden)
    before = permissions(hidden)

    with start_server(copy) as server:
        footprint = Footprint(str(conninfo_to_dict(server.dsn)["host"]))
        program = Path(os.readlink(f"/proc/{footprint.pid}/exe"))
        mode = stat.S_IMODE(private(program).stat().st_mode)
        with psycopg.connect(server.dsn) as connection:
            connection.execute("CREATE EXTENSION hstore")

    assert server.bin_dir == copy
    assert hidden not in program.parents
    assert mode == 0o700
    assert not private(program).exists()
    assert not footprint.remains()
    assert permissions(hidden) == before


def private(program: Path) -> Path:
    return next(path for path in program.parents if path.name.startswith("confiture-pg-"))


def test_files_only_root_may_read_run_from_a_copy(any_bin_dir: Path, tmp_path: Path) -> None:
    copy = hidden_copy(any_bin_dir, tmp_path / "hidden")
    for path in (tmp_path / "hidden").rglob("*"):
        path.chmod(path.stat().st_mode & 0o700)

    with start_server(copy) as server, psycopg.connect(server.dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_temporary_folder_only_root_may_enter_is_passed_over(
    any_bin_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = hidden_copy(any_bin_dir, tmp_path / "hidden")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setenv("TMPDIR", str(closed))

    with start_server(copy) as server, psycopg.connect(server.dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        assert list(closed.iterdir()) == []


def test_a_shared_prefix_is_not_copied(any_bin_dir: Path, tmp_path: Path) -> None:
    copy = hidden_copy(any_bin_dir, tmp_path / "hidden")
    with open(copy.parent / "lib" / "huge", "wb") as sparse:
        sparse.truncate(1 << 30)

    with pytest.raises(EmbeddedServerError, match="too much to be copied"), start_server(copy):
        pass
