"""What statements do, read from their text: also odd spellings, bodies and broken files."""

from __future__ import annotations

from pathlib import Path

import postgast
import pytest

from confiture_flows.sql import operation as op
from confiture_flows.sql.operations import (
    operations_of,
    read_once,
    read_operations,
    short_texts,
)
from confiture_flows.sql.parts import ConstraintKind, Inside, LockMode, ObjectName
from confiture_flows.sql.work import TableLock, work_of


def only(sql: str) -> op.Operation:
    (operation,) = operations_of(sql)
    return operation


def name(text: str) -> ObjectName:
    schema, _, last = text.rpartition(".")
    return ObjectName(schema, last)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("CREATE TABLE t (a int)", op.CreateTable),
        ("CREATE TABLE t AS SELECT 1", op.CreateTable),
        ("SELECT 1 INTO t", op.CreateTable),
        ("CREATE FOREIGN TABLE t (a int) SERVER s", op.CreateTable),
        ("ALTER TABLE t ADD a int", op.AddColumn),
        ("ALTER TABLE t DROP a", op.DropColumn),
        ("ALTER TABLE t ALTER a TYPE text", op.AlterColumnType),
        ("ALTER TABLE t ALTER a SET NOT NULL", op.AlterColumn),
        ("ALTER TABLE t ADD CHECK (a > 0)", op.AddConstraint),
        ("ALTER TABLE t VALIDATE CONSTRAINT c", op.AlterConstraint),
        ("ALTER TABLE t ALTER CONSTRAINT c DEFERRABLE", op.AlterConstraint),
        ("ALTER TABLE t DETACH PARTITION p", op.ChangePartition),
        ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", op.AlterTable),
        ("CREATE INDEX ON t (a)", op.CreateIndex),
        ("CREATE POLICY p ON t", op.WritePolicy),
        ("CREATE TRIGGER x BEFORE INSERT ON t EXECUTE FUNCTION f()", op.CreateTrigger),
        ("CREATE VIEW v AS SELECT 1", op.CreateView),
        ("CREATE MATERIALIZED VIEW v AS SELECT 1", op.CreateView),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'x'", op.CreateFunction),
        ("CREATE TYPE t AS ENUM ('a')", op.CreateType),
        ("CREATE TYPE t AS (a int)", op.CreateType),
        ("CREATE TYPE t AS RANGE (subtype = int4)", op.CreateType),
        ("CREATE DOMAIN d AS text CHECK (VALUE <> '')", op.CreateType),
        ("ALTER DOMAIN d SET NOT NULL", op.AlterDomain),
        ("ALTER TYPE t ADD VALUE 'b'", op.AddEnumValue),
        ("ALTER TYPE t RENAME VALUE 'b' TO 'c'", op.RenameObject),
        ("ALTER TABLE t RENAME TO u", op.RenameObject),
        ("ALTER SCHEMA s RENAME TO u", op.RenameObject),
        ("ALTER TABLE t SET SCHEMA s", op.AlterObject),
        ("ALTER FUNCTION f() OWNER TO joe", op.AlterObject),
        ("COMMENT ON COLUMN t.a IS 'x'", op.AlterObject),
        ("ALTER EXTENSION citext UPDATE", op.AlterObject),
        ("CREATE SEQUENCE s", op.WriteSequence),
        ("ALTER SEQUENCE s OWNED BY t.a", op.WriteSequence),
        ("CREATE EXTENSION citext", op.CreateObject),
        ("CREATE ROLE joe PASSWORD 'x'", op.CreateObject),
        ("CREATE SCHEMA s", op.CreateObject),
        ("CREATE PUBLICATION p FOR TABLE t", op.CreateObject),
        ("DROP TABLE t", op.DropObject),
        ("DROP ROLE joe", op.DropObject),
        ("DROP DATABASE d", op.DropObject),
        ("GRANT SELECT ON t TO joe", op.Grant),
        ("GRANT admin TO joe", op.Grant),
        ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO joe", op.Grant),
        ("INSERT INTO t VALUES (1)", op.ModifyData),
        ("UPDATE t SET a = 1", op.ModifyData),
        ("DELETE FROM t", op.ModifyData),
        ("MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE", op.ModifyData),
        ("COPY t FROM STDIN", op.ModifyData),
        ("COPY (SELECT 1) TO STDOUT", op.Query),
        ("TRUNCATE t", op.Truncate),
        ("LOCK TABLE t", op.LockTable),
        ("SELECT * FROM t", op.Query),
        ("EXPLAIN ANALYZE DELETE FROM t", op.ModifyData),
        ("EXPLAIN DELETE FROM t", op.Query),
        ("VACUUM FULL t", op.Maintain),
        ("CLUSTER t", op.Maintain),
        ("REINDEX INDEX i", op.Maintain),
        ("REFRESH MATERIALIZED VIEW v", op.Maintain),
        ("SET lock_timeout = '1s'", op.Setting),
        ("BEGIN", op.TransactionControl),
        ("CALL p()", op.RunBlock),
        ("NOTIFY x", op.OtherStatement),
    ],
)
def test_each_kind_of_statement_is_read(sql: str, kind: type[op.Operation]) -> None:
    assert type(only(sql)) is kind


