"""An open connection -> what the catalog rules say of its database. Only reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from psycopg.errors import LockNotAvailable

from confiture_flows.catalog.locked import LOCK_WAIT_MS
from confiture_flows.lint.catalog_rule import all_catalog_rules
from confiture_flows.report.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import Connection

    from confiture_flows.lint.catalog_rule import CatalogRule
    from confiture_flows.report.finding import Severity

# What a rule waits for when one before it has waited as long as somebody wants to.
_WAIT_AGAIN_MS = 500


def judge_catalog(
    conn: Connection,
    severities: Mapping[str, Severity | None] | None = None,
    ledger: str = "",
    *,
    wait_ms: int = LOCK_WAIT_MS,
) -> tuple[Finding, ...]:
    """Ask each catalog rule, in one transaction that only reads.

    Args:
        conn: In autocommit.
        severities: What the project says of rules, by code; None switches one off.
        ledger: A table of which, and of those beside it, nothing is told: its format is given.
        wait_ms: How long a rule waits for a locked table; then it says that it could not ask.
    """
    own = re.compile(rf"(?<![\w$]){re.escape(ledger.rpartition('.')[2])}(_\w+)?(?![\w$])")
    findings: list[Finding] = []
    with conn.transaction():
        conn.execute("SET TRANSACTION READ ONLY")
        conn.execute("SELECT set_config('lock_timeout', %s, true)", (str(wait_ms),))
        for rule in all_catalog_rules():
            severity = (severities or {}).get(rule.code, rule.severity)
            if rule.query is None or severity is None:
                continue
            for message, step in _answers(conn, rule, wait_ms):
                if ledger and own.search(message):
                    continue
                findings.append(Finding(rule.code, severity, message, next_step=step))
    return tuple(findings)


def _answers(conn: Connection, rule: CatalogRule, wait_ms: int) -> list[tuple[str, str]]:
    try:
        with conn.transaction():
            return conn.execute((rule.query or "").encode()).fetchall()
    except LockNotAvailable:
        shorter = str(min(wait_ms, _WAIT_AGAIN_MS))
        conn.execute("SELECT set_config('lock_timeout', %s, true)", (shorter,))
        said = f"{rule.code} could not be asked: another session keeps a table locked."
        return [(said, "Run it again when that session is done: select * from pg_locks.")]
