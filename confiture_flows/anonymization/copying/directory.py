"""A folder of COPY files as the place of a copy.

It holds schema-before.sql, one file a chunk, schema-after.sql, and manifest.json, which says what
goes where and in which order; the manifest is written last. The files are written beside the folder
and take its name at the end, as databases do.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from confiture_flows.anonymization.copying.values import ChunkResult, ColumnCount
from confiture_flows.errors import CopyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from confiture_flows.anonymization.copying.values import Chunk

MANIFEST = "manifest.json"
BEFORE, AFTER, DATA = "schema-before.sql", "schema-after.sql", "data"
_MADE_BY = "confiture-flows anonymized copy"


class FileWriter:
    """A file of a chunk that is being written; `end` makes it true."""

    def __init__(self, folder: Path, chunk: Chunk) -> None:
        self._path = _data_file(folder, chunk)
        self._part = self._path.with_suffix(".part")
        with _writing(folder):
            self._file = self._part.open("wb")
        self.size = 0

    def write(self, data: bytes) -> None:
        """Write rows.

        Raises:
            CopyError: The disk is full, or does not let us.
        """
        self.size += len(data)
        with _writing(self._path.parent):
            self._file.write(data)

    def end(self, result: ChunkResult, columns: tuple[str, ...]) -> None:
        """Flush it to the disk, and give it its name.

        Raises:
            CopyError: The disk is full, or does not let us.
        """
        with _writing(self._path.parent):
            self._end(result, columns)

    def _end(self, result: ChunkResult, columns: tuple[str, ...]) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        said = {
            "schema": result.chunk.table.schema,
            "table": result.chunk.table.name,
            "columns": list(columns),
            "number": result.chunk.number,
            "file": f"{DATA}/{self._path.name}",
            "format": result.chunk.way.format,
            "rows": result.rows,
            "size": result.size,
            "seconds": result.seconds,
            "counts": [(each.column, each.unfit, each.chance) for each in result.columns],
        }
        self._part.rename(self._path)
        described = self._path.with_suffix(".json.part")
        described.write_text(json.dumps(said), "utf-8")
        described.rename(self._path.with_suffix(".json"))

    def close(self) -> None:
        """Give up, if it has not ended."""
        with suppress(OSError):  # of a full disk, which is told already
            self._file.close()


def file_done_before(folder: Path, chunk: Chunk) -> ChunkResult | None:
    """What an earlier try has written for good."""
    path = _data_file(folder, chunk).with_suffix(".json")
    if not path.is_file():
        return None
    said = json.loads(path.read_text("utf-8"))
    counts = tuple(ColumnCount(*each) for each in said["counts"])
    return ChunkResult(chunk, said["rows"], said["size"], said["seconds"], counts, repeated=True)


def begin_folder(target: Path, number: int, *, replace: bool) -> Path:
    """Make the folder beside a target, and remove what killed copies have left there.

    Raises:
        CopyError: The target holds what no copy of ours has made, or cannot be written.
    """
    if target.exists() and not replace and not _may_be_replaced(target):
        raise CopyError(
            f"{target} holds what no earlier copy has made.",
            next_step="Name another folder, or say that it may be replaced: --replace.",
        )
    with _writing(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        for left in _left_behind(target):
            shutil.rmtree(left)
        folder = target.with_name(f"{target.name}.confiture-{number}")
        folder.mkdir(mode=0o700)
        (folder / "pid").write_text(str(os.getpid()))
        (folder / DATA).mkdir()
    return folder


def publish_folder(
    folder: Path, target: Path, source: str, results: Iterable[ChunkResult], after: str
) -> None:
    """Write the manifest, and give the folder its name.

    Raises:
        CopyError: It cannot be written, or take the name; the target stays what it was.
    """
    with _writing(folder):
        files: list[dict[str, object]] = []
        for each in results:
            described = _data_file(folder, each.chunk).with_suffix(".json")
            files.append(json.loads(described.read_text("utf-8")))
            described.unlink()
        (folder / AFTER).write_text(after, "utf-8")
        said = {"made_by": _MADE_BY, "source": source, "before": BEFORE, "after": AFTER}
        manifest = json.dumps({**said, "files": files}, indent=2)
        (folder / MANIFEST).write_text(f"{manifest}\n", "utf-8")
        (folder / "pid").unlink()
    old = target.with_name(f"{folder.name}-old")
    try:
        if _is_there(target):
            target.rename(old)
        folder.rename(target)
    except OSError as error:
        with suppress(OSError):
            old.rename(target)
        raise CopyError(
            f"{target} cannot be replaced: {error.strerror}.",
            next_step="Name a folder that can be moved within its parent.",
        ) from None
    _remove(old)


def remove_folder(folder: Path) -> None:
    """Remove a folder that has not taken its name."""
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Tell what the disk refuses."""
    try:
        yield
    except OSError as error:
        raise CopyError(
            f"{folder} cannot be written: {error.strerror}.",
            next_step="Look at the room and the rights there, or name another folder.",
        ) from None


def _is_there(target: Path) -> bool:
    return target.exists() or target.is_symlink()


def _remove(old: Path) -> None:
    """What a copy has replaced; a link alone, and not what it leads to."""
    if old.is_symlink() or old.is_file():
        old.unlink()
    else:
        shutil.rmtree(old, ignore_errors=True)


def _left_behind(target: Path) -> Iterator[Path]:
    """The folders of copies to a target that were killed."""
    ours = re.compile(re.escape(target.name) + r"\.confiture-\d+(-old)?")
    for each in target.parent.iterdir():
        if ours.fullmatch(each.name) and each.is_dir() and not each.is_symlink():
            begun = (each / "pid").is_file()
            if not _is_alive(each) if begun else _is_ours(each):
                yield each


def _may_be_replaced(target: Path) -> bool:
    return target.is_dir() and (not any(target.iterdir()) or _is_ours(target))


def _is_ours(folder: Path) -> bool:
    """Whether a copy has made it, to its end."""
    try:
        said = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(said, dict) and said.get("made_by") == _MADE_BY


def _is_alive(folder: Path) -> bool:
    """Whether the process that writes it is there."""
    try:
        os.kill(int((folder / "pid").read_text()), 0)
    except PermissionError:
        return True  # of somebody else
    except (OSError, ValueError, OverflowError):
        return False
    return True


def _data_file(folder: Path, chunk: Chunk) -> Path:
    parts = (chunk.table.schema, chunk.table.name, str(chunk.number))
    return folder / DATA / f"{'.'.join(map(_safe, parts))}.copy"


def _safe(name: str) -> str:
    """A part of a file's name, from which no dot is taken for one between parts."""
    return "".join(each if each.isalnum() or each in "_-" else f"%{ord(each):x}" for each in name)