def test_column_is_read_with_all_that_is_said_of_it() -> None:
    (said,) = operations_of(
        'ALTER TABLE IF EXISTS ONLY "My Shop"."Orders" ADD COLUMN IF NOT EXISTS "User Id"'
        " varchar(20)[] NOT NULL DEFAULT '{}' CONSTRAINT c UNIQUE"
        " REFERENCES users (id) ON DELETE CASCADE"
    )
    assert isinstance(said, op.AddColumn)
    assert said.table == ObjectName("My Shop", "Orders")
    assert said.if_exists
    assert said.only
    assert said.if_not_exists
    assert said.column.name == "User Id"
    assert str(said.column.type) == "varchar(20)[]"
    assert said.column.not_null
    assert said.column.default
    assert said.column.default.literal == "{}"
    unique, key = said.column.constraints
    assert (unique.kind, unique.name, unique.columns) == (ConstraintKind.UNIQUE, "c", ("User Id",))
    assert (key.references, key.referenced, key.on_delete) == (name("users"), ("id",), "cascade")


def test_type_names_are_those_of_postgresql() -> None:
    (said,) = operations_of("CREATE TABLE t (a integer, b CHARACTER VARYING, c serial, d my.kind)")
    assert isinstance(said, op.CreateTable)
    assert [str(each.type) for each in said.columns] == ["int4", "varchar", "serial", "my.kind"]
    assert [each.type.builtin for each in said.columns] == [True, True, False, False]
    assert said.columns[2].not_null  # serial says so


def test_check_tells_which_columns_it_keeps_from_null() -> None:
    (said,) = operations_of(
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL AND (b IS NOT NULL) AND d > 0)"
        " NOT VALID"
    )
    assert isinstance(said, op.AddConstraint)
    assert said.constraint.expression
    assert said.constraint.expression.never_null == ("a", "b")
    assert said.constraint.columns == ("a", "b", "d")
    assert not said.constraint.valid


def test_each_object_of_a_drop_is_an_operation() -> None:
    dropped = operations_of("DROP TABLE IF EXISTS a, s.b CASCADE")
    assert [str(each.name) for each in dropped if isinstance(each, op.DropObject)] == ["a", "s.b"]
    trigger = only("DROP TRIGGER x ON s.t")
    assert isinstance(trigger, op.DropObject)
    assert (trigger.name, trigger.table) == (name("x"), name("s.t"))


def test_places_are_counted_in_characters_and_lines() -> None:
    text = "-- é\nSELECT 'ü';\n\n/* ß */ ALTER TABLE t\n  ADD COLUMN a int,\n  ADD COLUMN b int;"
    select, alter = read_operations(text)
    assert text[select.start : select.end] == "SELECT 'ü'"
    assert text[alter.start :].startswith("ALTER TABLE")
    assert [each.line for each in alter.operations] == [5, 6]
    assert [text[each.offset] for each in alter.operations] == ["a", "b"]


def test_body_of_a_do_block_is_read() -> None:
    text = """-- first
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_class) THEN
    ALTER TABLE t ADD COLUMN a int;
  END IF;
  EXECUTE 'CREATE INDEX i ON t (a)';
  EXECUTE format('DROP TABLE %I', 'x');
EXCEPTION WHEN OTHERS THEN
  DELETE FROM t;
END $$;"""
    block, *inside = operations_of(text)
    assert isinstance(block, op.RunBlock)
    kinds = [(type(each), each.line) for each in inside]
    assert kinds == [
        (op.AddColumn, 5),
        (op.CreateIndex, 7),
        (op.Unread, 8),
        (op.ModifyData, 10),
    ]
    assert {each.inside for each in inside} == {Inside.DO}


def test_body_of_a_trigger_function_is_read() -> None:
    function, *inside = operations_of(
        "CREATE FUNCTION f() RETURNS trigger AS $$\nBEGIN\n  UPDATE t SET a = NEW.a;\n"
        "  RETURN NEW;\nEND $$ LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''"
    )
    assert isinstance(function, op.CreateFunction)
    assert function.security_definer
    assert function.sets == ("search_path",)
    (update,) = inside
    assert isinstance(update, op.ModifyData)
    assert (update.line, update.inside) == (3, Inside.FUNCTION)


def test_body_that_cannot_be_read_is_told() -> None:
    (_, unread) = operations_of("DO LANGUAGE plpython3u $$ plpy.execute('DROP TABLE t') $$")
    assert isinstance(unread, op.Unread)
    assert unread.reason == "language"
    (_, broken) = operations_of("DO $$ BEGIN ALTER TABEL t; END $$")
    assert isinstance(broken, op.Unread)


