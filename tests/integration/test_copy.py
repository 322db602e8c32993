"""The anonymized copy on a real server: all that a source has arrives, under the target's name."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from confiture_flows.anonymization.copy import copy_database
from confiture_flows.anonymization.copying.values import CopyOptions
from confiture_flows.anonymization.keys import Secret
from confiture_flows.target import Target
from tests.copies import plan_of, sums

EVERY_TYPE = Path(__file__).with_name("every_type.sql")
SECRET = Secret(b"0123456789abcdef")


def execute(dsn: str, script: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(script.encode())


def one(dsn: str, query: str) -> object:
    with psycopg.connect(dsn) as conn:
        row = conn.execute(query.encode()).fetchone()
    return row and row[0]


def databases_like(dsn: str) -> list[str]:
    """Databases that a copy to this one may have left."""
    name = conninfo_to_dict(dsn)["dbname"]
    with psycopg.connect(dsn) as conn:
        found = conn.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (f"{name}__",)
        )
        return [name for (name,) in found]


def test_everything_of_a_source_arrives(source: str, place: str) -> None:
    execute(source, EVERY_TYPE.read_text("utf-8"))
    before = sums(source)
    report = copy_database(
        Target("prod", source), Target("staging", place), plan_of(source), None, CopyOptions()
    )
    assert sums(place) == before
    assert report.rows == sum(count for name, (count, _) in before.items() if "summary" not in name)
    ways = {each.name: each.way.format for each in report.tables}
    assert (ways["public.simple"], ways["public.own"]) == ("binary", "text")
    assert ways["public.names"] == "text"
    assert one(place, "SELECT nextval('alone')") == 110
    assert one(place, "SELECT nextval('untouched')") == 1
    assert one(place, "INSERT INTO own DEFAULT VALUES RETURNING id") == 3
    assert one(place, "INSERT INTO simple DEFAULT VALUES RETURNING id") == 6
    assert one(place, "SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == 1
    assert one(place, "SELECT count(*) FROM pg_trigger WHERE tgname = 'fire'") == 1
    assert databases_like(place) == []
