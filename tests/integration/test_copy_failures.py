"""What goes wrong around a copy: the target stays what it was, and nothing is left for long."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from confiture_flows.anonymization.copy import copy_chunk, copy_database, open_copy
from confiture_flows.anonymization.copying.observer import CopyObserver
from confiture_flows.anonymization.copying.values import Chunk, CopyAccess, CopyOptions
from confiture_flows.anonymization.keys import Secret
from confiture_flows.anonymization.plan import CopyPlan
from confiture_flows.anonymization.proof.prove import prove_copy
from confiture_flows.anonymization.proof.report import ProofOptions
from confiture_flows.errors import CopyError, TargetError
from confiture_flows.target import Target
from tests.copies import plan_of, sums
from tests.integration.copy_strategies import MODULE

SECRET = Secret(b"0123456789abcdef")
OPTIONS = CopyOptions(workers=1, batch_size=20_000, modules=(MODULE,))
PEOPLE = """
CREATE TABLE people (id serial PRIMARY KEY, email text UNIQUE, best int REFERENCES people);
INSERT INTO people (email, best) SELECT n || '@mail.com', n FROM generate_series(1, 3000) AS n;
"""
SLOW: dict[str, Any] = {"people__email": ("test-slow", {})}
KILL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s "
    "AND datname = %s"
)


def execute(dsn: str, script: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(script.encode())


def count(dsn: str, query: str, *values: Any) -> int:
    with psycopg.connect(dsn) as conn:
        row = conn.execute(query.encode(), values).fetchone()
    assert row
    return row[0]


def left_over(dsn: str) -> int:
    prefix = f"{conninfo_to_dict(dsn)['dbname']}__confiture_"
    return count(dsn, "SELECT count(*) FROM pg_database WHERE starts_with(datname, %s)", prefix)


def copy(source: str, place: str, options: CopyOptions = OPTIONS, **more: Any) -> Any:
    rules = {each: more.pop(each) for each in list(more) if "__" in each}
    plan = plan_of(source, **rules)
    return copy_database(Target("a", source), Target("b", place), plan, SECRET, options, **more)


def test_a_foreign_target_is_refused_unless_told_so(source: str, place: str) -> None:
    execute(place, "CREATE TABLE theirs (id int)")
    with pytest.raises(CopyError, match="holds 1 tables that no earlier copy has made"):
        copy(source, place)
    assert count(place, "SELECT count(*) FROM theirs") == 0
    copy(source, place, replace(OPTIONS, replace=True))
    assert count(place, "SELECT count(*) FROM people") == 3000
    copy(source, place)  # its own it may replace
    assert left_over(place) == 0


def test_a_target_in_use_is_told_by_whom(source: str, place: str) -> None:
    with closing(psycopg.connect(place, autocommit=True, application_name="their app")):
        with pytest.raises(CopyError, match=r"in use by 1 sessions: their app from this machine"):
            copy(source, place)
        copy(source, place, replace(OPTIONS, end_sessions=True))
    assert count(place, "SELECT count(*) FROM people") == 3000


def test_source_and_production_are_no_targets(source: str, place: str) -> None:
    with pytest.raises(CopyError, match="is the source itself"):
        copy(source, source)
    plan, shop = plan_of(source), Target("shop", place, production=True)
    with pytest.raises(CopyError, match="production target"):
        copy_database(Target("a", source), shop, plan, SECRET, OPTIONS)
    assert count(source, "SELECT count(*) FROM people") == 3000


def test_two_copies_to_one_target_exclude_one_another(source: str, place: str) -> None:
    a, b, plan = Target("a", source), Target("b", place), plan_of(source)
    with (
        open_copy(a, b, plan, SECRET, OPTIONS),
        pytest.raises(CopyError, match="Another copy to b is running"),
    ):
        copy(source, place)


def test_a_missing_target_is_made(source: str, place: str) -> None:
    name = conninfo_to_dict(place)["dbname"]
    fresh = make_conninfo(place, dbname=f"{name}_new")
    try:
        copy(source, fresh)
        assert sums(fresh) == sums(source)
    finally:
        execute(place, f"DROP DATABASE IF EXISTS {name}_new")


class KillsOnce(CopyObserver):
    """Ends the session that writes, when the first rows are on their way."""

    def __init__(self, dsn: str, place: str) -> None:
        self.dsn, self.place = dsn, conninfo_to_dict(place)["dbname"]
        self.repeated, self.killed = 0, False

    def moved(self, chunk: Chunk, rows: int) -> None:
        if not self.killed:
            self.killed = True
            with psycopg.connect(self.dsn, autocommit=True) as conn:
                conn.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'confiture-flows copy to' "
                    "AND starts_with(datname, %s)",
                    (self.place,),
                )

    def repeating(self, chunk: Chunk) -> None:
        self.repeated += 1


def test_a_session_killed_in_the_middle_is_repeated(source: str, place: str) -> None:
    execute(source, "ALTER TABLE people DROP CONSTRAINT people_email_key")
    observer = KillsOnce(source, place)
    report = copy(source, place, observer=observer, **SLOW)
    assert observer.repeated == 1
    assert report.rows == 3000
    assert count(place, "SELECT count(*) FROM people WHERE email = 'slow'") == 3000


def test_the_end_of_the_snapshot_means_a_new_start(source: str, place: str) -> None:
    a, b, plan = Target("a", source), Target("b", place), plan_of(source)
    name = conninfo_to_dict(source)["dbname"]
    with open_copy(a, b, plan, SECRET, OPTIONS) as copying:
        (chunk,) = copying.chunks
        done = copy_chunk(copying.access, chunk)
        assert count(place, KILL, "confiture-flows copy snapshot", name)
        gone = "held the snapshot of a is gone"
        with pytest.raises(CopyError, match=gone):
            copy_chunk(copying.access, replace(chunk, number=1))
        with pytest.raises(CopyError, match=gone):
            prove_copy(copying.access, plan, {"public.people": done.rows}, ProofOptions())
        with pytest.raises(CopyError, match=gone) as caught:
            copying.finish([done])
    assert not caught.value.retryable
    assert "from the beginning" in str(caught.value)
    assert left_over(place) == 0


def test_a_server_that_refuses_a_worker_is_told_in_its_words(source: str, place: str) -> None:
    name = conninfo_to_dict(source)["dbname"]
    with open_copy(Target("a", source), Target("b", place), plan_of(source), SECRET, OPTIONS) as it:
        execute(place, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        with pytest.raises(TargetError, match=r"refuses the connection: database .* not currently"):
            copy_chunk(it.access, it.chunks[0])


def test_a_chunk_is_copied_once_however_often_it_is_tried(source: str, place: str) -> None:
    a, b, plan = Target("a", source), Target("b", place), plan_of(source)
    with open_copy(a, b, plan, SECRET, OPTIONS) as copying:
        (chunk,) = copying.chunks
        first = copy_chunk(copying.access, chunk)
        second = copy_chunk(copying.access, chunk)
        assert (first.repeated, second.repeated, second.rows) == (False, True, 3000)
        report = copying.finish([second])
    assert report.rows == count(place, "SELECT count(*) FROM people") == 3000


def test_a_missing_chunk_is_no_copy(source: str, place: str) -> None:
    a, b, plan = Target("a", source), Target("b", place), plan_of(source)
    with (
        open_copy(a, b, plan, SECRET, OPTIONS) as copying,
        pytest.raises(CopyError, match=r"1 chunks are not copied, the first of public\.people"),
    ):
        copying.finish([])


def test_masked_values_that_break_a_constraint_leave_the_target(source: str, place: str) -> None:
    with pytest.raises(CopyError) as caught:
        copy(source, place, people__email=("constant", {"value": "same"}))
    assert "23505" in str(caught.value)
    assert "same" not in str(caught.value)
    assert count(place, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    assert left_over(place) == 0


def test_a_proof_that_fails_leaves_the_target(source: str, place: str) -> None:
    def prove(access: CopyAccess, plan: CopyPlan, rows: object) -> NoReturn:
        assert isinstance(access.place, Target)
        assert count(access.place.dsn, "SELECT count(*) FROM people") == 3000
        raise CopyError("There is a leak.")

    with pytest.raises(CopyError, match="leak"):
        copy(source, place, prove=prove)
    assert count(place, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    assert left_over(place) == 0


DRIVER = """
import sys
from tests.integration.test_copy_failures import copy, SLOW, OPTIONS
from dataclasses import replace
copy(sys.argv[1], sys.argv[2], replace(OPTIONS, batch_size=500), **SLOW)
"""


def test_a_killed_copy_is_tidied_up_by_the_next(source: str, place: str) -> None:
    execute(source, "ALTER TABLE people DROP CONSTRAINT people_email_key")
    name = conninfo_to_dict(place)["dbname"]
    writing = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'confiture-flows copy%%'"
        " AND starts_with(datname, %s)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER, source, place], cwd=Path(__file__).parents[2]
    ) as driver:
        wait_for(lambda: count(source, writing, f"{name}__confiture_") > 0)
        driver.send_signal(signal.SIGKILL)
    # Its workers end with it, and so do their sessions.
    wait_for(lambda: count(source, writing, f"{name}__confiture_") == 0)
    assert left_over(place) == 1
    assert count(place, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    copy(source, place)
    assert left_over(place) == 0


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_row_security_never_leaves_rows_out(source: str, place: str) -> None:
    role = f"reader_{conninfo_to_dict(source)['dbname']}"
    execute(
        source,
        "CREATE TABLE secret (id int); ALTER TABLE secret ENABLE ROW LEVEL SECURITY;"
        f"CREATE POLICY own ON secret USING (false); CREATE ROLE {role} LOGIN;"
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role};"
        f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};",
    )
    reader = Target("a", make_conninfo(source, user=role))
    try:
        with pytest.raises(CopyError, match="insufficient privilege"):
            copy_database(reader, Target("b", place), plan_of(source), SECRET, OPTIONS)
    finally:
        execute(source, f"DROP OWNED BY {role}; DROP ROLE {role}")
