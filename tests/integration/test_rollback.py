"""A way back runs down scripts, the latest first, and erases their rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from confiture_flows.errors import ApplyError, IrreversibleError, LedgerError, PlanError

from .conftest import Engine

PAIRS = {
    "0001_users.up.sql": "CREATE TABLE users (id int PRIMARY KEY);",
    "0001_users.down.sql": "DROP TABLE users;",
    "0002_orders.up.sql": "CREATE TABLE orders (user_id int REFERENCES users);",
    "0002_orders.down.sql": "DROP TABLE orders;",
    "0003_items.up.sql": "CREATE TABLE items (id int);",
    "0003_items.down.sql": "DROP TABLE items;",
}


@pytest.mark.parametrize(
    ("to", "undone", "left"),
    [
        (None, ["0003"], ["orders", "users"]),
        ("0003", [], ["items", "orders", "users"]),
        ("0001", ["0003", "0002"], ["users"]),
        ("zero", ["0003", "0002", "0001"], []),
    ],
)
def test_rollback_undoes_the_latest_first(
    engine: Engine,
    write: Callable[..., Path],
    tables: Callable[[], list[str]],
    to: str | None,
    undone: list[str],
    left: list[str],
) -> None:
    directory = write(PAIRS)
    engine.migrate(directory)

    rows = engine.rollback(directory, to)

    assert [row.version for row in rows] == undone
    assert tables() == left
    assert engine.versions() == ["0001", "0002", "0003"][: 3 - len(undone)]


def test_the_order_of_the_way_back_is_the_order_of_application(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    directory = write({name: sql for name, sql in PAIRS.items() if "orders" not in name})
    engine.migrate(directory)
    write(PAIRS)
    engine.migrate(directory)

    rows = engine.rollback(directory)

    assert [row.version for row in rows] == ["0002"]
    assert tables() == ["items", "users"]


def test_failed_way_back_keeps_row_and_objects(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    directory = write(PAIRS | {"0002_orders.down.sql": "DROP TABLE orders;\nSELECT 1 / 0;\n"})
    engine.migrate(directory)

    with pytest.raises(ApplyError, match="0002_orders was rolled back") as caught:
        engine.rollback(directory, "zero")

    assert caught.value.file == directory / "0002_orders.down.sql"
    assert (caught.value.line, caught.value.statement) == (2, 2)
    assert tables() == ["orders", "users"]
    assert engine.versions() == ["0001", "0002"]


def test_migrate_rollback_migrate_gives_the_same(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    directory = write(PAIRS)
    engine.migrate(directory)
    engine.rollback(directory, "zero")

    engine.migrate(directory)

    assert tables() == ["items", "orders", "users"]
    assert engine.versions() == ["0001", "0002", "0003"]


def test_way_back_through_a_migration_without_down_does_not_start(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    directory = write({k: v for k, v in PAIRS.items() if k != "0002_orders.down.sql"})
    engine.migrate(directory)

    with pytest.raises(IrreversibleError, match="0002_orders has no down script"):
        engine.rollback(directory, "zero")

    assert tables() == ["items", "orders", "users"]


def test_way_back_to_what_is_not_applied_is_refused(
    engine: Engine, write: Callable[..., Path]
) -> None:
    directory = write(PAIRS)
    engine.migrate(directory, "0002")

    with pytest.raises(PlanError, match="0003 is not applied"):
        engine.rollback(directory, "0003")


def test_same_way_back_applied_twice_skips_what_is_undone(
    engine: Engine, write: Callable[..., Path]
) -> None:
    directory = write(PAIRS)
    engine.migrate(directory)
    plan = engine.plan_back(directory, "0001")
    engine.apply(plan)

    assert engine.apply(plan) == ()
    assert engine.versions() == ["0001"]


def test_migration_that_came_after_the_plan_stops_the_way_back(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    """It may stand on what the plan takes away."""
    directory = write(PAIRS)
    engine.migrate(directory, "0002")
    plan = engine.plan_back(directory, "zero")
    engine.migrate(directory)

    with pytest.raises(LedgerError, match="0003"):
        engine.apply(plan)

    assert tables() == ["items", "orders", "users"]


def test_edited_down_script_is_what_runs(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    """The ledger remembers the up script only: mending a way back must stay possible."""
    directory = write(PAIRS | {"0003_items.down.sql": "DROP TABLE misspelt;"})
    engine.migrate(directory)
    write({"0003_items.down.sql": "DROP TABLE items;"})

    engine.rollback(directory)

    assert tables() == ["orders", "users"]
