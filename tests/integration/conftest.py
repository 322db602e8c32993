"""The engine on the test's database: discover, plan, apply, with little patience."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from confiture_flows.config import Limits
from confiture_flows.migrations.apply import apply_plan
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.ledger import LedgerRow, read_ledger
from confiture_flows.migrations.lookout import another_connection
from confiture_flows.migrations.observer import Observer
from confiture_flows.migrations.plan import Plan, plan_back, plan_forward
from confiture_flows.target import Target, connect

PROGRAM = Path(sys.executable).with_name("confiture-flows")
QUICK = Limits(lock_timeout_ms=100, lock_patience=0.4, busy_patience=0.5)


@dataclass(frozen=True)
class Engine:
    """Runs plans on one target; each call opens and closes a connection of its own."""

    target: Target

    def plan(self, directory: Path, to: str | None = None, *, as_written: bool = False) -> Plan:
        with connect(self.target, "test") as conn:
            rows = read_ledger(conn, self.target.ledger)
        return plan_forward(discover(directory, as_written=as_written).migrations, rows, to)

    def plan_back(self, directory: Path, to: str | None = None) -> Plan:
        with connect(self.target, "test") as conn:
            rows = read_ledger(conn, self.target.ledger)
        return plan_back(discover(directory).migrations, rows, to)

    def apply(self, plan: Plan, observer: Observer | None = None) -> tuple[LedgerRow, ...]:
        with connect(self.target, "test") as conn:
            return apply_plan(
                conn,
                plan,
                limits=self.target.limits,
                ledger=self.target.ledger,
                observer=observer,
                another=another_connection(self.target),
            )

    def migrate(
        self,
        directory: Path,
        to: str | None = None,
        *,
        as_written: bool = False,
        observer: Observer | None = None,
    ) -> tuple[LedgerRow, ...]:
        return self.apply(self.plan(directory, to, as_written=as_written), observer)

    def rollback(self, directory: Path, to: str | None = None) -> tuple[LedgerRow, ...]:
        return self.apply(self.plan_back(directory, to))

    def rows(self) -> tuple[LedgerRow, ...]:
        with connect(self.target, "test") as conn:
            return read_ledger(conn, self.target.ledger)

    def versions(self) -> list[str]:
        return [row.version for row in self.rows()]

    def limited(self, **limits: float) -> Engine:
        """The same with other limits."""
        changed = replace(self.target.limits, **limits)
        return Engine(replace(self.target, limits=changed))


@pytest.fixture
def engine(target: Target) -> Engine:
    return Engine(replace(target, limits=QUICK))


@pytest.fixture
def tables(conn: psycopg.Connection) -> Callable[[], list[str]]:
    """The names of the tables outside PostgreSQL's own schemas and our own, sorted."""

    def read() -> list[str]:
        found = conn.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname NOT LIKE 'pg_%'"
            " AND schemaname <> 'information_schema' AND tablename NOT LIKE 'tb_confiture%'"
            " ORDER BY 1"
        )
        return [row[0] for row in found]

    return read


@pytest.fixture
def sessions(conn: psycopg.Connection) -> Callable[[], list[str]]:
    """What other sessions of this package do on the test's database: their running queries."""

    def read() -> list[str]:
        found = conn.execute(
            "SELECT query FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND application_name LIKE 'confiture-flows%'"
            " AND state <> 'idle' ORDER BY backend_start"
        )
        return [row[0] for row in found]

    return read


@pytest.fixture
def other(dsn: str) -> Iterator[psycopg.Connection]:
    """A third session on the test's database, for a transaction that stands in the way."""
    with psycopg.connect(dsn) as connection:
        yield connection
        with suppress(psycopg.Error):
            connection.rollback()


@dataclass(frozen=True)
class Role:
    """A login role of the test's own."""

    name: str
    dsn: str


@pytest.fixture
def new_role(conn: psycopg.Connection, dsn: str) -> Iterator[Callable[[], Role]]:
    """Make roles without any right; a role outlives its database, so they are dropped."""
    made: list[str] = []

    def make() -> Role:
        name = f"{conn.info.dbname}_role_{len(made)}"
        role = sql.Identifier(name)
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'limited'").format(role))
        made.append(name)
        return Role(name, make_conninfo(dsn, user=name, password="limited"))

    yield make
    for name in made:
        conn.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(name)))
        conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
def start_migrate(target: Target) -> Iterator[Callable[[Path], subprocess.Popen[str]]]:
    """Start `confiture-flows migrate --plain` in a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(directory: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [PROGRAM, "migrate", "--plain", "--dir", directory],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=directory,
            env={"PATH": "/usr/bin:/bin", "CONFITURE_DSN": target.dsn},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def source(new_database: Callable[[], str], request: pytest.FixtureRequest) -> str:
    """A database to copy, with what PEOPLE of the test's module makes; empty without it."""
    dsn = new_database()
    with psycopg.connect(dsn) as connection:
        connection.execute(getattr(request.module, "PEOPLE", "").encode())
    return dsn


@pytest.fixture
def place(new_database: Callable[[], str]) -> str:
    """An empty database to copy into."""
    return new_database()
