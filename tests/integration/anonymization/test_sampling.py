"""Samples of a database: of all kinds of tables, little of each, and nothing changed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from confiture_flows.anonymization.detection import all_detectors, detect_personal
from confiture_flows.anonymization.sampling import SampledSource, SampleLimits, sample_source
from confiture_flows.anonymization.source import read_source
from confiture_flows.errors import ConfigError


def sampled(conn: psycopg.Connection, **limits: float) -> SampledSource:
    said = SampleLimits(**limits)  # type: ignore[arg-type]
    return sample_source(conn, read_source(conn), said)


def values(found: SampledSource, column: str) -> tuple[str, ...]:
    return next(each.values for each in found.columns if str(each.column) == column)


def test_large_table_is_sampled_from_many_of_its_blocks(conn: psycopg.Connection):
    conn.execute(
        "CREATE TABLE big (id int, filler text);"
        "INSERT INTO big SELECT n, repeat('x', 200) FROM generate_series(1, 30000) AS n; ANALYZE"
    )
    ids = [int(each) for each in values(sampled(conn, rows=100), "public.big.id")]
    assert 25 <= len(ids) <= 100
    assert max(ids) - min(ids) > 200


def test_partitions_are_read_as_one_table_whatever_the_order_of_columns(
    conn: psycopg.Connection,
):
    conn.execute(
        "CREATE TABLE p (id int, email text) PARTITION BY RANGE (id);"
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);"
        "CREATE TABLE p2 (email text, gone int, id int); ALTER TABLE p2 DROP COLUMN gone;"
        "ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (100) TO (200);"
        "INSERT INTO p SELECT n, 'mail' || n FROM generate_series(1, 199) AS n"
    )
    found = sampled(conn)
    assert [str(each.column) for each in found.columns] == ["public.p.id", "public.p.email"]
    read = values(found, "public.p.email")
    assert len(read) == 199
    assert all(each.startswith("mail") for each in read)


def test_odd_types_are_read_and_long_values_are_cut(conn: psycopg.Connection):
    conn.execute(
        "CREATE TYPE pair AS (a int, b text); CREATE DOMAIN mail AS text;"
        "CREATE TABLE t (a text, b mail[], c jsonb, d pair, e bytea, f inet, g tsvector, h bool,"
        ' "odd ""name%s" text);'
        "INSERT INTO t VALUES (repeat('x', 9000), '{a@b.org}', '{\"k\": 1}', '(1,x)', '\\x01',"
        " '1.2.3.4', 'x', true, 'v'), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, ' ');"
        "INSERT INTO t (c) SELECT jsonb_agg(md5(n::text)) FROM generate_series(1, 2000) AS n"
    )
    found = sampled(conn)
    read = {each.column.name: each.values for each in found.columns}
    assert len(read["a"][0]) == 500
    assert read["b"] == ('["a@b.org"]',)
    assert read["c"] == ('{"k": 1}',)
    assert read['odd "name%s'] == ("v",)
    assert (read["g"], read["h"]) == ((), ())
    assert found.unread == ()


def test_locked_table_is_named_and_does_not_hold_up_the_others(conn: psycopg.Connection, dsn: str):
    conn.execute("CREATE TABLE a (email text); CREATE TABLE b (x text); INSERT INTO b VALUES ('y')")
    source = read_source(conn)
    with psycopg.connect(dsn) as other:
        other.execute("LOCK TABLE a IN ACCESS EXCLUSIVE MODE")
        found = sample_source(conn, source)
    assert found.unread == (("public.a", "somebody holds a lock on it"),)
    assert values(found, "public.b.x") == ("y",)
    assert {each.category for each in detect_personal(found.columns)} == {"e-mail"}


def test_time_for_all_tables_ends(conn: psycopg.Connection):
    conn.execute("CREATE TABLE a (x text); CREATE TABLE b (x text)")
    assert len(sampled(conn, seconds=0).unread) == 2


def test_no_rows_are_read_where_none_are_wanted(conn: psycopg.Connection):
    conn.execute("CREATE TABLE a (x text); INSERT INTO a VALUES ('y')")
    found = sampled(conn, rows=0)
    assert (found.rows, values(found, "public.a.x"), found.unread) == (0, (), ())


def test_values_are_in_no_representation_and_no_statement(conn: psycopg.Connection):
    conn.execute("CREATE TABLE a (x text); INSERT INTO a VALUES ('planted@mail.org')")
    found = sampled(conn)
    assert values(found, "public.a.x") == ("planted@mail.org",)
    assert "planted" not in repr(found)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package whose entry point is `badge`; gives its module."""
    info = tmp_path / "our_shop-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: our-shop\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[confiture_flows.detectors]\nbadge = our_shop_detectors:BADGE\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    all_detectors.cache_clear()
    yield tmp_path / "our_shop_detectors.py"
    sys.modules.pop("our_shop_detectors", None)
    all_detectors.cache_clear()


def test_detector_of_another_package_finds_its_values(package: Path, conn: psycopg.Connection):
    guide = Path(__file__).parents[3] / "docs" / "guides" / "personal-data.md"
    package.write_text(guide.read_text("utf-8").partition("```python\n")[2].partition("```")[0])
    conn.execute(
        "CREATE TABLE doors (opened_with text);"
        "INSERT INTO doors SELECT 'B-' || 100000 + n || '-X' FROM generate_series(1, 50) AS n"
    )
    (found,) = detect_personal(sampled(conn).columns)
    assert (found.category, found.evidence) == (
        "government id",
        ("50 of 50 samples are badge numbers",),
    )


@pytest.mark.parametrize("text", ["BADGE = 5", "import nothing_of_the_kind", ""])
def test_detector_that_is_none_is_refused_by_name(package: Path, text: str):
    package.write_text(text)
    with pytest.raises(ConfigError, match=r"badge|BADGE"):
        all_detectors()
