"""conn -> ForeignLedger: which other tool migrated this database, and what it applied. Reads only.

Refuses to guess: where two tools fit, or a table fits a tool only perhaps, somebody has to say
which it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.errors import ConfigError
from confiture_flows.migrations.adoption import ForeignTable, Tool, all_tools

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.migrations.adoption import ForeignLedger

_TABLE = """
SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.oid = pg_catalog.to_regclass(%s)
ORDER BY a.attnum
"""

_ELSEWHERE = """
SELECT n.nspname || '.' || c.relname
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relname = ANY(%s) AND c.relkind IN ('r', 'p')
ORDER BY 1
"""


def find_tool(name: str) -> Tool:
    """The tool of that name.

    Raises:
        ConfigError: There is none.
    """
    for tool in all_tools():
        if tool.name == name:
            return tool
    known = ", ".join(tool.name for tool in all_tools())
    raise ConfigError(f"There is no tool {name!r}.", next_step=f"Tools are: {known}.")


def read_foreign_ledger(
    conn: Connection,
    *,
    tool: str | None = None,
    table: str | None = None,
    layout: str | None = None,
) -> ForeignLedger:
    """Find and read the ledger of another tool.

    Args:
        conn: In autocommit.
        tool: Whose ledger it is; None recognises it.
        table: Its table, which may be qualified by a schema; None looks for the names that the
            tools give it, through search_path.
        layout: Of the directory; it decides where a table alone does not.

    Raises:
        ConfigError: There is no such tool or table, none is recognised, or more than one.
    """
    if tool is not None:
        named = find_tool(tool)
        return named.read(conn, _table_of(conn, named, table))
    candidates = _candidates(conn, table)
    sure = [
        (each, found)
        for each, found in candidates
        if each.recognise(found) or (each.layout == layout and each.may_read(found))
    ]
    if len(sure) == 1:
        ((only, found),) = sure
        return only.read(conn, found)
    if sure:
        raise ConfigError(
            "More than one tool has a ledger here: "
            + ", ".join(f"{each.name} ({found})" for each, found in sure)
            + ".",
            next_step="Say whose it is: " + " or ".join(f"--from {each.name}" for each, _ in sure),
        )
    raise _none_recognised(conn, candidates, table)


def _table_of(conn: Connection, tool: Tool, table: str | None) -> ForeignTable:
    names = (table,) if table else tool.tables
    found = [each for name in names if (each := _locate(conn, name))]
    for each in found:
        if tool.may_read(each):
            return each
    if found:
        columns = ", ".join(name for name, _ in found[0].columns)
        raise ConfigError(f"{found[0]} is not a ledger of {tool.name}: its columns are {columns}.")
    raise ConfigError(
        f"There is no table {' or '.join(names)}.", next_step=_where_to_look(conn, names)
    )


def _candidates(conn: Connection, table: str | None) -> list[tuple[Tool, ForeignTable]]:
    names = {table} if table else {name for tool in all_tools() for name in tool.tables}
    tables = {name: _locate(conn, name) for name in sorted(names)}
    return [
        (tool, found)
        for tool in all_tools()
        for name in ((table,) if table else tool.tables)
        if (found := tables[name])
    ]


def _none_recognised(
    conn: Connection, candidates: list[tuple[Tool, ForeignTable]], table: str | None
) -> ConfigError:
    perhaps = [(tool, found) for tool, found in candidates if tool.may_read(found)]
    if perhaps:
        tool, found = perhaps[0]
        return ConfigError(
            f"{found} holds versions as {tool.name}'s ledger does, but other tools (Rails, Ecto) "
            f"have such a table too, and this directory is not written in {tool.name}'s layout.",
            next_step="If each row is one applied migration of this directory: "
            f"confiture-flows baseline --from {tool.name} --table {found}",
        )
    if candidates:
        names = sorted({str(found) for _, found in candidates})
        return ConfigError(
            f"No tool has its ledger in a table with the columns of {', '.join(names)}.",
            next_step="Name the last migration that is applied: "
            "confiture-flows baseline --to VERSION",
        )
    if table:
        return ConfigError(f"There is no table {table}.", next_step=_where_to_look(conn, (table,)))
    names = tuple(name for tool in all_tools() for name in tool.tables)
    return ConfigError(
        "No other tool's ledger is found through search_path.",
        next_step=_where_to_look(conn, names),
    )


def _where_to_look(conn: Connection, names: tuple[str, ...]) -> str:
    plain = [name.rpartition(".")[2] for name in names]
    elsewhere = [row[0] for row in conn.execute(_ELSEWHERE, [plain])]
    if elsewhere:
        return "It may be this one: " + ", ".join(f"--table {name}" for name in elsewhere)
    return (
        "Name its table with --table schema.table, or the last migration that is applied: "
        "confiture-flows baseline --to VERSION"
    )


def _locate(conn: Connection, name: str) -> ForeignTable | None:
    schema, _, table = name.rpartition(".")
    quoted = ".".join('"' + part.replace('"', '""') + '"' for part in (schema, table) if part)
    rows = conn.execute(_TABLE, [quoted]).fetchall()
    if not rows:
        return None
    return ForeignTable(rows[0][0], rows[0][1], tuple((row[2], row[3]) for row in rows))