def test_one_mistake_hides_nothing_but_itself() -> None:
    text = "ALTER TABLE a ADD x int;\nALTER TABEL b;\nDROP TABLE c;"
    first, wrong, last = read_operations(text)
    assert isinstance(first.operations[0], op.AddColumn)
    (unread,) = wrong.operations
    assert isinstance(unread, op.Unread)
    assert (unread.reason, unread.line) == ("syntax", 2)
    assert isinstance(last.operations[0], op.DropObject)
    assert last.line == 3


def test_password_in_a_mistake_is_not_repeated() -> None:
    (read,) = read_operations("ALTER ROLE joe PASWORD 'secret'")
    (unread,) = read.operations
    assert isinstance(unread, op.Unread)
    assert "secret" not in unread.message


def test_data_changed_by_a_with_query_is_seen() -> None:
    operations = operations_of("WITH gone AS (DELETE FROM a RETURNING *) INSERT INTO b TABLE gone")
    told = [
        (each.command, each.table.name) for each in operations if isinstance(each, op.ModifyData)
    ]
    assert told == [("insert", "b"), ("delete", "a")]


def test_set_config_is_a_setting() -> None:
    setting = operations_of("SELECT pg_catalog.set_config('lock_timeout', '1s', false)")[0]
    assert isinstance(setting, op.Setting)
    assert (setting.name, setting.value, setting.local) == ("lock_timeout", "1s", False)


@pytest.mark.parametrize(
    ("sql", "rewrites"),
    [
        ("ALTER TABLE t ADD a int DEFAULT 1", False),
        ("ALTER TABLE t ADD a timestamptz DEFAULT now() + interval '1 day'", False),
        ("ALTER TABLE t ADD a timestamptz DEFAULT CURRENT_TIMESTAMP", False),
        ("ALTER TABLE t ADD a uuid DEFAULT public.uuid_generate_v4()", True),
        ("ALTER TABLE t ADD a text DEFAULT new_name()", None),
        ("ALTER TABLE t ADD a positive", None),  # a domain, perhaps with a constraint
        ("ALTER TABLE t ADD a int GENERATED ALWAYS AS (b + 1) VIRTUAL", False),
        ("ALTER TABLE t ADD a int GENERATED ALWAYS AS (b + 1) STORED", True),
        ("ALTER TABLE t ALTER a TYPE bigint", None),
        ("ALTER TABLE t SET TABLESPACE fast", True),
        ("ALTER TABLE t SET (fillfactor = 70)", False),
    ],
)
def test_what_cannot_be_told_from_the_statement_is_none(sql: str, rewrites: bool | None) -> None:
    assert work_of(only(sql)).rewrites is rewrites


def test_new_foreign_key_locks_both_tables() -> None:
    work = work_of(only("ALTER TABLE s.a ADD FOREIGN KEY (b) REFERENCES c NOT VALID"))
    mode = LockMode.SHARE_ROW_EXCLUSIVE
    assert work.locks == (TableLock(mode, name("s.a")), TableLock(mode, name("c")))
    assert work.scans is False
    assert mode.blocks_writes
    assert not mode.blocks_reads


def test_every_valid_statement_of_real_projects_is_read(corpora: Path) -> None:
    broken = {"20250910063940_make_raw_keys_nullable.sql", "20170318181441_downloads_need_no_id"}
    files = [path for path in corpora.rglob("*.sql") if path.is_file()]
    unread: set[str] = set()
    for path in files:
        text = path.read_text(encoding="utf-8-sig")
        for statement in read_operations(text):
            assert text[statement.start : statement.end] == statement.sql
            for each in statement.operations:
                assert text.split("\n")[each.line - 1].strip()
                if isinstance(each, op.Unread) and each.reason != "dynamic":
                    unread |= {path.name, path.parent.name} & broken or {str(path)}
    assert len(files) > 1500
    assert unread == broken


@pytest.mark.parametrize(
    "constant",
    ["'new'", "''", "'a b/c:d-e.f'", "'it''s'", r"E'a\\b'", "'naïve'", "0", "42", "true", "FALSE"],
)
def test_a_constant_is_written_as_the_parser_writes_it(constant: str) -> None:
    (made,) = operations_of(f"CREATE TABLE t (c text DEFAULT {constant})")
    assert isinstance(made, op.CreateTable)
    default = made.columns[0].default
    written = postgast.deparse(postgast.parse(f"SELECT {constant}"))
    assert default is not None
    assert default.sql == written.removeprefix("SELECT ")


def test_a_long_text_is_not_kept() -> None:
    short, long = "SELECT 'kept'", "SELECT '" + "x" * 100_000 + "'"
    assert read_once(short) is read_once(short)
    kept = short_texts.cache_info().currsize
    assert read_once(long) == read_operations(long)
    assert short_texts.cache_info().currsize == kept
