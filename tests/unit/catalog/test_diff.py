"""Two catalogs as values -> what differs; no database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from confiture_flows.catalog.diff import Action, Change, diff
from confiture_flows.catalog.model import Catalog, CatalogObject

TABLE = CatalogObject("table", "public.users")
ID = CatalogObject("column", "public.users.id", "integer", part_of="public.users", place=1)
MAIL = CatalogObject("column", "public.users.mail", "text", part_of="public.users", place=2)
KEY = CatalogObject(
    "constraint", "public.users.users_pkey", "PRIMARY KEY (id)", part_of="public.users"
)
INDEX = CatalogObject(
    "index", "public.users_pkey", "CREATE UNIQUE INDEX ...", part_of="public.users.users_pkey"
)
SEQUENCE = CatalogObject("sequence", "public.users_id_seq", "bigint", part_of="public.users.id")
BODY = CatalogObject("function", "public.f()", "SELECT 1\nFROM t")
ALL = (TABLE, ID, MAIL, KEY, INDEX, SEQUENCE, BODY)


def catalog(*objects: CatalogObject) -> Catalog:
    return Catalog.of(objects)


def test_equal_catalogs_have_no_change() -> None:
    assert diff(catalog(*ALL), catalog(*reversed(ALL))) == ()


def test_new_table_is_one_change_with_all_that_comes_with_it() -> None:
    assert diff(catalog(BODY), catalog(*ALL)) == (
        Change("table", "public.users", Action.ADDED, None, ""),
    )
    assert diff(catalog(*ALL), catalog(BODY)) == (
        Change("table", "public.users", Action.REMOVED, "", None),
    )


def test_dropped_constraint_takes_its_index_along() -> None:
    without = (TABLE, ID, MAIL, SEQUENCE, BODY)
    assert diff(catalog(*ALL), catalog(*without)) == (
        Change("constraint", KEY.name, Action.REMOVED, "PRIMARY KEY (id)", None),
    )


def test_part_of_what_stays_is_told() -> None:
    (change,) = diff(catalog(TABLE, ID), catalog(TABLE, ID, MAIL))
    assert change == Change("column", MAIL.name, Action.ADDED, None, "text")


def test_part_that_goes_while_its_whole_comes_is_told() -> None:
    view = CatalogObject("view", "public.users", "SELECT 1")
    names = [(change.action, change.kind) for change in diff(catalog(TABLE, ID), catalog(view))]
    assert names == [(Action.REMOVED, "table"), (Action.ADDED, "view")]


@pytest.mark.parametrize(
    ("was", "now", "before", "after"),
    [
        (ID, replace(ID, definition="bigint"), "integer", "bigint"),
        (BODY, replace(BODY, definition="SELECT 2"), "SELECT 1\nFROM t", "SELECT 2"),
        (
            INDEX,
            replace(INDEX, valid=False),
            INDEX.definition,
            f"{INDEX.definition} (not valid)",
        ),
    ],
)
def test_altered_object_is_told_before_and_after(
    was: CatalogObject, now: CatalogObject, before: str, after: str
) -> None:
    assert diff(catalog(TABLE, was), catalog(TABLE, now)) == (
        Change(was.kind, was.name, Action.ALTERED, before, after),
    )


def test_order_of_columns_is_a_change_but_no_drift() -> None:
    turned = (TABLE, replace(ID, place=2), replace(MAIL, place=1))
    (change,) = diff(catalog(TABLE, ID, MAIL), catalog(*turned))
    assert change == Change("table", "public.users", Action.REORDERED, "id, mail", "mail, id")
    assert not change.is_drift


def test_new_column_in_the_middle_does_not_change_the_order_of_the_others() -> None:
    new = CatalogObject("column", "public.users.age", "int", part_of="public.users", place=2)
    changes = diff(catalog(TABLE, ID, MAIL), catalog(TABLE, ID, new, replace(MAIL, place=3)))
    assert [(change.action, change.name) for change in changes] == [(Action.ADDED, new.name)]


def test_catalogs_that_differ_in_the_order_of_columns_only_are_equal() -> None:
    assert catalog(ID) == catalog(replace(ID, place=7))


def test_changes_come_by_kind_and_name() -> None:
    objects = tuple(CatalogObject(kind, name) for kind in ("view", "index") for name in ("b", "a"))
    changes = diff(catalog(), catalog(*objects))
    assert [(change.kind, change.name) for change in changes] == [
        ("index", "a"),
        ("index", "b"),
        ("view", "a"),
        ("view", "b"),
    ]
