"""Dry runs of six real projects: defects of their files are found, and nothing is touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from confiture_flows.catalog.snapshot import take_snapshot
from confiture_flows.catalog.tracking import Tracker
from confiture_flows.dryrun.dry_run import dry_run
from confiture_flows.dryrun.report import DryRunReport, RollbackVerdict
from confiture_flows.migrations.apply import apply_plan
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.ledger import read_ledger
from confiture_flows.migrations.plan import Plan, plan_forward
from confiture_flows.target import Target, connect

PROJECTS: dict[str, dict[str, Any]] = {
    "crates_io": {},
    "neosync": {},
    "concourse": {"layout": "pairs-by-name"},
    "e2b": {"as_written": True},
    "langfuse": {"as_written": True},
    "svix": {},
}


@pytest.fixture
def roles(conn: psycopg.Connection) -> Iterator[None]:
    """e2b creates roles, which outlive the database."""
    before = {row[0] for row in conn.execute("SELECT rolname FROM pg_roles")}
    yield
    made = [row[0] for row in conn.execute("SELECT rolname FROM pg_roles") if row[0] not in before]
    for role in made:
        conn.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(role)))
        conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def plan_of(project: str, corpora: Path, rows: tuple[Any, ...] = ()) -> Plan:
    found = discover(corpora / project / "migrations", **PROJECTS[project])
    return plan_forward(found.migrations, rows)


def rehearsed(target: Target, plan: Plan, **options: Any) -> DryRunReport:
    with connect(target, "test") as conn:
        report = dry_run(conn, plan, target=target, **options)
    if not report.place:
        pytest.skip(report.unknown[0])
    return report


def state(conn: psycopg.Connection) -> dict[str, object]:
    """What a dry run must leave as it was."""
    tables = [
        row[0]
        for row in conn.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p')"
            " AND relnamespace::regnamespace::text !~ '^pg_|^information_schema$' ORDER BY 1"
        )
    ]
    count = sql.SQL("SELECT count(*) FROM {}")
    return {
        "catalog": take_snapshot(conn),
        "rows": {each: conn.execute(count.format(sql.SQL(each))).fetchone() for each in tables},
        "sequences": conn.execute(
            "SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2"
        ).fetchall(),
        "settings": conn.execute(
            "SELECT setdatabase, setrole, setconfig FROM pg_db_role_setting"
            " WHERE setdatabase IN (0, (SELECT oid FROM pg_database"
            " WHERE datname = current_database())) ORDER BY 1, 2"
        ).fetchall(),
        "roles": conn.execute("SELECT rolname FROM pg_roles ORDER BY 1").fetchall(),
        "locks": conn.execute(
            "SELECT locktype, mode FROM pg_locks WHERE pid <> pg_backend_pid() AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).fetchall(),
        "ledger": read_ledger(conn, "tb_confiture"),
    }


@pytest.mark.usefixtures("roles")
@pytest.mark.parametrize("project", PROJECTS)
def test_target_is_logically_the_same_after_a_dry_run_on_it(
    project: str, corpora: Path, target: Target, conn: psycopg.Connection
) -> None:
    """The first half of the project is applied; the rest is dry-run, as far as it goes."""
    whole = plan_of(project, corpora)
    with connect(target, "test") as session:
        half = Plan(whole.direction, whole.steps[: len(whole.steps) // 2])
        apply_plan(session, half, limits=target.limits)
    rest = plan_of(project, corpora, read_ledger(conn, target.ledger))
    before = state(conn)

    report = rehearsed(target, rest, on="target", budget=5.0, prove=False)

    after = state(conn)
    assert report.error is None
    assert report.on_target
    assert len(report.migrations) == len(rest.steps)
    told = " ".join(report.on_target.survived)
    if before["sequences"] != after["sequences"]:
        assert told
        del before["sequences"], after["sequences"]
    assert after == before


def verdicts(report: DryRunReport) -> dict[str, RollbackVerdict]:
    assert report.error is None
    return {each.version: each.proof.verdict for each in report.migrations if each.proof}


def test_defects_of_crates_io_are_found_and_its_locks_seen(
    corpora: Path, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = rehearsed(target, plan_of("crates_io", corpora))

    found = verdicts(report)
    by_version = {migration.version: migration for migration in report.migrations}
    assert found["20170318181441"] is RollbackVerdict.FAILS  # a syntax error
    assert found["20241025112826"] is RollbackVerdict.FAILS  # drops a constraint that is not there
    assert found["20140926130046"] is RollbackVerdict.DIFFERS
    lost = by_version["20140925161625"].proof
    assert lost
    assert [(each.name, each.before, each.after) for each in lost.changes] == [
        ("public.packages.downloads", "integer not null default 0", "integer not null"),
        ("public.versions.downloads", "integer not null default 0", "integer not null"),
    ]
    assert report.table_locks >= 376
    assert report.rollback
    assert (report.rollback.verdict, report.rollback.version) == (
        RollbackVerdict.FAILS,
        "20241025112826",
    )
    assert "Some catalog changes" not in " ".join(report.unknown)


@pytest.mark.parametrize(
    ("project", "version", "said"),
    [
        ("svix", "20220428190104", "message_payload_not_null_pidx"),
        ("e2b", "20250910063940", "parser refuses the file"),
    ],
)
def test_defects_of_others_are_found(
    project: str, version: str, said: str, corpora: Path, target: Target
) -> None:
    report = rehearsed(target, plan_of(project, corpora))

    assert verdicts(report)[version] is RollbackVerdict.FAILS
    proof = next(each.proof for each in report.migrations if each.version == version)
    assert proof
    assert proof.error
    assert said in proof.error.message


@pytest.mark.parametrize("project", ["neosync", "svix"])
def test_catalog_that_is_tracked_is_the_one_that_is_there(
    project: str, corpora: Path, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each way up and each way back, not only at the end."""
    looks: list[bool] = []
    after = Tracker.after

    def compared(self: Tracker, *arguments: Any) -> Any:
        catalog = after(self, *arguments)
        looks.append(catalog == self.whole())
        return catalog

    monkeypatch.setattr(Tracker, "after", compared)
    rehearsed(target, plan_of(project, corpora))

    assert len(looks) > 30 if project == "neosync" else len(looks) > 25
    assert all(looks)
