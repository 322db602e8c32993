"""The question to Docker takes a second at most, whatever is at the other end."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from confiture_flows.errors import EmbeddedServerError
from confiture_flows.postgres.container import container_server, find_docker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def listening(reply: Callable[[socket.socket], None]) -> Iterator[str]:
    """Listen on a port of 127.0.0.1 and give every connection to `reply`."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    try:
                        reply(connection)
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


def answer(status: str) -> Callable[[socket.socket], None]:
    def reply(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    return reply


def drip(connection: socket.socket) -> None:
    for byte in b"HTTP/1.1 200 OK\r\n":
        connection.sendall(bytes([byte]))
        time.sleep(0.4)


def assert_refused_within_a_second(match: str) -> None:
    start = time.monotonic()
    with pytest.raises(EmbeddedServerError, match=match):
        find_docker()
    # What drips would take seven seconds, and what is silent for ever.
    assert time.monotonic() - start < 4


def test_a_socket_that_never_answers_costs_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(tmp_path / "d.sock"))
        server.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/d.sock")
        assert_refused_within_a_second("timed out|no answer within 1 s")


def test_a_daemon_that_drips_costs_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(drip) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        assert_refused_within_a_second("no answer within 1 s")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("unix:///nonexistent/docker.sock", "No such file"),
        ("tcp://127.0.0.1:1", "refused"),
        ("tcp://127.0.0.1:a", "Port could not be cast"),
        ("ssh://someone@somewhere", "only unix:// and tcp:// are asked"),
    ],
)
def test_an_address_without_a_daemon_says_why(
    address: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    assert_refused_within_a_second(reason)


def test_something_that_is_not_http_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(lambda connection: connection.sendall(b"SSH-2.0-OpenSSH\r\n")) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        assert_refused_within_a_second("not HTTP")


@pytest.mark.parametrize("status", ["200 OK", "400 Client sent HTTP to an HTTPS server"])
def test_an_http_answer_is_a_daemon(status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(answer(status)) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        assert find_docker() == address


def test_the_current_docker_context_names_the_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "contexts" / "meta" / hashlib.sha256(b"colima").hexdigest()
    folder.mkdir(parents=True)
    (tmp_path / "config.json").write_text(json.dumps({"currentContext": "colima"}))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with listening(answer("200 OK")) as address:
        meta = {"Name": "colima", "Endpoints": {"docker": {"Host": address}}}
        (folder / "meta.json").write_text(json.dumps(meta))
        assert find_docker() == address


def test_a_daemon_that_refuses_to_work_is_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("testcontainers", reason="the extra `containers` is not installed")
    with listening(answer("500 Internal Server Error")) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        with (
            pytest.raises(EmbeddedServerError, match="Docker answers, but refuses us"),
            container_server(),
        ):
            pass
