"""A folder of PostgreSQL binaries -> a running server, gone with everything it wrote at the end.

The work is done by supervisor.py in a process of its own; this end holds the pipe whose closing
stops the server. Refuses Windows, folders without a working `postgres`, and settings that say where
the server listens.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_flows.errors import EmbeddedServerError
from confiture_flows.postgres.binaries import ask_version
from confiture_flows.postgres.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# The supervisor's own patience ends before: 12 s for the server, 2 s for each folder.
STOP_SECONDS = 20
_OURS = frozenset({"listen_addresses", "port", "unix_socket_directories", "data_directory"})


@dataclass(frozen=True, slots=True)
class _Report:
    """What the supervisor says once the server accepts connections."""

    dsn: str
    pid: int
    folders: tuple[Path, ...]

    def server_is_named(self) -> bool:
        """Say whether the server's own file still names its pid, which might be reused by now."""
        for folder in self.folders:
            with suppress(OSError, ValueError):
                text = (folder / "data" / "postmaster.pid").read_text(errors="replace")
                return int(text.partition("\n")[0]) == self.pid
        return False


@contextmanager
def start_server(
    bin_dir: Path | str, *, settings: Mapping[str, str] | None = None, tcp: bool = False
) -> Iterator[Server]:
    """Make a new cluster in a private temporary folder and serve it until the block ends.

    The server also ends, and its folder with it, when this process dies in any other way. Only this
    user (and root) can connect, through a Unix socket, as superuser `postgres`.

    Args:
        bin_dir: The folder with `initdb` and `postgres`.
        settings: Server settings by name, such as {"fsync": "off"}.
        tcp: Listen on a free port of 127.0.0.1 as well, and hand out a DSN with that port and a
            random password, for clients that do not speak Unix sockets.

    Raises:
        EmbeddedServerError: The server cannot be started; the last lines of its log are in it.
    """
    if sys.platform == "win32":
        raise EmbeddedServerError(
            "PostgreSQL cannot be launched on Windows.", next_step="Pass --dsn, or run Docker."
        )
    taken = sorted(_OURS & {name.lower() for name in settings or {}})
    if taken:
        raise EmbeddedServerError(
            f"The launcher itself sets {', '.join(taken)}.",
            next_step="Leave them out of the settings; tcp=True opens a port.",
        )
    # The supervisor works in another directory.
    folder = Path(bin_dir).absolute()
    try:
        version = ask_version(folder)
    except EmbeddedServerError as error:
        raise EmbeddedServerError(
            f"{folder} {error.message}",
            next_step="Name a folder with initdb and postgres, such as /usr/lib/postgresql/17/bin.",
        ) from error
    order = {
        "bin_dir": str(folder),
        "settings": dict(settings or {}),
        "tcp": tcp,
        "parent": os.getpid(),
    }
    supervisor = _start_supervisor()
    report = None
    try:
        report = _place(supervisor, json.dumps(order))
        yield Server(report.dsn, version, f"binaries {folder}", folder)
    finally:
        _end(supervisor, report)


def _start_supervisor() -> subprocess.Popen[str]:
    # Isolated (-I) and without site-packages (-S): nothing of the caller's environment can break
    # it. Its own session keeps the terminal's Ctrl-C away.
    script = Path(__file__).with_name("supervisor.py")
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd="/",
        start_new_session=True,
    )


def _place(supervisor: subprocess.Popen[str], order: str) -> _Report:
    assert supervisor.stdin is not None  # noqa: S101 - a pipe, see Popen
    assert supervisor.stdout is not None  # noqa: S101
    # If it died already, what it printed says more than a broken pipe.
    with suppress(BrokenPipeError):
        supervisor.stdin.write(order + "\n")
        supervisor.stdin.flush()
    line = supervisor.stdout.readline()
    try:
        fields = json.loads(line)
    except json.JSONDecodeError:
        text = line + supervisor.stdout.read()
        raise EmbeddedServerError(f"The supervisor of the server died: {text.strip()}") from None
    if "error" in fields:
        raise EmbeddedServerError(f"PostgreSQL did not start: {fields['error']}")
    return _Report(fields["dsn"], fields["pid"], tuple(Path(name) for name in fields["folders"]))


def _end(supervisor: subprocess.Popen[str], report: _Report | None) -> None:
    assert supervisor.stdin is not None  # noqa: S101
    assert supervisor.stdout is not None  # noqa: S101
    # A child that our process forked may come here too. It closes its own copy of the pipe, and
    # wait() returns at once, as the supervisor is not its child: our server runs on.
    with suppress(BrokenPipeError):
        supervisor.stdin.close()
    try:
        supervisor.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()
    supervisor.stdout.close()
    if supervisor.returncode != 0 and report is not None:
        _stop_orphan(report)


def _stop_orphan(report: _Report) -> None:
    # Somebody killed the supervisor: do its last duty in its place. On Linux the server is ending
    # already; elsewhere it is not.
    from confiture_flows.postgres.supervisor import STOP_STEPS, remove

    for number, seconds in STOP_STEPS:
        end = time.monotonic() + seconds
        with suppress(ProcessLookupError):
            while report.server_is_named() and time.monotonic() < end:
                os.kill(report.pid, number)
                time.sleep(0.1)
    remove(report.folders)
