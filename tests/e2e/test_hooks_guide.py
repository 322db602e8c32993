"""The examples of the guide to hooks run, and its tables leave nothing out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from confiture_flows import PostgresTarget
from confiture_flows.config import load_project
from confiture_flows.errors import ApplyError
from confiture_flows.flows import migrate_flow
from confiture_flows.flows._targets import given_target
from confiture_flows.hooks.builtin._options import HookOptions
from confiture_flows.hooks.loading import BUILT_IN
from confiture_flows.hooks.model import Hook, HookContext, HookPoint, HookSummary
from confiture_flows.hooks.registry import registered
from confiture_flows.target import Target, configured_target
from tests.pages.blocks import blocks, page
from tests.support import webhook_server

GUIDE, API = "docs/guides/migration-hooks.md", "docs/api/hooks.md"
PROGRAM = Path(sys.executable).with_name("confiture-flows")
CUSTOMERS = {
    "0001_customers.up.sql": "CREATE TABLE customers AS SELECT 1 AS id;",
    "0001_customers.down.sql": "DROP TABLE customers;",
}


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    yield
    for each in tuple(registered):
        registered.remove(each.call)


def migrate(folder: Path, **variables: str) -> str:
    done = subprocess.run(
        [PROGRAM, "migrate", "--plain", "--target", "shop"],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


def test_configuration_of_the_guide_does_what_it_says(
    tmp_path: Path, write: Callable[..., Path], dsn: str, conn: psycopg.Connection
) -> None:
    write(CUSTOMERS)
    (tmp_path / "confiture.toml").write_text(blocks(GUIDE, "toml")[0])
    (tmp_path / "deploy_hooks.py").write_text(blocks(GUIDE, "python")[0])
    with webhook_server() as webhook:
        said = migrate(tmp_path, SHOP_DSN=dsn, TEAM_WEBHOOK=webhook.url)
        assert "hook before_apply: freeze_deploys: deploys are frozen" in said
        assert "hook after_apply: shop_still_answers: done" in said
        assert conn.execute("SELECT ok FROM confiture_deployments").fetchall() == [(True,)]
        assert len(list((tmp_path / "backups").glob("shop.*.0001.dump"))) == 1
        assert webhook.got[0]["text"].startswith("shop: 0001 done")
        write(
            {
                "0002_empty.up.sql": "DELETE FROM customers;",
                "0002_empty.down.sql": "INSERT INTO customers VALUES (1);",
            }
        )
        said = migrate(tmp_path, SHOP_DSN=dsn, TEAM_WEBHOOK=webhook.url)
    assert "there are no customers any more" in said
    assert "1 migration applied and taken back" in said
    assert conn.execute("SELECT count(*) FROM customers").fetchone() == (1,)


@pytest.mark.usefixtures("prefect_server")
def test_tasks_flows_and_transactions_of_the_guide_run(
    target: Target,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    _, runs, audit, callback = blocks(GUIDE, "python")
    # Names of the module are looked up by Prefect, which validates the flow's parameters.
    for number, example in enumerate((runs, audit)):
        exec(compile(example, f"example_{number}.py", "exec"), {"__name__": f"example_{number}"})
    conn.execute("CREATE TABLE schema_audit (version text, key text)")
    with given_target(target):
        migrate_flow(target=target.name, directory=str(write(CUSTOMERS)))
    (row,) = conn.execute("SELECT version, key FROM schema_audit").fetchall()
    assert row[0] == "0001"
    assert row[1].endswith(":after_apply:audit:0001")
    logged = "\n".join(caplog.messages)
    assert "warmed after 1 migrations" in logged
    assert "reindexed for 0001" in logged

    names: dict[str, Any] = {}
    exec(compile(callback, "migration-hooks.md", "exec"), names)
    PostgresTarget(dsn=SecretStr(target.dsn)).save("guide-careful", overwrite=True)
    directory = write({"0002_wrong.up.sql": "SELECT nothing;"})
    with pytest.raises(ApplyError):
        names["careful"]("guide-careful", str(directory))
    assert "apply 0002 ended Failed" in capsys.readouterr().out


def test_data_transformation_of_the_guide_fills_its_column(
    tmp_path: Path, write: Callable[..., Path], dsn: str, conn: psycopg.Connection
) -> None:
    write(
        {
            "0001_orders.up.sql": "CREATE TABLE orders AS SELECT g AS id, 2 AS price, g AS amount,"
            " NULL::bigint AS total FROM generate_series(1, 12000) g;"
        }
    )
    table = '[targets.shop]\ndsn = "${SHOP_DSN}"\n'
    (tmp_path / "confiture.toml").write_text(table + blocks(GUIDE, "toml")[2])
    (tmp_path / "fill_totals.sql").write_text(blocks(GUIDE, "sql")[0])
    assert "fill_totals.sql: 12000 rows" in migrate(tmp_path, SHOP_DSN=dsn)
    assert conn.execute("SELECT sum(total) FROM orders").fetchone() == (12000 * 12001,)


def test_other_tables_of_the_guide_are_read_as_they_say(tmp_path: Path) -> None:
    (tmp_path / "confiture.toml").write_text(blocks(GUIDE, "toml")[1])
    target = configured_target(load_project(tmp_path), "staging")
    assert target is not None
    assert target.on_error == "rollback"


def test_example_of_the_reference_runs() -> None:
    (example,) = blocks(API, "python")
    exec(compile(example, "hooks.md", "exec"), {})


# Of a hook: what is no option of it.
NOT_SAID = {"point", "call", "kind", "takes", "settings"}


def test_reference_leaves_nothing_out() -> None:
    text = page(API)
    options = {field.name for field in fields(Hook)} - NOT_SAID
    told = {field.name for field in fields(HookContext)} | {"key", "summary()", "error_message"}
    kinds = [
        kind
        for module in BUILT_IN.values()
        for kind in vars(import_module(module)).values()
        if isinstance(kind, type) and issubclass(kind, HookOptions) and kind is not HookOptions
    ]
    assert len(kinds) >= len(BUILT_IN)
    built_in = {name for kind in kinds for name in kind.model_fields}
    summary = {field.name for field in fields(HookSummary)}
    wanted = options | told | built_in | summary | set(BUILT_IN)
    assert sorted(name for name in wanted if f"`{name}`" not in text) == []
    assert [point for point in HookPoint if f"| `{point.value}` |" not in page(GUIDE)] == []
