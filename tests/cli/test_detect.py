"""`confiture-flows detect`: what it proposes, what it writes, and that it shows no value."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from tests.cli.conftest import Runner

SHOP = """
CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    attr1 text NOT NULL, attr2 date, tier text, profile jsonb, reach text[], "last.ip" inet
);
INSERT INTO customers (attr1, attr2, tier, profile, reach, "last.ip")
SELECT 'planted' || n || '@mail.org', date '1941-03-05' + n * 97, 'gold',
    jsonb_build_object(
        'contact', jsonb_build_object('tel', '+49 30 9018' || 100 + n),
        'visits', n,
        'by_mail', jsonb_build_object('key' || n || '@mail.org', 1)
    ),
    ARRAY['list' || n || '@mail.org'], ('93.184.216.' || n)::inet
FROM generate_series(1, 200) AS n;
CREATE TABLE wallets (id int, address text);
INSERT INTO wallets SELECT n, '0x' || md5(n::text) || '00000000' FROM generate_series(1, 100) AS n;
CREATE TABLE products (id int, name text, order_number bigint);
INSERT INTO products SELECT n, 'Widget ' || n, 202611240000 + n FROM generate_series(1, 100) AS n;
CREATE TABLE empty (email text, note text);
ANALYZE;
"""
VALUES = ("planted", "mail.org", "9018", "93.184", "1941", "key1", "0x")


@pytest.fixture
def shop(conn: psycopg.Connection, dsn: str) -> str:
    conn.execute(SHOP)
    return dsn


def found(result: dict[str, Any]) -> dict[str, str]:
    return {
        f"{each['column']} {each['path'] or ''}".strip(): each["category"]
        for each in result["detections"]
    }


def test_columns_are_found_by_names_and_samples_and_no_value_is_shown(run: Runner, shop: str):
    people, program = run.both("detect", dsn=shop)
    assert (people.code, program.code) == (0, 0)
    said = program.json()
    assert found(said["result"]) == {
        "public.customers.attr1": "e-mail",
        "public.customers.attr2": "birth date",
        "public.customers.last.ip": "ip",
        "public.customers.profile $.contact.tel": "phone",
        "public.customers.profile $.by_mail.* (keys)": "e-mail",
        "public.customers.reach": "e-mail",
        "public.empty.email": "e-mail",
        "public.empty.note": "free text",
    }
    assert "200 of 200 samples are e-mail addresses" in people.out
    shown = people.said + program.said
    assert [value for value in VALUES if value in shown] == []


def test_names_alone_do_not_look_at_rows(run: Runner, shop: str):
    said = run.program("detect", "--no-samples", dsn=shop).json()["result"]
    assert said["rows"] == 0
    assert "public.wallets.address" not in found(said)
    assert "public.customers.attr1" not in found(said)
    assert found(said)["public.empty.email"] == "e-mail"


def test_samples_outweigh_a_name(run: Runner, conn: psycopg.Connection, dsn: str):
    conn.execute(
        "CREATE TABLE t (email text);"
        "INSERT INTO t SELECT 'template-' || n FROM generate_series(1, 50) AS n"
    )
    assert run.program("detect", dsn=dsn).json()["result"]["detections"] == []
    lower = run.program("detect", "--min-score", "0.4", dsn=dsn).json()["result"]
    assert found(lower) == {"public.t.email": "e-mail"}


def test_rules_are_written_once_beside_what_is_there(
    run: Runner, shop: str, configure: Callable[[str], Path]
):
    path = configure(
        f"# ours\n[targets.shop]\ndsn = {json.dumps(shop)}\n\n[anonymization.columns]\n"
        '"public.empty.*" = "keep"  # nothing there\n\n[anonymization.tables]\n'
        '"public.wallets" = { rows = false }\n'
    )
    before = path.read_text()
    first = run.program("detect", "shop", "--write")
    assert (first.code, first.json()["target"]) == (0, "shop")
    assert first.json()["result"]["covered"] == 2
    after = path.read_text()
    assert [line for line in before.splitlines() if line not in after.splitlines()] == []
    columns = tomllib.loads(after)["anonymization"]["columns"]
    assert columns["public.empty.*"] == "keep"
    assert columns["public.customers.attr1"] == "email"
    assert '"public.customers.\\"last.ip\\""' in after
    again = run.program("detect", "shop", "--write").json()["result"]
    assert again["detections"] == []
    assert path.read_text() == after


def test_rules_go_into_a_new_file(run: Runner, shop: str, tmp_path: Path):
    assert run("detect", "--into", "found.toml", dsn=shop).code == 0
    columns = tomllib.loads((tmp_path / "found.toml").read_text())["anonymization"]["columns"]
    assert "public.customers.attr1" in columns


def test_rules_that_nothing_can_be_added_to_are_left_alone(
    run: Runner, shop: str, configure: Callable[[str], Path]
):
    text = '[anonymization]\ncolumns = { "public.wallets.id" = "keep" }\n'
    path = configure(text)
    refused = run("detect", "--write", dsn=shop)
    assert refused.code == 2
    assert "paste what detect prints" in refused.said
    assert path.read_text() == text


def test_without_a_configuration_there_is_nowhere_to_write(run: Runner, shop: str):
    refused = run.program("detect", "--write", dsn=shop)
    assert (refused.code, refused.json()["error"]["next_step"]) == (2, "Say where: --into FILE.")


@pytest.mark.parametrize("wrong", [("--min-score", "2"), ("--sample", "-1")])
def test_wrong_numbers_are_refused(run: Runner, dsn: str, wrong: tuple[str, str]):
    assert run.program("detect", *wrong, dsn=dsn).code == 2


def test_tables_that_may_not_be_read_are_named(
    run: Runner, shop: str, new_role: Callable[[], str], conn: psycopg.Connection
):
    role = new_role()
    user = conninfo_to_dict(role)["user"]
    conn.execute(sql.SQL("GRANT SELECT ON empty TO {}").format(sql.Identifier(str(user))))
    said = run.program("detect", dsn=role).json()["result"]
    assert {each["table"] for each in said["unread"]} == {
        "public.customers",
        "public.products",
        "public.wallets",
    }
    assert found(said)["public.empty.email"] == "e-mail"
    assert found(said)["public.customers.last.ip"] == "ip"


def test_guide_shows_what_is_said(
    run: Runner, conn: psycopg.Connection, dsn: str, configure: Callable[[str], Path]
):
    conn.execute(
        "CREATE TABLE customers (id int, attr1 text, tier text); INSERT INTO customers"
        " SELECT n, 'a' || n || '@mail.org', 'gold' FROM generate_series(1, 100) AS n"
    )
    configure(f"[targets.shop]\ndsn = {json.dumps(dsn)}\n")
    guide = Path(__file__).parents[2] / "docs" / "guides" / "personal-data.md"
    shown = guide.read_text("utf-8").partition("```console\n$ confiture-flows detect shop\n")[2]
    said = [line.rstrip() for line in run("detect", "shop").out.rstrip().splitlines()]
    assert said == shown.partition("```")[0].rstrip().splitlines()
