"""A SQL file -> run once on the target, batch by batch along a key, and resumed where it stopped.

Each batch commits with the note of how far it got, so a batch is never run twice. Refuses a file
that says neither :first nor :last when it is to run in batches, and one that says them when not.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from confiture_flows.errors import ConfigError, HookError
from confiture_flows.hooks.builtin._options import HookOptions, read_options
from confiture_flows.hooks.model import HookResult
from confiture_flows.hooks.progress import report_progress
from confiture_flows.sql.source import read_source
from confiture_flows.target import connect

if TYPE_CHECKING:
    from pathlib import Path

    from psycopg import Connection

    from confiture_flows.hooks.model import HookContext
    from confiture_flows.target import Target

DEFAULTS = {"timeout": 24 * 3600.0}

_BOUND = re.compile(r"(?<![:\w]):(first|last)\b")
_CREATE = """
CREATE TABLE IF NOT EXISTS {progress} (
    file text NOT NULL,
    checksum text NOT NULL,
    last_key bigint,
    finished boolean NOT NULL DEFAULT false,
    changed_rows bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    PRIMARY KEY (file, checksum)
)
"""
_START = """
INSERT INTO {progress} (file, checksum) VALUES (%s, %s) ON CONFLICT DO NOTHING
"""
# Locked for the transaction: another run of the same file waits, and then goes on behind us.
_READ = """
SELECT last_key, finished, changed_rows FROM {progress} WHERE file = %s AND checksum = %s FOR UPDATE
"""
_NOTE = """
UPDATE {progress} SET last_key = %s, finished = %s, changed_rows = changed_rows + %s,
    updated_at = pg_catalog.clock_timestamp()
