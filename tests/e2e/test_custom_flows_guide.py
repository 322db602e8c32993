"""The own flows of the guide run, each on databases of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.variables import Variable
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

from confiture_flows.blocks import PostgresTarget
from confiture_flows.errors import ApplyError, ConfitureFlowsError, GateError
from confiture_flows.postgres import Server
from tests.pages.blocks import blocks
from tests.support import webhook_server

GUIDE = "docs/guides/custom-flows.md"
ORDERS = {
    "0001_orders.up.sql": "CREATE TABLE orders (id int PRIMARY KEY, placed timestamptz);",
    "0001_orders.down.sql": "DROP TABLE orders;",
    "0001_orders.verify.sql": "SELECT count(*) = 0 FROM orders;",
}
pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """What the blocks of the guide define, all in one module as a reader would have them."""
    found: dict[str, Any] = {}
    examples = blocks(GUIDE, "python")
    assert len(examples) == 6
    for each in examples:
        exec(compile(each, GUIDE, "exec"), found)
    return found


def save(name: str, dsn: str) -> str:
    PostgresTarget(dsn=SecretStr(dsn)).save(name, overwrite=True)
    return name


def exists(dsn: str, relation: str) -> bool:
    with psycopg.connect(dsn) as conn:
        row = conn.execute("SELECT to_regclass(%s) IS NOT NULL", (relation,)).fetchone()
    return bool(row and row[0])


def test_models_are_built_after_the_migrations(
    names: dict[str, Any], dsn: str, write: Callable[..., Path]
) -> None:
    directory = str(write(ORDERS))
    assert names["migrate_then_build"](save("guide-shop", dsn), directory) == 1
    assert names["migrate_then_build"]("guide-shop", directory) == 0
    assert exists(dsn, "orders_a_day")


def test_idle_database_goes_live_only_when_it_verifies(
    names: dict[str, Any], new_database: Callable[[], str], write: Callable[..., Path]
) -> None:
    blue, green = new_database(), new_database()
    save("guide-blue", blue)
    save("guide-green", green)
    directory = write(ORDERS)
    switch = names["switch_over"]
    assert switch("guide-blue", "guide-green", str(directory)) == "guide-green"
    assert exists(green, "orders")
    assert not exists(blue, "orders")
    (directory / "0001_orders.verify.sql").write_text("SELECT count(*) > 0 FROM orders;")
    with pytest.raises(GateError, match="does not verify"):
        switch("guide-blue", "guide-green", str(directory))
    assert Variable.get("shop_live") == "guide-green"


def test_backfill_lies_between_two_migrations(
    names: dict[str, Any], dsn: str, conn: psycopg.Connection, write: Callable[..., Path]
) -> None:
    conn.execute(
        "CREATE TABLE users (id int PRIMARY KEY, mail text);"
        "INSERT INTO users SELECT n, 'A' || n FROM generate_series(1, 25) AS n"
    )
    directory = write(
        {
            "0001_add.up.sql": "ALTER TABLE users ADD mail_key text;",
            "0002_demand.up.sql": "ALTER TABLE users ALTER mail_key SET NOT NULL;",
        }
    )
    flow = names["add_mail_key"]
    assert flow(save("guide-users", dsn), str(directory), "0001", size=10) == 25
    row = conn.execute("SELECT count(*) FROM users WHERE mail_key = lower(mail)").fetchone()
    assert row == (25,)


@pytest.fixture
def staging(server: Server, dsn: str) -> Iterator[str]:
    """Of a database that is not there yet."""
    name = f"{conninfo_to_dict(dsn)['dbname']}_staging"
    yield make_conninfo(server.dsn, dbname=name)
    with psycopg.connect(server.dsn, autocommit=True) as admin:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        admin.execute(drop.format(sql.Identifier(name)))


def test_staging_is_refreshed_and_somebody_hears_of_it(
    names: dict[str, Any],
    dsn: str,
    staging: str,
    conn: psycopg.Connection,
    write: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    conn.execute(
        "CREATE TABLE people (id int PRIMARY KEY, email text UNIQUE);"
        "INSERT INTO people SELECT n, 'person' || n || '@shop.example'"
        " FROM generate_series(1, 200) AS n"
    )
    rules = (
        '[anonymization]\nsecret = "only for this test, and nowhere else"\n'
        '[anonymization.columns]\n"public.people.email" = "email"\n'
    )
    (tmp_path / "confiture.toml").write_text(rules)
    monkeypatch.chdir(tmp_path)
    directory = str(write(ORDERS))
    save("guide-prod", dsn)
    save("guide-staging", staging)
    with webhook_server() as webhook:
        hook = CustomWebhookNotificationBlock(
            name="guide", url=webhook.url, json_data={"title": "{{subject}}", "text": "{{body}}"}
        )  # pyright: ignore[reportCallIssue]
        hook.save("guide-hook", overwrite=True)
        refresh = names["refresh_staging"]
        refresh("guide-prod", "guide-staging", directory, "guide-hook")
        (tmp_path / "confiture.toml").write_text(rules.replace("people.email", "people.mail"))
        with pytest.raises(ConfitureFlowsError):
            refresh("guide-prod", "guide-staging", directory, "guide-hook")
    assert webhook.got[0] == {
        "title": "guide-staging is fresh",
        "text": "200 rows; migrations: 0001",
    }
    assert webhook.got[1]["title"] == "guide-staging was not refreshed"
    assert "people.mail" in webhook.got[1]["text"]


def test_failure_of_the_second_database_takes_the_first_back(
    names: dict[str, Any], new_database: Callable[[], str], write: Callable[..., Path]
) -> None:
    one, two = new_database(), new_database()
    save("guide-one", one)
    save("guide-two", two)
    first = write(ORDERS, "first")
    second = write({"0001_a.up.sql": "CREATE TABLE a (id int);\nSELECT 1/0;"}, "second")
    given = ("guide-one", "guide-two", str(first), str(second))
    with pytest.raises(ApplyError, match="division by zero"):
        names["release"](*given)
    assert not exists(one, "orders")
    (second / "0001_a.up.sql").write_text("CREATE TABLE a (id int);")
    names["release"](*given)
    assert exists(one, "orders")
    assert exists(two, "a")
