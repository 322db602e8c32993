"""A file is written whole, or is as it was."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from confiture_flows._files import write_whole
from confiture_flows.errors import ConfigError
from confiture_flows.lint.fixes import write_mended


def on_a_full_disk(work: Callable[[], object]) -> None:
    """Let no file be longer than a few bytes meanwhile."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4, before[1]))
    try:
        work()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    path, link = tmp_path / "a.sql", tmp_path / "link.sql"
    path.write_text("old")
    owner = 12345 if os.geteuid() == 0 else os.geteuid()
    os.chown(path, owner, -1)
    path.chmod(0o640)
    link.symlink_to(path)
    write_whole(link, b"new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)
    assert link.is_symlink()
    assert path.stat().st_uid == owner
    write_whole(tmp_path / "b.sql", b"new")
    write_whole(tmp_path / "c.sql", b"new", 0o600)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("b.sql", "c.sql")]
    assert modes == [0o644, 0o600]


def test_mended_migration_is_as_it_was_where_the_disk_is_full(tmp_path: Path) -> None:
    path = tmp_path / "1_a.up.sql"
    path.write_text("CREATE INDEX t_a ON t (a);")
    with pytest.raises(ConfigError) as caught:
        on_a_full_disk(lambda: write_mended(path, "CREATE INDEX CONCURRENTLY t_a ON t (a);"))
    assert (caught.value.file, "cannot be written" in caught.value.message) == (path, True)
    assert path.read_text() == "CREATE INDEX t_a ON t (a);"
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
