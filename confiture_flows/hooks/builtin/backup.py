"""Target -> a file that pg_restore reads: pg_dump's custom format, streamed and read back.

Refuses a pg_dump older than the server. A file has its name only when its table of contents has
been read back; until then, and after a failure, there is none.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pydantic import Field

from confiture_flows.errors import EmbeddedServerError, HookError
from confiture_flows.hooks.builtin._options import HookOptions, read_options
from confiture_flows.hooks.model import HookResult
from confiture_flows.postgres.clients import client_access, find_clients
from confiture_flows.target import connect

if TYPE_CHECKING:
    from confiture_flows.hooks.model import HookContext
    from confiture_flows.target import Target

DEFAULTS = {"timeout": 4 * 3600.0}

_BLOCK = 1 << 20  # bytes


class BackupOptions(HookOptions):
    """What [hooks.options] may say."""

    directory: str = "backups"
    keep: int = Field(default=5, ge=1)
    bin_dir: str | None = None


@dataclass(frozen=True, slots=True)
class Backup:
    """The hook.

    Attributes:
        directory: Where the files are.
        keep: How many of a target stay.
        bin_dir: The folder of pg_dump; None looks for one.
    """

    directory: Path
    keep: int
    bin_dir: Path | None = None

    def __call__(self, context: HookContext, target: Target) -> HookResult:
        """Write one file."""
        with connect(target, "backup") as conn:
            server = conn.info.server_version // 10000
        folder = _clients(server, self.bin_dir)
        self.directory.mkdir(parents=True, exist_ok=True)
        slug = _slug(target.name)
        span = _slug(context.plan.span) if context.plan else "all"
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        file = self.directory / f"{slug}.{stamp}.{span}.dump"
        part = file.with_suffix(".part")
        try:
            size, digest = _dump(folder, target, part)
            entries = _read_back(folder, part)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
        _sync(self.directory)
        old = sorted(self.directory.glob(f"{slug}.*.dump"))[: -self.keep]
        for each in old:
            each.unlink()
        return HookResult(
            message=f"{file}: {size / 1e6:.1f} MB, {entries} entries. To restore it: "
            f"pg_restore --clean --if-exists --exit-on-error --dbname=... {file}",
            data={
                "file": str(file),
                "bytes": size,
                "entries": entries,
                "sha256": digest,
                "removed": len(old),
            },
        )


def make(options: dict[str, Any], root: Path) -> Backup:
    """The hook for what a file says; paths start at the file.

    Raises:
        ConfigError: An option is wrong.
    """
    said = read_options(BackupOptions, "backup", options)
    folder = Path(said.bin_dir) if said.bin_dir else None
    return Backup(root / said.directory, said.keep, folder)


def _clients(server: int, bin_dir: Path | None) -> Path:
    try:
        return find_clients(server, "pg_dump", "pg_restore", only=bin_dir)
    except EmbeddedServerError as error:
        step = f"{error.next_step} Or name their folder: bin_dir in the hook's options."
        raise HookError(error.message, next_step=step) from None


def _dump(folder: Path, target: Target, part: Path) -> tuple[int, str]:
    database, environment = client_access(target.dsn, application_name="confiture-flows backup")
    command = [folder / "pg_dump", "--format=custom", f"--dbname={database}"]
    # Data of the target: for nobody's eyes but ours.
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, env=environment)
        try:
            size, digest = _copy(process, file)
        except BaseException:
            process.kill()
            process.wait()
            raise
        if process.wait():
            raise HookError(f"pg_dump failed: {_last_line(said)}")
        file.flush()
        os.fsync(file.fileno())
    return size, digest


def _copy(process: subprocess.Popen[bytes], file: BinaryIO) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    stream = process.stdout
    while stream and (block := stream.read(_BLOCK)):
        file.write(block)
        digest.update(block)
        size += len(block)
    return size, digest.hexdigest()


def _read_back(folder: Path, part: Path) -> int:
    """How many entries its table of contents has."""
    listed = subprocess.run([folder / "pg_restore", "--list", part], capture_output=True, text=True)
    entries = [line for line in listed.stdout.splitlines() if line and not line.startswith(";")]
    if listed.returncode:
        reason = (listed.stderr.strip().splitlines() or ["pg_restore says nothing"])[-1]
        raise HookError(f"the backup cannot be read back: {reason}")
    return len(entries)


def _last_line(said: Any) -> str:
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    return (lines or ["it says nothing"])[-1][:300]


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "target"
