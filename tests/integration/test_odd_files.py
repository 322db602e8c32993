"""Files that are odd but right: they run as PostgreSQL would run them, and lose nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from .conftest import Engine

# Each makes a table `seen`, or nothing at all.
FILES: dict[str, str | bytes] = {
    "empty": "",
    "white space": " \n\t\n",
    "comments only": "-- nothing\n/* here */",
    "semicolons only": ";;\n;",
    "BEGIN and COMMIT only": "BEGIN;\nCOMMIT;\n",
    "line comment at the very end": "CREATE TABLE seen (id int); -- done",
    "line comment instead of a semicolon": "CREATE TABLE seen (id int) -- done",
    "block comment at the very end": "CREATE TABLE seen (id int) /* done */",
    "no semicolon": "CREATE TABLE seen (id int)",
    "CRLF": "CREATE TABLE seen (\r\n  id int\r\n);\r\n",
    "byte order mark": b"\xef\xbb\xbfCREATE TABLE seen (id int);",
    "percent signs": "CREATE TABLE seen AS SELECT '%s %% %(name)s %d' AS a, 5 % 3 AS b;",
    "braces": "CREATE TABLE seen AS SELECT '{}'::jsonb AS a, '{1,2}'::int[] AS b, '{x}' AS c;",
    "dollars and question marks": "CREATE TABLE seen AS SELECT '$1 :name ?' AS a,"
    " '{\"a\": 1}'::jsonb ? 'a' AS b, $q$;$q$ AS c;",
    "backslashes": r"CREATE TABLE seen AS SELECT '\n' AS a, E'\\' AS b;",
    "notices": "DO $$ BEGIN RAISE NOTICE 'hello'; RAISE WARNING 'mind'; END $$;"
    " DROP TABLE IF EXISTS nothing; CREATE TABLE seen (id int);",
    "many notices": "DO $$ BEGIN FOR i IN 1..5000 LOOP RAISE NOTICE 'line %', i; END LOOP; END $$;"
    " CREATE TABLE seen (id int);",
    "large results": "SELECT repeat('x', 1000) FROM generate_series(1, 20000);"
    " CREATE TABLE seen (id int);",
    "large statement": "CREATE TABLE seen AS SELECT '" + "x" * 3_000_000 + "' AS a;",
    "savepoints": "SAVEPOINT a; CREATE TABLE unseen (id int); ROLLBACK TO a;"
    " RELEASE a; CREATE TABLE seen (id int);",
    "BEGIN inside the file's own BEGIN": "-- confiture: transaction=as-written\n"
    "BEGIN; BEGIN; CREATE TABLE seen (id int); COMMIT;",
    "EXPLAIN, SHOW, VALUES": "EXPLAIN SELECT 1; SHOW work_mem; VALUES (1); CREATE TABLE seen ();",
    "COPY TO stdout": "CREATE TABLE seen (id int); COPY seen TO stdout;",
    "COPY of no rows": "CREATE TABLE seen (id int);\nCOPY seen FROM stdin;\n\\.\n",
    "prepared": "PREPARE p (int) AS SELECT $1; EXECUTE p(1); DEALLOCATE p; CREATE TABLE seen ();",
    "cursor": "DECLARE c CURSOR FOR SELECT 1; FETCH c; CLOSE c; CREATE TABLE seen ();",
    "NOTIFY": "NOTIFY channel, 'payload'; CREATE TABLE seen ();",
    "own settings": "SET LOCAL lock_timeout = '3s'; SET statement_timeout = 0;"
    " CREATE TABLE seen ();",
    "LOCK TABLE": "CREATE TABLE seen (); LOCK TABLE seen IN ACCESS EXCLUSIVE MODE;",
    "SET CONSTRAINTS": "SET CONSTRAINTS ALL DEFERRED; CREATE TABLE seen ();",
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_odd_file_is_applied_and_recorded(
    engine: Engine,
    write: Callable[..., Path],
    tables: Callable[[], list[str]],
    content: str | bytes,
) -> None:
    directory = write({"0001_odd.up.sql": content, "0002_next.up.sql": "CREATE TABLE next ();"})

    engine.migrate(directory)

    text = content if isinstance(content, str) else content.decode("utf-8-sig")
    assert engine.versions() == ["0001", "0002"]
    assert tables() == (["next", "seen"] if " seen " in text else ["next"])


def test_file_of_three_thousand_statements_is_one_transaction(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    lines = ["CREATE TABLE seen (id int, xid bigint DEFAULT txid_current());"]
    lines += [f"INSERT INTO seen VALUES ({number});" for number in range(3000)]

    (row,) = engine.migrate(write({"0001_long.up.sql": "\n".join(lines)}))

    found = conn.execute("SELECT count(*), count(DISTINCT xid) FROM seen").fetchone()
    assert found == (3000, 1)
    assert row.version == "0001"


@pytest.mark.parametrize("count", [999, 1000, 1001])
def test_length_of_the_file_changes_nothing(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection, count: int
) -> None:
    lines = ["CREATE TABLE seen (id int);", *["INSERT INTO seen VALUES (1);"] * (count - 1)]

    engine.migrate(write({"0001_long.up.sql": "\n".join(lines)}))

    assert conn.execute("SELECT count(*) FROM seen").fetchone() == (count - 1,)


COPY_ROWS = '''
CREATE TABLE seen (id int, name text, note text);
COPY seen (id, name, note) FROM stdin;
1\tÄda; -- no comment\t\\N
2\tO'Brien $$\t/* none */
3\tback\\\\slash\ttab\\there
\\.
COPY seen (id, name) FROM STDIN WITH (FORMAT csv, HEADER);
id,name
4,"semi;colon, ""quoted"""
\\.

INSERT INTO seen VALUES (5, 'after', '');
'''


def test_rows_of_copy_blocks_are_loaded(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    engine.migrate(write({"0001_rows.up.sql": COPY_ROWS}))

    assert conn.execute("SELECT * FROM seen ORDER BY id").fetchall() == [
        (1, "Äda; -- no comment", None),
        (2, "O'Brien $$", "/* none */"),
        (3, "back\\slash", "tab\there"),
        (4, 'semi;colon, "quoted"', None),
        (5, "after", ""),
    ]


def test_rows_of_copy_blocks_go_with_a_failed_migration(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    with pytest.raises(Exception, match="division by zero"):
        engine.migrate(write({"0001_rows.up.sql": COPY_ROWS + "SELECT 1 / 0;"}))

    assert tables() == []


def test_copy_without_rows_is_an_error_and_no_hang(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    directory = write(
        {"0001_rows.up.sql": "CREATE TABLE seen (id int);\nCOPY seen FROM stdin;\nSELECT 1;\n"}
    )
    with pytest.raises(Exception, match="COPY") as caught:
        engine.migrate(directory)

    assert getattr(caught.value, "line", None) == 2
    assert tables() == []
