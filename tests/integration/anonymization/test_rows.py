"""Which rows are copied: where, sample, rows = false, and subsets by foreign keys."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from confiture_flows.anonymization.plan import PlannedTable
from confiture_flows.anonymization.planning import Planned
from confiture_flows.anonymization.selection import quoted

Plan = Callable[..., Planned]


def table(planned: Planned, name: str) -> PlannedTable:
    return next(each for each in planned.plan.tables if each.name == name)


def count(conn: psycopg.Connection, planned: PlannedTable) -> int:
    """How many rows the conditions leave, as the copy would ask."""
    condition = " AND ".join(planned.where) or "true"
    query = f"SELECT count(*) FROM ONLY {quoted(planned.schema, planned.name)} WHERE {condition}"
    row = conn.execute(query.encode()).fetchone()
    assert row
    return row[0]


def keys(planned: PlannedTable) -> set[str]:
    assert planned.keys
    return set(planned.keys.read_text().splitlines())


def test_rows_that_refer_to_rows_left_out_are_left_out_too(shop: psycopg.Connection, planned: Plan):
    found = planned(tables={"public.products": {"where": "sku <> 'sku-1' -- the first"}})
    assert not found.plan.errors
    assert count(shop, table(found, "products")) == 9
    assert count(shop, table(found, "order_items")) == 108
    assert count(shop, table(found, "orders")) == 120
    [told] = [each for each in found.findings if each.code == "rows.left_out_too"]
    assert "order_items" in told.message


def test_table_without_rows_takes_with_it_what_refers_to_it(
    shop: psycopg.Connection, planned: Plan
):
    found = planned(tables={"public.products": {"rows": False}})
    assert not table(found, "products").copied
    assert count(shop, table(found, "order_items")) == 0


def test_reference_that_becomes_null_keeps_its_row(shop: psycopg.Connection, planned: Plan):
    columns = {"public.orders.follows": "null"}
    found = planned(columns, tables={"public.orders": {"where": "id > 100"}})
    assert not found.plan.errors
    assert count(shop, table(found, "orders")) == 20
    assert count(shop, table(found, "order_items")) == 20


def test_sample_is_the_same_rows_each_time(shop: psycopg.Connection, planned: Plan):
    shop.execute("INSERT INTO products SELECT 'more-' || g, 'x' FROM generate_series(1, 5000) AS g")
    said = {"public.products": {"sample": 0.1}}
    [first] = table(planned(tables=said), "products").where
    shop.execute("UPDATE products SET name = 'y'")  # rows move, their keys do not
    query = f"SELECT md5(string_agg(sku, ',' ORDER BY sku)), count(*) FROM products WHERE {first}"
    before = shop.execute(query.encode()).fetchone()
    shop.execute("VACUUM FULL products")
    assert shop.execute(query.encode()).fetchone() == before
    assert before
    assert 350 < before[1] < 650


def test_sample_of_a_table_without_key_is_told(planned: Plan):
    found = planned(tables={"public.visits": {"sample": 0.5}})
    assert {each.code for each in found.findings} >= {"sample.by_place"}
    assert not found.plan.errors


def test_subset_follows_foreign_keys_both_ways_and_in_circles(
    shop: psycopg.Connection, planned: Plan
):
    # Order 81 follows 41, which follows 1: all of customer 1. Order 2 is another customer's.
    shop.execute("UPDATE orders SET follows = 81 WHERE id = 1")  # a circle
    shop.execute("INSERT INTO order_items VALUES (2, 'sku-2', 1) ON CONFLICT DO NOTHING")
    found = planned(subset={"public.customers": "id = 1"})
    assert not found.plan.errors
    assert keys(table(found, "customers")) == {"1"}
    assert keys(table(found, "orders")) == {"1", "41", "81"}
    assert keys(table(found, "order_items")) == {"1\tsku-2", "41\tsku-2", "81\tsku-2"}
    # The product is there since items refer to it; it brings no items of others.
    assert keys(table(found, "products")) == {"sku-2"}
    assert table(found, "orders").rows == 3
    assert table(found, "visits_old").copied
    assert table(found, "visits_old").keys is None
    assert any(each.code == "subset.not_reached" for each in found.findings)


def test_subset_leaves_what_it_does_not_reach_empty(planned: Plan):
    found = planned(subset={"public.products": "sku = 'sku-9' OR sku LIKE '9%'"})
    assert keys(table(found, "products")) == {"sku-9"}
    assert len(keys(table(found, "order_items"))) == 12
    assert len(keys(table(found, "orders"))) == 12
    nobody = planned(subset={"public.orders": "id < 0"})
    assert not table(nobody, "orders").copied
    assert not table(nobody, "customers").copied
    assert table(nobody, "visits_new").copied


def test_subset_obeys_where_for_what_refers_to_it(planned: Plan):
    found = planned(
        subset={"public.customers": "id = 1"}, tables={"public.orders": {"where": "id < 50"}}
    )
    assert keys(table(found, "orders")) == {"1", "41"}


def test_subset_needs_the_rows_that_are_referred_to(planned: Plan):
    found = planned(
        subset={"public.customers": "id = 1"}, tables={"public.products": {"rows": False}}
    )
    assert [each.code for each in found.plan.errors] == ["subset.parent_left_out"]


def test_subset_of_rows_without_a_key_is_refused(shop: psycopg.Connection, planned: Plan):
    shop.execute("CREATE TABLE remarks (customer bigint REFERENCES customers, text text)")
    shop.execute("INSERT INTO remarks VALUES (1, 'x')")
    found = planned(subset={"public.customers": "id = 1"})
    assert [each.code for each in found.plan.errors] == ["subset.no_key"]


def test_subset_through_partitions_and_keys_with_odd_text(shop: psycopg.Connection, planned: Plan):
    shop.execute(
        'CREATE TABLE "Odd %s" (k text PRIMARY KEY, up text REFERENCES "Odd %s");'
        "INSERT INTO \"Odd %s\" VALUES (E'a\\tb\\\\', NULL), ('100%%', E'a\\tb\\\\')"
    )
    found = planned(subset={"public.Odd %s": "k = '100%%'"})
    assert not found.plan.errors
    assert keys(table(found, "Odd %s")) == {"100%%", "a\\tb\\\\"}


def test_planning_writes_nothing_on_the_source(shop: psycopg.Connection, planned: Plan):
    shop.execute("SET default_transaction_read_only = on")
    assert not planned(subset={"public.customers": "id = 1"}).plan.errors
