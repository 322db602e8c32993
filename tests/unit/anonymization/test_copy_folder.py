"""A folder of COPY files takes its name at the end, and nothing of anybody else's is lost."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from confiture_flows.anonymization.copying.directory import (
    FileWriter,
    begin_folder,
    file_done_before,
    publish_folder,
)
from confiture_flows.anonymization.copying.values import Chunk, ChunkResult, Way
from confiture_flows.anonymization.plan import PlannedTable
from confiture_flows.errors import CopyError

CHUNK = Chunk(PlannedTable("public", "people", ()), Way("pipe", "text", ""))
NUMBER = 4711


def made(target: Path, *, over: bool = False) -> Path:
    """A copy of one chunk under a target's name."""
    folder = begin_folder(target, NUMBER, replace=over)
    result = ChunkResult(CHUNK, 1, 2, 0.0)
    writer = FileWriter(folder, CHUNK)
    writer.write(b"1\n")
    writer.end(result, ("id",))
    publish_folder(folder, target, "prod", [result], "")
    return target


def test_only_what_copies_have_left_is_removed(tmp_path: Path):
    target = tmp_path / "dump"
    for theirs in ("dump.confiture-notes", "dump.confiture-7"):
        (tmp_path / theirs).mkdir()
        (tmp_path / theirs / "letter").write_text("mine")
    left = begin_folder(target, 8, replace=False)
    (left / "pid").write_text(str(2**22 + 1))  # of no process
    alive = begin_folder(tmp_path / "dump", 9, replace=False)
    assert not left.exists()
    made(target)
    assert alive.exists()
    assert (tmp_path / "dump.confiture-notes" / "letter").read_text() == "mine"
    assert (tmp_path / "dump.confiture-7" / "letter").read_text() == "mine"


def test_name_that_is_a_pattern_is_a_name(tmp_path: Path):
    left = begin_folder(tmp_path / "dump[1]", 8, replace=False)
    (left / "pid").write_text(str(2**22 + 1))
    other = begin_folder(tmp_path / "dump1", 8, replace=False)
    (other / "pid").write_text(str(2**22 + 1))
    made(tmp_path / "dump[1]")
    assert not left.exists()
    assert other.exists()


def test_link_is_replaced_and_what_it_leads_to_stays(tmp_path: Path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "letter").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "old")
    (tmp_path / "file").write_text("a file")
    for name in ("link", "file"):
        assert json.loads((made(tmp_path / name, over=True) / "manifest.json").read_text())
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "link", "old"]
    assert (tmp_path / "old" / "letter").read_text() == "mine"


@pytest.mark.parametrize("said", ["[]", "3", "{", "\xff"])
def test_manifest_of_others_is_none_of_ours(tmp_path: Path, said: str):
    (tmp_path / "manifest.json").write_text(said, "latin-1")
    with pytest.raises(CopyError, match="holds what no earlier copy has made"):
        begin_folder(tmp_path, NUMBER, replace=False)


def test_target_that_cannot_take_its_name_stays_what_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    target = made(tmp_path / "dump")
    before = (target / "manifest.json").read_bytes()
    rename = Path.rename

    def renames(self: Path, to: Path) -> Path:
        if to == target and not self.name.endswith("-old"):
            raise OSError(16, os.strerror(16))
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", renames)
    with pytest.raises(CopyError, match=r"cannot be replaced: Device or resource busy\."):
        made(target)
    assert (target / "manifest.json").read_bytes() == before


def test_tables_whose_names_hold_dots_have_files_of_their_own(tmp_path: Path):
    folder = begin_folder(tmp_path / "dump", NUMBER, replace=False)
    one, other = (
        replace(CHUNK, table=PlannedTable(*it, ())) for it in (("a.b", "c"), ("a", "b.c"))
    )
    writer = FileWriter(folder, one)
    writer.end(ChunkResult(one, 0, 0, 0.0), ("id",))
    assert file_done_before(folder, one) is not None
    assert file_done_before(folder, other) is None


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may have more than a thousand bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_file_that_cannot_be_written_is_told_by_its_folder(tmp_path: Path):
    folder = begin_folder(tmp_path / "dump", NUMBER, replace=False)
    writer = FileWriter(folder, CHUNK)
    with full_disk(), pytest.raises(CopyError, match=r"cannot be written: File too large\."):
        writer.write(b"x" * 100_000)
    writer.close()
