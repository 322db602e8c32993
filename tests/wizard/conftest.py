"""A shop, a project about it, and a person at a terminal in its folder."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from confiture_flows.postgres import Server
from tests.terminals import Person

from .room import ENVIRONMENT, Folder, Shells, Shop, Typist, make_shop


@pytest.fixture(scope="session")
def shop(server: Server) -> Iterator[Shop]:
    """Only read by the tests."""
    with make_shop(server.dsn) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path, shop: Shop) -> Folder:
    """A project of the test's own."""
    (tmp_path / "confiture.toml").write_text(shop.configuration)
    return Folder(tmp_path)


@pytest.fixture(scope="session")
def shells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shells]:
    made = Shells(tmp_path_factory.mktemp("home"))
    yield made
    made.leave()


@pytest.fixture
def typist(shells: Shells, folder: Folder) -> Iterator[Typist]:
    """A person at a terminal of 100 columns."""
    typist = Typist(shells.take())
    typist.begin(folder.path)
    try:
        yield typist
        typist.resize(100, 40)
        typist.run("cd /")
        typist.asked("[ok]", 5)
    except BaseException:
        shells.drop()
        raise


@pytest.fixture
def program(folder: Folder) -> Iterator[Callable[..., Person]]:
    """The installed program itself, for what one process after another must show."""
    started: list[Person] = []

    def start(*arguments: str, **where: str) -> Person:
        path = Path(sys.executable).with_name("confiture-flows")
        environment = ENVIRONMENT | {"HOME": str(folder.path)} | where
        started.append(Person([path, *arguments], folder.path, environment))
        return started[-1]

    yield start
    for each in started:
        each.close()
