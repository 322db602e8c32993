"""conn + versions -> ledger rows, without running anything: for what is applied already.

One transaction under the run's lock: all of the rows, or none. Refuses versions that the
directory does not have, and to leave one out that comes before another, unless that is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.errors import HistoryError, PlanError
from confiture_flows.migrations.journal import forget_entries, locate_journal
from confiture_flows.migrations.ledger import (
    create_ledger,
    locate_ledger,
    read_rows,
    returned_row,
)
from confiture_flows.migrations.lock import run_lock
from confiture_flows.migrations.observer import Observer
from confiture_flows.migrations.validate import late_versions

if TYPE_CHECKING:
    from collections.abc import Collection

    from psycopg import Connection

    from confiture_flows.config import Limits
    from confiture_flows.migrations.ledger import LedgerRow, LedgerTable
    from confiture_flows.migrations.migration import Migration


def baseline(
    conn: Connection,
    migrations: tuple[Migration, ...],
    versions: Collection[str],
    *,
    limits: Limits,
    ledger: str = "tb_confiture",
    late: Collection[str] = (),
    observer: Observer | None = None,
) -> tuple[LedgerRow, ...]:
    """Mark migrations as applied.

    Args:
        conn: In autocommit; nothing else may use it meanwhile.
        migrations: As discovered; the checksum of each is the file's as it stands.
        versions: Those to mark. One that the ledger has already stays as it is.
        limits: How long to wait for another run to end.
        ledger: Name of the ledger table; created when it does not exist.
        late: Versions known to be pending although one of `versions` comes after them.
        observer: Hears who is waited for.

    Returns:
        The rows that were written, in the directory's order.

    Raises:
        PlanError: A version is not in the directory.
        HistoryError: A version before one of `versions` would stay pending, unforeseen.
        LockError: Another run did not end in time.
        LedgerError: The ledger cannot be read or written.
    """
    observer = observer or Observer()
    wanted = frozenset(versions)
    if unknown := sorted(wanted - {migration.version for migration in migrations}):
        raise PlanError(
            f"There is no migration {', '.join(unknown)}.",
            next_step="See what there is: confiture-flows status",
        )
    with run_lock(conn, limits.lock_patience, observer.waiting, observer.tick), conn.transaction():
        table = create_ledger(conn, locate_ledger(conn, ledger))
        known = {row.version for row in read_rows(conn, table)}
        marked = [m for m in migrations if m.version in wanted and m.version not in known]
        if marked:
            _refuse_gaps(
                migrations[: migrations.index(marked[-1]) + 1], known | wanted, frozenset(late)
            )
        if not marked:
            return ()
        # What was half done is marked as a whole.
        forget_entries(conn, locate_journal(conn, table), [(m.version, "up") for m in marked])
        return _record(conn, table, marked)


def _refuse_gaps(
    migrations: tuple[Migration, ...], applied: set[str], late: frozenset[str]
) -> None:
    gaps = [version for version in late_versions(migrations, applied) if version not in late]
    if gaps:
        raise HistoryError(
            f"These would stay pending although later ones are marked: {', '.join(gaps)}.",
            version=gaps[0],
            next_step="Mark them too, or only what comes before them.",
        )


def _record(
    conn: Connection, table: LedgerTable, migrations: list[Migration]
) -> tuple[LedgerRow, ...]:
    values = [
        {
            "version": migration.version,
            "name": migration.name,
            "checksum": migration.checksum,
            "elapsed_ms": 0,  # as fraiseql-confiture writes it for what it did not run
        }
        for migration in migrations
    ]
    with conn.cursor() as cursor:
        # In one pipeline: 10,000 rows one by one take seconds.
        cursor.executemany(table.query("record", conn.info.dbname), values, returning=True)
        rows = [returned_row(row) for row in cursor]
        while cursor.nextset():
            rows += [returned_row(row) for row in cursor]
    return tuple(rows)
