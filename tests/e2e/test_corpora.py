"""The real migrations of six projects, straight from their own layouts, through migrate_flow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from confiture_flows.catalog.snapshot import take_snapshot
from confiture_flows.errors import GateError, HistoryError
from confiture_flows.flows import migrate_flow, rollback_flow
from confiture_flows.flows._targets import given_target
from confiture_flows.migrations.apply import apply_plan
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.lifecycle import RunReport
from confiture_flows.migrations.plan import plan_forward
from confiture_flows.migrations.replay import replay
from confiture_flows.target import Target, connect

# Project, layout, number of migrations, what its files need said. Concourse has 149 up files
# with 148 distinct versions: one version stands twice, so the name is the identity.
CORPORA = [
    pytest.param("crates_io", "diesel", 285, {}, id="crates_io"),
    pytest.param("neosync", "pairs", 31, {}, id="neosync"),
    pytest.param("concourse", "pairs-by-name", 149, {"layout": "pairs-by-name"}, id="concourse"),
    pytest.param("e2b", "goose", 131, {"transaction": "as-written"}, id="e2b"),
    pytest.param("langfuse", "prisma", 434, {"transaction": "as-written"}, id="langfuse"),
    pytest.param("svix", "pairs", 16, {}, id="svix"),
]


@pytest.mark.usefixtures("prefect_server", "shared_roles")
@pytest.mark.parametrize(("project", "layout", "number", "said"), CORPORA)
def test_project_applies_in_order_and_a_second_run_does_nothing(
    project: str,
    layout: str,
    number: int,
    said: dict[str, Any],
    corpora: Path,
    target: Target,
    conn: psycopg.Connection,
) -> None:
    directory = corpora / project / "migrations"
    found = discover(directory, layout=said.get("layout"))
    assert (found.layout, len(found.migrations)) == (layout, number)
    run: Any = migrate_flow  # its overloads cannot read a dictionary of parameters
    with given_target(target):
        first: RunReport = run(target=target.name, directory=str(directory), **said)
        second: RunReport = run(target=target.name, directory=str(directory), **said)
    assert [row.version for row in first.done or ()] == [each.version for each in found.migrations]
    assert second.done == ()
    rows = conn.execute("SELECT version FROM tb_confiture ORDER BY pk_confiture").fetchall()
    assert [row[0] for row in rows] == [each.version for each in found.migrations]
    assert take_snapshot(conn).names("index")
    assert [each.name for each in take_snapshot(conn).invalid if each.kind == "index"] == []


HAND_MADE = {
    "column": "ALTER TABLE {table} ADD made_by_hand int",
    "index": "DROP INDEX {index}",
    "comment": "COMMENT ON TABLE {table} IS 'by hand'",
    "grant": "GRANT SELECT ON {table} TO public",
    "function": "CREATE FUNCTION made_by_hand() RETURNS int LANGUAGE sql AS 'SELECT 1'",
}


# One that makes roles and commits in the middle of its files, one that uses extensions.
@pytest.mark.usefixtures("shared_roles")
@pytest.mark.parametrize(
    ("project", "as_written"),
    [pytest.param("e2b", True, id="e2b"), pytest.param("crates_io", False, id="crates_io")],
)
def test_replay_of_a_project_finds_what_was_made_by_hand_and_nothing_else(
    project: str, as_written: bool, corpora: Path, target: Target, conn: psycopg.Connection
) -> None:
    migrations = discover(corpora / project / "migrations", as_written=as_written).migrations
    with connect(target, "test") as session:
        apply_plan(session, plan_forward(migrations, ()), limits=target.limits)

    def check() -> list[str]:
        with connect(target, "test") as session:
            found = replay(session, migrations, ledger=target.ledger, limits=target.limits)
        if "There is no PostgreSQL" in (found.unknown or ""):
            pytest.skip(str(found.unknown))
        assert (found.unknown, found.migrations) == (None, len(migrations))
        return [change.kind for change in found.changes]

    assert check() == []
    table, index = conn.execute(
        "SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text"
        " FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
        " AND c.relname NOT LIKE 'tb_confiture%' AND NOT i.indisunique"
        " ORDER BY i.indexrelid LIMIT 1"
    ).fetchall()[0]
    for statement in HAND_MADE.values():
        conn.execute(statement.format(table=table, index=index).encode())
    assert sorted(check()) == sorted(HAND_MADE)


@pytest.mark.usefixtures("prefect_server")
def test_neosync_goes_back_to_an_empty_schema(
    corpora: Path, target: Target, conn: psycopg.Connection
) -> None:
    directory = str(corpora / "neosync" / "migrations")
    before = set(take_snapshot(conn).objects)
    with given_target(target):
        migrate_flow(target=target.name, directory=directory)
        undone = rollback_flow(target=target.name, directory=directory, to="zero")
    assert len(undone.done or ()) == 31
    left = set(take_snapshot(conn).objects) - before
    assert [each for each in left if "tb_confiture" not in each.name] == []


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("project", ["langfuse", "e2b"])
def test_commit_in_the_middle_is_refused_unless_declared(
    project: str, corpora: Path, target: Target, new_database: Callable[[], str]
) -> None:
    with given_target(target), pytest.raises(GateError, match="COMMIT would end"):
        migrate_flow(target=target.name, directory=str(corpora / project / "migrations"))


@pytest.mark.usefixtures("prefect_server")
def test_concourse_needs_its_layout_named(corpora: Path, target: Target) -> None:
    with given_target(target), pytest.raises(HistoryError, match="1626194317 stands twice") as e:
        migrate_flow(target=target.name, directory=str(corpora / "concourse" / "migrations"))
    assert "pairs-by-name" in (e.value.next_step or "")
