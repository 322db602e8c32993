"""The SQL that comes after the rows -> run, indexes side by side, and statistics read.

What may be made side by side are indexes and the constraints that have one: each is about one
table, which was there before the rows. All else runs in pg_dump's order when they are made.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING

from psycopg import Error

from confiture_flows.anonymization.copying.schema import run_script, script_error
from confiture_flows.anonymization.copying.sessions import (
    prepare_session,
    set_all,
    told_without_rows,
)
from confiture_flows.target import connect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from psycopg import Connection

    from confiture_flows.sql.operations import ReadStatement
    from confiture_flows.target import Target

# Bytes of tables: for fewer, reading the script, a fifth of a second, costs what it saves.
WORTH_SIDE_BY_SIDE = 32 << 20
_HAVE_INDEX = ("primary key", "unique", "exclusion")
_WHAT = "Making indexes and keys"
# ANALYZE of a partitioned table reads its partitions too.
_RELATIONS = """
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND c.relpersistence <> 't'
    AND n.nspname <> ALL ('{pg_catalog,information_schema,pg_toast}')
ORDER BY pg_catalog.pg_relation_size(c.oid) DESC, 1
"""


@dataclass(frozen=True, slots=True)
class ScriptPart:
    """A stretch of a script.

    Attributes:
        text: Its SQL.
        table: Whose constraint it makes; those of one table wait for one another.
        index: Whether it makes an index, which waits for nothing.
    """

    text: str
    table: str = ""
    index: bool = False


def complete(target: Target, script: str, workers: int, size: int) -> None:
    """Run a script of pg_dump's after the rows, and read statistics.

    Args:
        target: Whose tables are loaded.
        script: The SQL.
        workers: How many sessions may work at once.
        size: Bytes of the loaded tables.

    Raises:
        CopyError: A statement fails.
    """
    count = max(1, workers) if size >= WORTH_SIDE_BY_SIDE else 1
    with ExitStack() as stack:
        sessions = [stack.enter_context(connect(target, "copy schema")) for _ in range(count)]
        for each in sessions:
            prepare_session(each, writing=True)
        if count > 1:
            script = _made_side_by_side(sessions, script)
        run_script(sessions[0], script, _WHAT)
        prepare_session(sessions[0], writing=True)
        with told_without_rows("Reading statistics"):
            if count == 1:
                sessions[0].execute("ANALYZE")
                return
            names = [name for (name,) in sessions[0].execute(_RELATIONS)]
            _side_by_side(sessions, [(f"ANALYZE {each}",) for each in names])


def pieces_of(script: str) -> tuple[ScriptPart, ...]:
    """Take a script apart; the texts in order are the script."""
    from confiture_flows.sql.operations import read_operations

    found: list[ScriptPart] = []
    end = 0
    for statement in read_operations(script):
        piece = _movable(statement)
        if piece is not None:
            found += [ScriptPart(script[end : statement.start]), piece]
            end = statement.end
    return (*found, ScriptPart(script[end:]))


def _movable(statement: ReadStatement) -> ScriptPart | None:
    from confiture_flows.sql.table_operation import AddConstraint, CreateIndex

    match statement.operations:
        case (AddConstraint() as made,) if made.constraint.kind in _HAVE_INDEX:
            return ScriptPart(statement.sql, str(made.table))
        case (CreateIndex(),):
            return ScriptPart(statement.sql, index=True)
        case _:
            return None


def _made_side_by_side(sessions: Sequence[Connection], script: str) -> str:
    """Make what can be made side by side.

    Returns:
        The rest of the script.
    """
    for each in sessions:
        # As pg_dump's scripts have it.
        set_all(each, {"search_path": ""})
    pieces = pieces_of(script)
    of_table: dict[str, list[str]] = {}
    for each in pieces:
        if each.table:
            of_table.setdefault(each.table, []).append(each.text)
    try:
        left = _side_by_side(sessions, of_table.values())
        left += _side_by_side(sessions, [(each.text,) for each in pieces if each.index])
    except Error as error:
        raise script_error(_WHAT, error) from None
    return "".join(
        each.text for each in pieces if not (each.table or each.index) or each.text in left
    )


def _side_by_side(sessions: Sequence[Connection], jobs: Iterable[Sequence[str]]) -> list[str]:
    """Run statements, those of one job in order, jobs on whichever session is free.

    Returns:
        Those that lack something which is made later.
    """
    free: SimpleQueue[Connection] = SimpleQueue()
    for each in sessions:
        free.put(each)
    left: list[str] = []

    def run(job: Sequence[str]) -> None:
        with _taken(free) as conn:
            for statement in job:
                try:
                    conn.execute(statement.encode())
                except Error as error:
                    if not (error.sqlstate or "").startswith("42"):
                        raise
                    left.append(statement)

    with ThreadPoolExecutor(len(sessions), "confiture-complete") as threads:
        try:
            for done in [threads.submit(run, each) for each in jobs]:
                done.result()
        except BaseException:
            # Neither a failure nor Ctrl-C waits for the indexes that others make.
            threads.shutdown(wait=False, cancel_futures=True)
            for each in sessions:
                with suppress(Error):
                    each.cancel_safe()
            raise
    return left


@contextmanager
def _taken(free: SimpleQueue[Connection]) -> Iterator[Connection]:
    conn = free.get()
    try:
        yield conn
    finally:
        free.put(conn)
