"""Plan -> ANALYZE of the tables that its migrations change, one statement a table.

What a Python migration or a DO block changes cannot be seen: name such tables as an option.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_flows.hooks.builtin._options import HookOptions, read_options
from confiture_flows.hooks.model import HookResult
from confiture_flows.hooks.progress import report_progress
from confiture_flows.migrations.touched import find_table, tables_changed_by
from confiture_flows.target import connect

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from psycopg import Connection

    from confiture_flows.hooks.model import HookContext
    from confiture_flows.sql.relations import TableName
    from confiture_flows.target import Target

DEFAULTS = {"timeout": 3600.0}


class RefreshStatisticsOptions(HookOptions):
    """What [hooks.options] may say."""

    tables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RefreshStatistics:
    """The hook.

    Attributes:
        tables: To analyze besides; may be qualified by a schema.
    """

    tables: tuple[str, ...] = ()

    def __call__(self, context: HookContext, target: Target) -> HookResult:
        """Analyze what the run has changed."""
        named = [tuple(each.split(".")) for each in self.tables]
        wanted = dict.fromkeys([*named, *_changed(context)])
        with connect(target, "refresh statistics") as conn:
            found = dict.fromkeys(each for name in wanted if (each := find_table(conn, name)))
            for number, table in enumerate(found):
                report_progress(number / len(found), ".".join(table))
                _analyze(conn, table)
        names = ", ".join(".".join(each) for each in found) or "no table"
        return HookResult(message=f"analyzed {names}", data={"tables": len(found)})


def make(options: dict[str, Any], root: Path) -> RefreshStatistics:
    """The hook for what a file says.

    Raises:
        ConfigError: An option is wrong.
    """
    said = read_options(RefreshStatisticsOptions, "refresh_statistics", options)
    return RefreshStatistics(said.tables)


def _changed(context: HookContext) -> Iterable[TableName]:
    done = None if context.done is None else {row.version for row in context.done}
    return tables_changed_by(
        step
        for step in (context.plan.steps if context.plan else ())
        if (done is None or step.migration.version in done)
        and (not context.migration or step.migration == context.migration)
    )


def _analyze(conn: Connection, table: tuple[str, str]) -> None:
    from psycopg import sql

    conn.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(*table)))
