"""What tests of several rooms share and fixtures cannot hold."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest

from confiture_flows.migrations.migration import Runnable, Script

Value = TypeVar("Value")


def in_sql(script: Runnable | None) -> Script:
    """A script that is written in SQL."""
    assert isinstance(script, Script)
    return script


def eventually(
    read: Callable[[], Value], good: Callable[[Value], bool], seconds: float = 30
) -> Value:
    """Read until it is good, or fail with what was read last."""
    deadline = time.monotonic() + seconds
    pause = 0.03
    while not good(value := read()):
        if time.monotonic() > deadline:
            pytest.fail(f"still {value!r} after {seconds} s")
        time.sleep(pause)
        # Who waits long should not keep busy the server that it asks.
        pause = min(pause * 1.3, 0.3)
    return value


def sleepers(conn: psycopg.Connection) -> int:
    """How many sessions of the database are within a `pg_sleep(60)`."""
    row = conn.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND query LIKE '%pg_sleep(60)%' AND state = 'active'"
    ).fetchone()
    return row[0] if row else 0


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True).stdout
    parents = {int(a): int(b) for a, b in (line.split() for line in listed.splitlines())}
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found[1:]


def git(folder: Path, *arguments: str) -> None:
    """Run git as somebody who never configured it."""
    given = ["-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
    subprocess.run(["git", *given], cwd=folder, check=True, capture_output=True)


def told_of(found: list[Any]) -> list[tuple[str, str]]:
    """The events that are ours, without their common beginning, and what they are about."""
    return [
        (each["event"].removeprefix("confiture."), each["resource"]["prefect.resource.id"])
        for each in found
        if each["event"].startswith("confiture.")
    ]


@contextmanager
def running(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program that goes on for ever in a folder, and end it as Ctrl-C would."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def serving(folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run deployments/serve.py in a folder, as a person would."""
    script = Path(__file__).parents[1] / "deployments" / "serve.py"
    # It would look for runs every ten seconds only.
    often = {"PREFECT_RUNNER_POLL_FREQUENCY": "1"}
    with running([sys.executable, script], folder, environment | often) as process:
        yield process


@dataclass
class Webhook:
    """Where a webhook is, what was posted to it, and what it answers; 200 when nothing is said."""

    url: str = ""
    got: list[dict[str, Any]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)


@contextmanager
def webhook_server() -> Iterator[Webhook]:
    """A server that keeps what is posted to it."""
    webhook = Webhook()

    class Keep(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            webhook.got.append(json.loads(self.rfile.read(length)))
            self.send_response(webhook.answers.pop(0) if webhook.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keep)
    webhook.url = f"http://127.0.0.1:{server.server_port}/secret-path"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield webhook
    finally:
        server.shutdown()
        server.server_close()
