"""A Docker daemon -> a PostgreSQL server in a container, removed at the end of the block.

The daemon is asked for a sign of life first, within one second in all; only then is testcontainers
imported (extra `containers`), and the image pulled where it is not there yet. Refuses where no
daemon answers, and does not ask daemons behind ssh:// or a Windows pipe.

testcontainers' reaper removes the container when this process is killed, unless it is switched off
(TESTCONTAINERS_RYUK_DISABLED).
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from confiture_flows.errors import EmbeddedServerError
from confiture_flows.postgres.server import Server, ask_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

IMAGE = "postgres:{major}-alpine"
USUAL_MAJOR = 17
PROBE_SECONDS = 1.0
READY_SECONDS = 60


@contextmanager
def container_server(
    *, major: int | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run PostgreSQL in a container until the block ends.

    Args:
        major: Its version; the usual one when not given.
        settings: Server settings by name, such as {"fsync": "off"}.

    Raises:
        EmbeddedServerError: No daemon answers within a second, testcontainers is not installed, or
            the container does not start.
    """
    find_docker()
    try:
        import docker.errors
        from testcontainers.core.container import DockerContainer
    except ImportError as error:
        raise EmbeddedServerError(
            f"Docker answers, but {error.name} is not installed:"
            " pip install 'confiture-flows[containers]'"
        ) from error

    image = IMAGE.format(major=major or USUAL_MAJOR)
    password = secrets.token_urlsafe(24)
    command = ["postgres"]
    for name, value in (settings or {}).items():
        command += ["-c", f"{name}={value}"]
    # DockerException: the daemon or the registry refuses. RuntimeError is what the exceptions of
    # testcontainers have in common; OSError covers requests and its own ConnectionError.
    failures = (docker.errors.DockerException, RuntimeError, OSError)
    try:
        container = (
            DockerContainer(image)
            .with_env("POSTGRES_PASSWORD", password)
            .with_env("POSTGRES_INITDB_ARGS", "--encoding=UTF8 --locale=C")
            .with_exposed_ports(5432)
            .with_command(command)
        )
    except failures as error:
        raise EmbeddedServerError(f"Docker answers, but refuses us: {error}") from error
    try:
        try:
            container.start()
            address = f"{container.get_container_host_ip()}:{container.get_exposed_port(5432)}"
        except failures as error:
            raise EmbeddedServerError(f"{image} did not start: {error}") from error
        dsn = f"postgresql://postgres:{password}@{address}/postgres"
        yield Server(dsn, _wait_until_ready(dsn, image), f"container {image}")
    finally:
        # Somebody else may have removed it.
        with suppress(docker.errors.NotFound):
            container.stop()


def _wait_until_ready(dsn: str, image: str) -> tuple[int, int]:
    # While the image sets itself up, Docker's proxy accepts connections and drops them. The first
    # server of that set-up listens on no port, so whoever answers here is the final one.
    end = time.monotonic() + READY_SECONDS
    while True:
        try:
            return ask_server(dsn)
        except EmbeddedServerError as error:
            if time.monotonic() > end:
                raise EmbeddedServerError(
                    f"{image} was not ready within {READY_SECONDS} s: {error.message}"
                ) from error
        time.sleep(0.2)


def find_docker() -> str:
    """Ask the Docker daemon for a sign of life, for one second at most.

    Returns:
        The address that answered.

    Raises:
        EmbeddedServerError: Nobody answered in time.
    """
    address = _docker_address()
    outcome: list[str | None] = []
    # A thread, because a name server or a daemon that sends a byte now and then could make any
    # timeout on a socket last longer. As a daemon thread it does not hold up the exit.
    thread = threading.Thread(target=lambda: outcome.append(_ping(address)), daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    refusal = outcome[0] if outcome else f"no answer within {PROBE_SECONDS:g} s"
    if refusal is not None:
        raise EmbeddedServerError(f"no Docker daemon at {address}: {refusal}")
    return address


def _docker_address() -> str:
    # The order of testcontainers 4.15 (core/docker_client.py, get_docker_host).
    return os.environ.get("DOCKER_HOST") or _context_address() or "unix:///var/run/docker.sock"


def _context_address() -> str | None:
    # Docker Desktop, Colima and rootless Docker name their socket in a context.
    home = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        name = json.loads((home / "config.json").read_text())["currentContext"]
        folder = hashlib.sha256(name.encode()).hexdigest()
        meta = json.loads((home / "contexts" / "meta" / folder / "meta.json").read_text())
        return meta["Endpoints"]["docker"]["Host"]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _ping(address: str) -> str | None:
    """None when something at the address speaks HTTP, otherwise why not."""
    url = urlsplit(address)
    try:
        if url.scheme == "unix" and hasattr(socket, "AF_UNIX"):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(PROBE_SECONDS)
                connection.connect(url.path)
                return _ask(connection)
        if url.scheme in ("tcp", "http", "https"):
            where = (url.hostname or "localhost", url.port or 2375)
            with socket.create_connection(where, PROBE_SECONDS) as connection:
                return _ask(connection)
    except (OSError, ValueError) as error:
        return str(error)
    return "only unix:// and tcp:// are asked"


def _ask(connection: socket.socket) -> str | None:
    with connection.makefile("rb") as answer:
        connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
        # A daemon that wants TLS answers 400 to plain HTTP: an answer all the same.
        return None if answer.read(5) == b"HTTP/" else "not HTTP"
