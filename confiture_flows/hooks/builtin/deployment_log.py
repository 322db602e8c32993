"""Run -> a row in a table of the target, and a JSON line in a file: who deployed what, and how.

A row a key: a run that is told twice has one row. The file may have two lines of one key.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from confiture_flows.hooks.builtin._options import HookOptions, read_options
from confiture_flows.hooks.model import HookResult
from confiture_flows.target import connect

if TYPE_CHECKING:
    from pathlib import Path

    from psycopg import Connection, sql

    from confiture_flows.hooks.model import HookContext, HookSummary
    from confiture_flows.target import Target

DEFAULTS = {"direction": "both"}

_CREATE = """
CREATE TABLE IF NOT EXISTS {table} (
    key text PRIMARY KEY,
    run_id text NOT NULL,
    target text NOT NULL,
    direction text NOT NULL,
    ok boolean NOT NULL,
    planned text[] NOT NULL,
    done text[] NOT NULL,
    taken_back text[] NOT NULL,
    error text,
    elapsed_seconds numeric NOT NULL,
    deployed_by text NOT NULL DEFAULT session_user,
    logged_at timestamptz NOT NULL DEFAULT pg_catalog.now()
)
"""
_WRITE = """
INSERT INTO {table}
    (key, run_id, target, direction, ok, planned, done, taken_back, error, elapsed_seconds)
VALUES (%(key)s, %(run_id)s, %(target)s, %(direction)s, %(ok)s, %(planned)s, %(done)s,
    %(taken_back)s, %(error)s, %(elapsed)s)
ON CONFLICT (key) DO UPDATE SET ok = EXCLUDED.ok, done = EXCLUDED.done, error = EXCLUDED.error,
    taken_back = EXCLUDED.taken_back, elapsed_seconds = EXCLUDED.elapsed_seconds,
    logged_at = EXCLUDED.logged_at
"""


class DeploymentLogOptions(HookOptions):
    """What [hooks.options] may say."""

    table: str = Field(default="confiture_deployments", min_length=1)
    file: str | None = None


@dataclass(frozen=True, slots=True)
class DeploymentLog:
    """The hook.

    Attributes:
        table: In the target; may be qualified by a schema.
        file: JSON lines are appended to it; None writes none.
    """

    table: str
    file: Path | None = None

    def __call__(self, context: HookContext, target: Target) -> HookResult:
        """Write one row, and one line."""
        summary = context.summary()
        if self.file:
            _append(self.file, summary)
        with connect(target, "deployment log") as conn:
            self._write(conn, summary)
        number = len(summary.done)
        return HookResult(message=f"logged in {self.table}", data={"migrations": number})

    def _write(self, conn: Connection, summary: HookSummary) -> None:
        from psycopg import sql

        table = sql.Identifier(*self.table.split("."))
        with conn.transaction():
            found = conn.execute("SELECT to_regclass(%s)", (_quoted(table, conn),)).fetchone()
            if found == (None,):
                conn.execute(sql.SQL(_CREATE).format(table=table))
            conn.execute(sql.SQL(_WRITE).format(table=table), _values(summary))


def make(options: dict[str, Any], root: Path) -> DeploymentLog:
    """The hook for what a file says; paths start at the file.

    Raises:
        ConfigError: An option is wrong.
    """
    said = read_options(DeploymentLogOptions, "deployment_log", options)
    return DeploymentLog(said.table, root / said.file if said.file else None)


def _quoted(table: sql.Identifier, conn: Connection) -> str:
    return table.as_string(conn)


def _values(summary: HookSummary) -> dict[str, Any]:
    return {
        "key": summary.key,
        "run_id": summary.run_id,
        "target": summary.target,
        "direction": summary.direction,
        "ok": summary.error is None,
        "planned": list(summary.planned),
        "done": list(summary.done),
        "taken_back": list(summary.taken_back),
        "error": summary.error,
        "elapsed": summary.elapsed,
    }


def _append(file: Path, summary: HookSummary) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    value = _values(summary) | {"logged_at": datetime.now(UTC).isoformat()}
    line = json.dumps(value, ensure_ascii=False) + "\n"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, line.encode())  # at once, so that lines of two runs do not mix
    finally:
        os.close(descriptor)
