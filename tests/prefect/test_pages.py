"""Runs, reports and blocks as Prefect's web pages show them in a browser.

The form of an approval is filled and sent in test_approval.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from confiture_flows.blocks import MigrationProject, PostgresTarget
from confiture_flows.blocks.target import load_target
from confiture_flows.config import Project
from confiture_flows.errors import ApplyError
from confiture_flows.flows import migrate_flow
from confiture_flows.flows._targets import given_target
from confiture_flows.target import Target
from tests import leaks
from tests.browser import Browser

SHOP = {
    "0042_customers.up.sql": "CREATE TABLE customers (id bigint PRIMARY KEY);",
    "0043_orders.up.sql": "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL"
    " REFERENCES customers);",
}
WRONG = {
    "0044_stock.up.sql": "CREATE TABLE stock (id bigint PRIMARY KEY);",
    "0044_stock.down.sql": "DROP TABLE stock;",
    "0045_once.up.sql": "ALTER TABLE orders\n  ADD CONSTRAINT once UNIQUE (customer);",
}


def test_pages_of_runs_show_stages_and_reports(
    browser: Browser[Any],
    target: Target,
    write: Callable[..., Path],
    latest_run: Callable[[], Any],
    ask: Callable[..., Any],
    told: Callable[[], None],
) -> None:
    shop = Target("shop", target.dsn, on_error="rollback")
    directory = str(write(SHOP))
    with given_target(shop):
        migrate_flow(target="shop", directory=directory, dry_run="static")
        good = latest_run().id
        write(WRONG)
        with pytest.raises(ApplyError):
            migrate_flow(target="shop", directory=directory)
        bad = latest_run().id
    told()

    def artifact(run_id: Any, key: str) -> str:
        of_run = {"flow_run_id": {"any_": [str(run_id)]}, "key": {"any_": [key]}}
        (found,) = ask("/artifacts/filter", {"artifacts": of_run})
        return found["id"]

    heading = browser(lambda pages: pages.open_run(good))
    assert "migrate shop 0042..0043" in heading
    assert "Completed" in heading
    stages = browser(lambda pages: pages.stages(8))
    assert {"validate", "plan up", "dry run 0042..0043", "apply 0042..0043"} <= set(stages)
    assert set(stages.values()) == {"Completed"}
    page = browser(lambda pages: pages.open_artifact(artifact(good, "confiture-dry-run-shop")))
    cells = browser(lambda _: page.locator("td").all_inner_texts())
    assert "0043_orders" in cells
    report = browser(lambda _: page.inner_text())
    assert not [mark for mark in ("| ", "**", "##", "\\") if mark in report]

    assert "Failed" in browser(lambda pages: pages.open_run(bad))
    stages = browser(lambda pages: pages.stages(8))
    assert (stages["apply 0044..0045"], stages["take back the run"]) == ("Failed", "Completed")
    page = browser(lambda pages: pages.open_artifact(artifact(bad, "confiture-failure-shop")))
    report = browser(lambda _: page.inner_text())
    assert 'column "customer" named in key does not exist' in report
    assert "0045_once.up.sql:1" in report
    # What the page says above it is not said again.
    headline = browser(lambda pages: pages.text()).count("shop: failed at 0045")
    assert headline == 1


def test_a_block_is_made_in_its_form_and_shows_no_password(browser: Browser[Any]) -> None:
    PostgresTarget.register_type_and_schema()
    MigrationProject.register_type_and_schema()
    fields = browser(lambda pages: pages.open_block_form("migration-project"))
    assert {"Git URL", "Git token", "Directory", "Fail on"} <= set(fields)
    # Lint is on, off, or nothing: Prefect draws a choice around it, with its title above.
    assert [name for name, told in fields.items() if not told] == ["(Optional)"]
    fields = browser(lambda pages: pages.open_block_form("postgres-target"))
    assert {"DSN", "Host", "Password", "TLS mode", "Lock timeout (ms)"} <= set(fields)
    assert fields["Password"] == "Its password; empty where the server asks for none."
    assert all(fields.values())
    given = {"Database": "shop", "User": "deploy", "Password": leaks.PASSWORD}
    browser(lambda pages: pages.create_block("made-by-hand", **given))
    shown = browser(lambda pages: pages.text())
    assert "deploy" in shown
    assert "********" in shown
    assert leaks.PASSWORD not in shown
    # What was left empty is as if it had not been asked for.
    made = conninfo_to_dict(load_target("made-by-hand", Project()).dsn)
    assert made == {
        "host": "localhost",
        "port": "5432",
        "dbname": "shop",
        "user": "deploy",
        "password": leaks.PASSWORD,
    }
