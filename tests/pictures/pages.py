"""Make the pictures of Prefect's pages in docs/images anew, each from a real run.

`uv run python -m tests.pictures.pages`; needs Chromium. tests/prefect look at the same pages.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from confiture_flows.blocks import PostgresTarget
from confiture_flows.cli.prefect_server import temporary_server
from confiture_flows.errors import ApplyError
from confiture_flows.flows import migrate_flow
from confiture_flows.postgres import provide_server
from tests.browser import HEIGHT, WIDTH, Browser, open_browser, why_not
from tests.pictures.palette import with_palette
from tests.support import eventually, serving

IMAGES = Path(__file__).parents[2] / "docs" / "images"
_CONFIGURATION = """
[targets.shop]
dsn = "{dsn}"
on_error = "rollback"

[targets.prod]
dsn = "{dsn}"
dry_run = "scratch"
approve = "always"
"""
_CUSTOMERS = {
    "0042_customers.up.sql": "CREATE TABLE customers (id bigint PRIMARY KEY, email text);",
    "0042_customers.down.sql": "DROP TABLE customers;",
    "0043_orders.up.sql": "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);",
    "0043_orders.down.sql": "DROP TABLE orders;",
}
_WRONG = {
    "0044_stock.up.sql": "CREATE TABLE stock (id bigint PRIMARY KEY);",
    "0044_stock.down.sql": "DROP TABLE stock;",
    "0045_once.up.sql": "ALTER TABLE orders ADD CONSTRAINT once UNIQUE (customer);",
}
_PAID = {
    "0044_paid.up.sql": "ALTER TABLE orders ADD paid_on date;\n"
    "CREATE INDEX orders_paid_on ON orders (paid_on);",
    "0044_paid.down.sql": "ALTER TABLE orders DROP paid_on;",
    "0045_emails.up.sql": "UPDATE customers SET email = lower(email);\n"
    "ALTER TABLE customers ALTER email SET NOT NULL;",
    "0045_emails.down.sql": "ALTER TABLE customers ALTER email DROP NOT NULL;",
}
_ROWS = """
INSERT INTO customers SELECT g, 'C' || g || '@shop.example' FROM generate_series(1, 200000) AS g;
INSERT INTO orders SELECT g, 1 + g % 200000 FROM generate_series(1, 400000) AS g;
ANALYZE
"""


def _write(files: dict[str, str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text + "\n")


def _shot(browser: Browser[Any], name: str, height: int = HEIGHT) -> None:
    """Write a picture of what is shown, once its graph is drawn and what moved has come to rest."""

    def take(pages: Any) -> None:
        pages.page.set_viewport_size({"width": WIDTH, "height": height})
        pages.page.wait_for_timeout(3000)
        picture = pages.page.screenshot(animations="disabled")
        (IMAGES / f"{name}.png").write_bytes(with_palette(pages.page, picture))

    browser(take)


def _latest(client: SyncPrefectClient, what: str, **wanted: Any) -> Any:
    body = {"sort": "ID_DESC" if what == "artifacts" else "EXPECTED_START_TIME_DESC", **wanted}
    found = client._client.post(f"/{what}/filter", json=body).json()
    return found[0]


def _runs(browser: Browser[Any], client: SyncPrefectClient, dsn: str) -> None:
    folder = Path("db/migrations")
    _write(_CUSTOMERS, folder)
    migrate_flow(target="shop", directory=str(folder))
    good = _latest(client, "flow_runs")["id"]
    browser(lambda pages: (pages.open_run(good), pages.stages(7)))
    _shot(browser, "run-completed")
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(_ROWS)
    _write(_WRONG, folder)
    with contextlib.suppress(ApplyError):
        migrate_flow(target="shop", directory=str(folder))
    bad = _latest(client, "flow_runs")["id"]
    browser(lambda pages: (pages.open_run(bad), pages.stages(8)))
    _shot(browser, "run-failed")
    for name in _WRONG:
        (folder / name).unlink()
    _write(_PAID, folder)


def _approval(browser: Browser[Any], client: SyncPrefectClient) -> None:
    deployment = client.read_deployment_by_name("migrate/migrate")
    given = {"target": "prod", "directory": "db/migrations"}
    run = client.create_flow_run_from_deployment(deployment.id, parameters=given, name="approve")

    def state() -> str:
        return client.read_flow_run(run.id).state_name or ""

    eventually(state, lambda name: name == "Suspended", seconds=240)

    def artifact(key: str) -> Any:
        return _latest(client, "artifacts", artifacts={"key": {"like_": key}})["id"]

    for key, name, height in (
        ("confiture-dry-run-prod", "report-dry-run", 1300),
        ("confiture-approval-prod", "plan-to-approve", 820),
    ):
        found = artifact(key)
        browser(lambda pages, found=found: pages.open_artifact(found).count())
        _shot(browser, name, height)
    browser(lambda pages: pages.open_form_of_approval(run.id).count())
    answer = {"name": "Ann", "note": "As talked over on Monday."}
    browser(lambda pages: pages.fill_approval(**answer).count())
    _shot(browser, "form-of-approval", 1150)
    browser(lambda pages: pages.send_approval(**answer))
    eventually(state, lambda name: name == "Completed", seconds=240)


@contextlib.contextmanager
def _shop() -> Iterator[tuple[Browser[Any], SyncPrefectClient, str]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        provide_server(settings={"fsync": "off"}) as postgres,
        temporary_server() as prefect,
    ):
        os.chdir(folder)
        # Scratch databases and connection strings are the runs' own; pages show neither.
        Path("confiture.toml").write_text(_CONFIGURATION.format(dsn=postgres.dsn))
        prefect.wait(seconds=240)
        with (
            temporary_settings({PREFECT_API_URL: prefect.api_url}),
            serving(Path(folder), prefect.environment()),
            open_browser(prefect.url) as browser,
            get_client(sync_client=True) as client,
        ):
            names: Callable[[], set[str]] = lambda: {  # noqa: E731
                each.name for each in client.read_deployments()
            }
            eventually(names, lambda known: "migrate" in known, seconds=240)
            yield browser, client, postgres.dsn
        os.chdir("/")


def main() -> None:
    """Make all of them."""
    if reason := why_not():
        raise SystemExit(reason)
    with _shop() as (browser, client, dsn):
        _runs(browser, client, dsn)
        _approval(browser, client)
        PostgresTarget.register_type_and_schema()
        browser(lambda pages: pages.open_block_form("postgres-target"))
        _shot(browser, "form-of-target", 1000)


if __name__ == "__main__":
    main()
