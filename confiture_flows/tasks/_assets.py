"""The tables that a run has changed, as materializations of Prefect's assets.

One event a table, `postgres://HOST/DATABASE/SCHEMA/TABLE`. A task of Prefect's `@materialize` names
its assets before it runs; which tables a plan changes is known only then, so its events are emitted
here, in the same shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import psycopg
from prefect.assets import Asset
from prefect.context import AssetContext
from prefect.states import Completed
from psycopg.pq import TransactionStatus
from pydantic import ValidationError

from confiture_flows.errors import MigrationFileError
from confiture_flows.migrations.observer import Observer
from confiture_flows.migrations.touched import find_table, tables_changed_by
from confiture_flows.sql.pieces import is_large

if TYPE_CHECKING:
    from types import TracebackType

    from psycopg import Connection

    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.plan import Step
    from confiture_flows.sql.relations import TableName
    from confiture_flows.target import Target

_BY = "confiture-flows"
_MOST = 100  # tables a run: an event costs 2 ms of processor time, and a first run makes them all


class Materialized(Observer):
    """Takes note of what is committed, and tells of its tables at the end of a `with` block.

    Also when the run fails: what was committed before is there. Files of many megabytes are not
    read again for it.
    """

    def __init__(self, conn: Connection, target: Target) -> None:
        self._conn = conn
        self._target = target
        self._steps: list[Step] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Who interrupts a run wants it to end.
        if error is None or isinstance(error, Exception):
            self._tell()

    def finished(self, step: Step, row: LedgerRow) -> None:
        """Take note of it."""
        self._steps.append(step)

    def _tell(self) -> None:
        try:
            if self._conn.info.transaction_status is not TransactionStatus.IDLE:
                return  # broken, or stopped in the middle
            changed = self._changed()
        except (psycopg.Error, MigrationFileError):
            return  # the run is what matters, and what has become of it is told elsewhere
        for table, versions in changed.items():
            said = {"migrations": versions, "target": self._target.name}
            _materialized(asset_key(self._conn, *table), said)

    def _changed(self) -> dict[tuple[str, str], list[str]]:
        """The tables that were changed last, and by which migrations."""
        known: dict[TableName, tuple[str, str] | None] = {}
        changed: dict[tuple[str, str], list[str]] = {}
        for step in reversed(self._steps):
            if is_large(step.script.path):
                continue
            for name in dict.fromkeys(tables_changed_by([step])):
                if name not in known:
                    if len(changed) == _MOST:
                        continue
                    known[name] = find_table(self._conn, name)
                if found := known[name]:
                    changed.setdefault(found, []).insert(0, step.migration.version)
        return changed


def asset_key(conn: Connection, schema: str, table: str) -> str:
    """The key of a table's asset; a socket's host is "localhost"."""
    host, port = conn.info.host, conn.info.port
    host = "localhost" if host.startswith("/") else f"[{host}]" if ":" in host else host
    where = host if port == 5432 else f"{host}:{port}"
    return f"postgres://{where}/{conn.info.dbname}/{schema}/{table}"


def _materialized(key: str, metadata: dict[str, object]) -> None:
    try:
        asset = Asset(key=key)
    except ValidationError:
        return  # a name with a space or the like can be no key
    AssetContext(
        downstream_assets={asset},
        materialized_by=_BY,
        materialization_metadata={key: metadata},
    ).emit_events(Completed())
