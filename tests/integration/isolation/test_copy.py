"""A whole copy with an untrusted strategy: masked by workers of workers, told in the report."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from confiture_flows.anonymization.copy import copy_database
from confiture_flows.anonymization.copying.values import CopyOptions
from confiture_flows.anonymization.trust import Isolation, StrategyName
from confiture_flows.report.markdown import render_markdown
from confiture_flows.target import Target
from tests.copies import plan_of

from .conftest import HERE, SECRET


def test_copy_masks_with_an_untrusted_strategy(new_database: Callable[[], str]) -> None:
    source, place = new_database(), new_database()
    with psycopg.connect(source) as conn:
        conn.execute("CREATE TABLE users (id int PRIMARY KEY, name text)")
        conn.execute("INSERT INTO users SELECT n, 'secret ' || n FROM generate_series(1, 5000) n")
        conn.execute("INSERT INTO users VALUES (0, NULL)")
    name = StrategyName("vendor_kit.masks:Name", (Isolation("vendor_kit", root=HERE),))
    plan = plan_of(source, users__name=(name, {"digits": 9}))
    report = copy_database(
        Target("prod", source), Target("staging", place), plan, SECRET, CopyOptions()
    )
    with psycopg.connect(place) as conn:
        found = conn.execute("SELECT name FROM users ORDER BY id").fetchall()
    assert len(found) == 5001
    assert found[0] == (None,)
    assert not [text for (text,) in found if text and "secret" in text]
    key = SECRET.key("vendor_kit.masks:Name")
    assert found[7][0].endswith(str(key.number(b"secret 7") % 10**9))
    (column,) = report.isolated
    assert column.column == "public.users.name"
    assert {"process", "limits"} <= {*column.walls}
    assert report.json()["isolated"] == {"public.users.name": list(column.walls)}
    assert "| Isolated | Walls that stood |" in render_markdown(report.document())
