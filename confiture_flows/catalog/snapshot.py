"""conn -> Catalog: one query, read from PostgreSQL's own tables."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from confiture_flows.catalog.model import Catalog, CatalogObject

if TYPE_CHECKING:
    from psycopg import Connection


def take_snapshot(conn: Connection) -> Catalog:
    """Read what is in the database, apart from rows.

    Definitions are printed by the server with search_path emptied, so that they name
    schemas and two snapshots compare. Takes a short lock on nothing.
    """
    with conn.transaction():
        conn.execute("SET LOCAL search_path = ''")
        rows = conn.execute(_query()).fetchall()
    return Catalog(tuple(sorted(CatalogObject(*row) for row in rows)))


@cache
def _query() -> bytes:
    return resources.files("confiture_flows.catalog").joinpath("queries.sql").read_bytes()
