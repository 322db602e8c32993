"""conn + what a person has seen -> a journal that knows it: for runs that stopped half way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from confiture_flows.errors import LedgerError, PlanError
from confiture_flows.migrations.files import locate_files
from confiture_flows.migrations.journal import locate_journal, read_journal
from confiture_flows.migrations.ledger import locate_ledger
from confiture_flows.migrations.lock import run_lock
from confiture_flows.migrations.patience import roll_back
from confiture_flows.migrations.send import StatementFailed
from confiture_flows.migrations.transaction import Record, run_transaction
from confiture_flows.sql.script import Batch

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.config import Limits
    from confiture_flows.migrations.journal import Entry
    from confiture_flows.migrations.ledger import LedgerTable
    from confiture_flows.migrations.migration import Migration
    from confiture_flows.migrations.transaction import Query


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A migration that is half done.

    Attributes:
        version: Of the migration.
        direction: "up" or "down".
        entries: What the journal has of it, in order; only the last may be in doubt.
    """

    version: str
    direction: str
    entries: tuple[Entry, ...]

    @property
    def committed(self) -> int:
        """How many statements are committed."""
        return sum(entry.statements for entry in self.entries if entry.done)

    @property
    def doubtful(self) -> Entry | None:
        """The statement that was begun and not seen to end."""
        last = self.entries[-1]
        return None if last.done else last


def read_unfinished(conn: Connection, ledger: str) -> tuple[Unfinished, ...]:
    """What earlier runs have left half done, by version."""
    entries = read_journal(conn, locate_journal(conn, locate_ledger(conn, ledger)))
    grouped = groupby(entries, key=lambda entry: (entry.version, entry.direction))
    return tuple(Unfinished(*key, tuple(each)) for key, each in grouped)


def resolve(
    conn: Connection,
    version: str,
    *,
    applied: bool,
    migration: Migration | None = None,
    whole: bool = False,
    limits: Limits,
    ledger: str = "tb_confiture",
) -> str:
    """Write down how a half done migration, or its statement in doubt, really stands.

    Args:
        conn: In autocommit.
        version: Of the migration.
        applied: Whether the statement took effect; with `whole`, whether all of the script did.
        migration: As it is on disk; needed to record the whole of it as applied.
        whole: Whether this is about the whole script.
        limits: How long to wait for another run to end.
        ledger: Name of the ledger table.

    Returns:
        What the next run will do, as a sentence.

    Raises:
        PlanError: Nothing of that version is half done, or no statement of it is in doubt.
        LockError: Another run did not end in time.
    """
    with run_lock(conn, limits.lock_patience):
        table = locate_ledger(conn, ledger)
        journal = locate_journal(conn, table)
        unfinished = _unfinished(conn, ledger, version)
        if whole:
            queries = [journal.forget(version, unfinished.direction)]
            if applied:
                if unfinished.direction == "down":
                    queries += locate_files(conn, table).forget(version)
                queries.append(_ledger_query(conn, table, unfinished, migration))
            _write(conn, queries)
            return _whole_outcome(unfinished, applied=applied)
        entry = unfinished.doubtful
        if entry is None:
            raise PlanError(
                f"No statement of {version} is in doubt: it stopped after "
                f"statement {unfinished.entries[-1].statement}, which is committed.",
                next_step="Run again, it goes on there; or say how the whole of it stands: "
                "--all --applied, or --all --not-applied.",
            )
        if applied:
            _write(conn, [journal.write(replace(entry, done=True), conn.info.dbname)])
            return f"The next run goes on after statement {entry.statement}."
        _write(conn, [journal.forget(version, entry.direction, entry.batch)])
        return f"The next run runs statement {entry.statement} again."


def _ledger_query(
    conn: Connection, table: LedgerTable, unfinished: Unfinished, migration: Migration | None
) -> Query:
    if migration is None:
        raise PlanError(
            f"{unfinished.version} is not in the directory, so its file cannot be recorded.",
            next_step="Restore its file, or name the directory with --dir.",
        )
    block = "record" if unfinished.direction == "up" else "erase"
    values = {
        "version": migration.version,
        "name": migration.name,
        "checksum": migration.checksum,
        "elapsed_ms": None,
    }
    return table.query(block, conn.info.dbname, replacing=migration.repeatable), values


def _unfinished(conn: Connection, ledger: str, version: str) -> Unfinished:
    for each in read_unfinished(conn, ledger):
        if each.version == version:
            return each
    raise PlanError(
        f"Nothing of {version} is half done.", next_step="See what is: confiture-flows resolve"
    )


def _whole_outcome(unfinished: Unfinished, *, applied: bool) -> str:
    if unfinished.direction == "up":
        return (
            "It is applied." if applied else "It is pending, and starts from its first statement."
        )
    return (
        "It is rolled back, and pending."
        if applied
        else "It is applied, and its way back starts from its first statement."
    )


def _write(conn: Connection, queries: list[Query]) -> None:
    try:
        run_transaction(conn, Batch(()), Record(tuple(queries)))
    except StatementFailed as failure:
        roll_back(conn)
        raise LedgerError(
            "Ledger and journal could not be written: "
            f"{failure.error.diag.message_primary or 'the connection broke'}. Nothing is changed.",
            next_step=f'Check that "{conn.info.user}" may write both, and what they hold: '
            "confiture-flows resolve",
            sqlstate=failure.error.sqlstate,
        ) from None
