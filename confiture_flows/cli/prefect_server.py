"""A Prefect server for the length of a `with` block: for the demo and for tests.

Everything it keeps is in a private folder that goes with it. It phones nobody.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

_STOP_SECONDS = 10


class TemporaryServer:
    """A Prefect server that is starting, or started.

    Attributes:
        url: Of its web pages.
        api_url: For PREFECT_API_URL.
        home: For PREFECT_HOME.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.api_url = f"{self.url}/api"
        self._log = home / "server.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "prefect", "server", "start", f"--port={port}"],
                env=os.environ | self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for us: the run that is going on reports to this server first.
                start_new_session=True,
            )

    def environment(self) -> dict[str, str]:
        """Variables with which Prefect uses this server; its own web pages read them too."""
        return {
            "PREFECT_HOME": str(self.home),
            "PREFECT_API_URL": self.api_url,
            "PREFECT_SERVER_API_HOST": "127.0.0.1",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            # Who looks at a page should not wait the usual five seconds for its events.
            "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "0.5",
            "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
            "DO_NOT_TRACK": "1",
        }

    def wait(self, seconds: float = 240) -> None:
        """Wait until it answers; a first start compiles Prefect, for minutes on a busy machine.

        Raises:
            ConfigError: It ended, or took longer than that.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.api_url}/health", timeout=2).close()  # noqa: S310
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
            else:
                return
        last = self._log.read_text(errors="replace").strip().splitlines()[-10:]
        raise ConfigError(
            "The temporary Prefect server did not start:\n" + "\n".join(last),
            next_step="Start one with `prefect server start` and set PREFECT_API_URL.",
        )

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def temporary_server() -> Iterator[TemporaryServer]:
    """Start a Prefect server without waiting for it; stop it and remove its folder after."""
    with tempfile.TemporaryDirectory(
        prefix="confiture-prefect-", ignore_cleanup_errors=True
    ) as home:
        server = TemporaryServer(Path(home))
        try:
            yield server
        finally:
            server.stop()