WHERE file = %s AND checksum = %s
"""
_NEXT = """
SELECT min(k), max(k) FROM (
    SELECT {key} AS k FROM {table} WHERE %(last)s::bigint IS NULL OR {key} > %(last)s
    ORDER BY {key} LIMIT %(size)s
) AS batch
"""
_ENDS = "SELECT min({key}), max({key}) FROM {table}"


class RunSqlOptions(HookOptions):
    """What [hooks.options] may say."""

    file: str = Field(min_length=1)
    table: str | None = None
    key: str | None = None
    batch_size: int = Field(default=10_000, ge=1)
    progress_table: str = Field(default="confiture_run_sql", min_length=1)

    @model_validator(mode="after")
    def _both_or_neither(self) -> RunSqlOptions:
        if (self.table is None) is not (self.key is None):
            raise ValueError("table and key go together")
        return self


@dataclass(frozen=True, slots=True)
class RunSql:
    """The hook.

    Attributes:
        path: The file.
        name: The file as it was named, which the progress is kept for.
        options: What [hooks.options] said.
    """

    path: Path
    name: str
    options: RunSqlOptions

    @property
    def reads(self) -> tuple[Path, ...]:
        """The files that it runs."""
        return (self.path,)

    def __call__(self, context: HookContext, target: Target) -> HookResult:
        """Run what is not done yet."""
        text = read_source(self.path)
        work = _Work(self, text, hashlib.sha256(text.encode()).hexdigest())
        import psycopg

        with connect(target, "run sql") as conn:
            try:
                return work.run(conn)
            except psycopg.Error as error:
                raise HookError(
                    f"{self.name}{work.at}: {error.diag.message_primary or error}",
                    file=self.path,
                    sqlstate=error.sqlstate,
                    next_step="What is committed stays; the next run goes on there.",
                ) from None


def make(options: dict[str, Any], root: Path) -> RunSql:
    """The hook for what a file says; paths start at the file.

    Raises:
        ConfigError: An option is wrong, or does not fit the file.
    """
    said = read_options(RunSqlOptions, "run_sql", options)
    path = root / said.file
    if not path.is_file():
        raise ConfigError(f"The hook 'run_sql': there is no file {path}.")
    bounds = {match[1] for match in _BOUND.finditer(read_source(path))}
    if said.table and bounds != {"first", "last"}:
        raise ConfigError(
            "The hook 'run_sql': in batches, the file has to say :first and :last.",
            file=path,
            next_step="For example: UPDATE ... WHERE id BETWEEN :first AND :last",
        )
    if bounds and not said.table:
        raise ConfigError(
            "The hook 'run_sql': the file says :first or :last, but the options name no table.",
            file=path,
            next_step="Add table and key to the options.",
        )
    return RunSql(path, said.file, said)


def _number(key: int) -> str:
    """A key as SQL; behind a minus, a bare negative one would begin a comment."""
    return str(key) if key >= 0 else f"({key})"


@dataclass(slots=True)
class _Work:
    hook: RunSql
    text: str
    checksum: str
    at: str = ""  # the batch at hand, in words

    def run(self, conn: Connection) -> HookResult:
        if self._query(conn, "SELECT to_regclass(%s)", self._regclass(conn)) == (None,):
            self._query(conn, _CREATE)
        self._query(conn, _START, *self._key)
        batches, ends = 0, self._ends(conn)
        while True:
            with conn.transaction():
                state = self._query(conn, _READ, *self._key)
                if state is None:
                    raise HookError("its progress was deleted while it ran")
                last, finished, changed = state
                if finished:
                    break
                self._batch(conn, last)
            batches += 1
            self._tell(last, ends)
        report_progress(1.0, f"{changed} rows")
        if not batches:
            return HookResult(message=f"{self.hook.name} was run before")
        return HookResult(
            message=f"{self.hook.name}: {changed} rows", data={"rows": changed, "batches": batches}
        )

    @property
    def _key(self) -> tuple[str, str]:
        return self.hook.name, self.checksum

    def _batch(self, conn: Connection, last: int | None) -> None:
        options = self.hook.options
        if options.table is None:
            self._query(conn, _NOTE, None, True, self._execute(conn, self.text), *self._key)
            return
        values = {"last": last, "size": options.batch_size}
        row = conn.execute(self._sql(_NEXT), values).fetchone()
        if row is None or row[0] is None:
            self._query(conn, _NOTE, last, True, 0, *self._key)
            return
        first, last_of_batch = int(row[0]), int(row[1])
        self.at = f" ({options.key} {first} to {last_of_batch})"
        bounds = {"first": _number(first), "last": _number(last_of_batch)}
        text = _BOUND.sub(lambda match: bounds[match[1]], self.text)
        self._query(conn, _NOTE, last_of_batch, False, self._execute(conn, text), *self._key)

    def _execute(self, conn: Connection, text: str) -> int:
        """Run the statements of the text.

        Returns:
            How many rows they have changed.
        """
        cursor = conn.execute(text.encode())
        changed = 0
        while True:
            # A SELECT has rows, too, and changes none.
            changed += max(cursor.rowcount, 0) if cursor.description is None else 0
            if not cursor.nextset():
                return changed

    def _ends(self, conn: Connection) -> tuple[int, int] | None:
        if self.hook.options.table is None:
            return None
        row = conn.execute(self._sql(_ENDS)).fetchone()
        if row is None or row[0] is None:
            return None
        if not isinstance(row[0], int):
            raise HookError(
                f"{self.hook.options.table}.{self.hook.options.key} is no integer column, so it "
                "cannot be the key of batches"
            )
        return row[0], row[1]

    def _tell(self, last: int | None, ends: tuple[int, int] | None) -> None:
        if ends and last is not None:
            span = max(ends[1] - ends[0], 1)
            report_progress(min((last - ends[0]) / span, 1.0), f"up to {last}")

    def _query(self, conn: Connection, query: str, *values: object) -> Any:
        cursor = conn.execute(self._sql(query), values)
        return cursor.fetchone() if cursor.description else None

    def _sql(self, query: str) -> Any:
        from psycopg import sql

        options = self.hook.options
        names = {
            "progress": sql.Identifier(*options.progress_table.split(".")),
            "table": sql.Identifier(*(options.table or "").split(".")),
            "key": sql.Identifier(options.key or ""),
        }
        return sql.SQL(query).format(**names)  # pyright: ignore[reportArgumentType]

    def _regclass(self, conn: Connection) -> str:
        return self._sql("{progress}").as_string(conn)
