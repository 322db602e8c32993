"""Ten rows before and after; what may be kept of it holds no original."""

from __future__ import annotations

import json
from collections.abc import Callable

import psycopg
import pytest

from confiture_flows.anonymization.planning import Planned
from confiture_flows.anonymization.preview import preview_table
from confiture_flows.report.markdown import render_markdown


def test_preview_shows_rows_before_and_after(
    shop: psycopg.Connection, planned: Callable[..., Planned]
):
    shop.execute("UPDATE customers SET nick = NULL WHERE id > 5")
    found = planned({"public.customers.email": "hash", "public.customers.nick": "hash"})
    preview = preview_table(shop, found, "public.customers")
    assert len(preview.before) == len(preview.after) == 10
    text = render_markdown(preview.document())
    assert "someone1@example.org" in text
    assert preview.after[0][0] is not None
    assert preview.after[0][0][:39] in text
    assert "NULL" in text


@pytest.mark.usefixtures("own_strategies")
def test_what_may_be_kept_holds_no_original(
    shop: psycopg.Connection, planned: Callable[..., Planned]
):
    found = planned({"public.customers.email": "hash", "public.customers.nick": "unchanged"})
    preview = preview_table(shop, found, "public.customers")
    assert preview.errors
    for kept in (
        render_markdown(preview.hidden_document()),
        json.dumps(preview.json()),
        repr(preview),
    ):
        assert "someone" not in kept
        assert "Nick" not in kept
    assert preview.json()["columns"][0]["changed"] == 10
    assert preview.json()["columns"][1]["changed"] == 0


def test_preview_takes_the_rows_that_the_copy_takes(
    shop: psycopg.Connection, planned: Callable[..., Planned]
):
    found = planned(
        {"public.customers.email": "hash"}, tables={"public.customers": {"where": "id = 7"}}
    )
    preview = preview_table(shop, found, "public.customers")
    assert [row[0] for row in preview.before] == ["someone7@example.org"]


def test_large_table_shows_rows_too(shop: psycopg.Connection, planned: Callable[..., Planned]):
    shop.execute(
        "INSERT INTO customers (email) SELECT 'x' || g || '@example.org'"
        " FROM generate_series(100, 50000) AS g; ANALYZE customers"
    )
    found = planned({"public.customers.email": "hash"})
    assert len(preview_table(shop, found, "public.customers", 3).before) == 3
