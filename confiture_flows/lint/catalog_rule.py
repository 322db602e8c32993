"""CatalogRule: a demand on a live database, as one query of its catalog."""

from __future__ import annotations

import pkgutil
import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from psycopg.errors import LockNotAvailable

from confiture_flows.catalog.locked import LOCK_WAIT_MS
from confiture_flows.lint import catalog_rules
from confiture_flows.report.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import Connection


@dataclass(frozen=True, slots=True)
class CatalogRule:
    """A demand on what is in a database.

    Attributes:
        code: Such as "CFD1".
        name: Such as "index.no_invalid_index".
        severity: Of its findings.
        query: Gives a row for each object that is wrong: what is true, and what to do; None for
            what no query can tell.
        doc: The module's docstring, which says why.
    """

    code: str
    name: str
    severity: Severity
    query: str | None
    doc: str | None

    @property
    def title(self) -> str:
        """The first line of its docstring, without the full stop."""
        return (self.doc or "").strip().partition("\n")[0].rstrip(".")


@cache
def all_catalog_rules() -> tuple[CatalogRule, ...]:
    """The catalog rules, by code."""
    found = [
        import_module(f"{catalog_rules.__name__}.{module.name}").RULE
        for module in pkgutil.iter_modules(catalog_rules.__path__)
    ]
    return tuple(sorted(found, key=lambda rule: rule.code))


def find_catalog_rule(word: str) -> CatalogRule | None:
    """A catalog rule by its code or name, in any case."""
    known = word.lower()
    rules = all_catalog_rules()
    return next((each for each in rules if known in (each.code.lower(), each.name)), None)


def _answers(conn: Connection, rule: CatalogRule) -> list[tuple[str, str]]:
    try:
        with conn.transaction():
            return conn.execute((rule.query or "").encode()).fetchall()
    except LockNotAvailable:
        conn.execute("SELECT set_config('lock_timeout', '500', true)")  # it waited long enough
        said = f"{rule.code} could not be asked: another session keeps a table locked."
        return [(said, "Run it again when that session is done: select * from pg_locks.")]


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
            for message, step in _answers(conn, rule):
                if ledger and own.search(message):
                    continue
                findings.append(Finding(rule.code, severity, message, next_step=step))
    return tuple(findings)
