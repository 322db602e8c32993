"""A folder of COPY files as the place of a copy.

It holds schema-before.sql, one file a chunk, schema-after.sql, and manifest.json, which says what
goes where and in which order; the manifest is written last. The files are written beside the folder
and take its name at the end, as databases do.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

from confiture_flows.anonymization.copying.values import ChunkResult, ColumnCount
from confiture_flows.errors import CopyError

if TYPE_CHECKING:
    from collections.abc import Iterable
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
        self._file = self._part.open("wb")
        self.size = 0

    def write(self, data: bytes) -> None:
        """Write rows."""
        self.size += len(data)
        self._file.write(data)

    def end(self, result: ChunkResult, columns: tuple[str, ...]) -> None:
        """Flush it to the disk, and give it its name."""
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
            next_step="Name another folder, or say that it may be replaced.",
        )
    try:
        for left in target.parent.glob(f"{target.name}.confiture-*"):
            if not _is_alive(left):
                shutil.rmtree(left)
        folder = target.with_name(f"{target.name}.confiture-{number}")
        folder.mkdir(parents=True, mode=0o700)
        (folder / DATA).mkdir()
        (folder / "pid").write_text(str(os.getpid()))
    except OSError as error:
        raise CopyError(f"{target.parent} cannot be written: {error.strerror}.") from None
    return folder


def publish_folder(
    folder: Path, target: Path, source: str, results: Iterable[ChunkResult], after: str
) -> None:
    """Write the manifest, and give the folder its name."""
    files: list[dict[str, object]] = []
    for each in results:
        described = _data_file(folder, each.chunk).with_suffix(".json")
        files.append(json.loads(described.read_text("utf-8")))
        described.unlink()
    (folder / AFTER).write_text(after, "utf-8")
    (folder / "pid").unlink()
    said = {"made_by": _MADE_BY, "source": source, "before": BEFORE, "after": AFTER, "files": files}
    (folder / MANIFEST).write_text(json.dumps(said, indent=2) + "\n", "utf-8")
    old = target.with_name(f"{folder.name}-old")
    if target.exists():
        target.rename(old)
    folder.rename(target)
    if old.exists():
        shutil.rmtree(old)


def remove_folder(folder: Path) -> None:
    """Remove a folder that has not taken its name."""
    shutil.rmtree(folder, ignore_errors=True)


def _may_be_replaced(target: Path) -> bool:
    if not target.is_dir():
        return False
    if not any(target.iterdir()):
        return True
    try:
        return json.loads((target / MANIFEST).read_text("utf-8")).get("made_by") == _MADE_BY
    except (OSError, ValueError):
        return False


def _is_alive(folder: Path) -> bool:
    """Whether the process that writes it is there."""
    try:
        os.kill(int((folder / "pid").read_text()), 0)
    except (OSError, ValueError):
        return False
    return True


def _data_file(folder: Path, chunk: Chunk) -> Path:
    name = f"{chunk.table.schema}.{chunk.table.name}.{chunk.number}"
    safe = "".join(each if each.isalnum() or each in "._-" else f"%{ord(each):x}" for each in name)
    return folder / DATA / f"{safe}.copy"
