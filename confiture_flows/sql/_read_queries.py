"""Queries and conditions -> what they read, and which rows they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from confiture_flows.sql._nodes import inner, relation, strings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.sql.parts import ObjectName


class QueryParts(NamedTuple):
    """What a query reads and calls, as `tables_in` and `functions_in` give it, and its columns.

    Of columns each has its table where that is said; "*" is all.
    """

    tables: tuple[ObjectName, ...]
    columns: tuple[tuple[ObjectName | None, str], ...]
    functions: tuple[str, ...]


def parts_of_query(node: Any) -> QueryParts:
    """What a query reads and calls, in one pass: a view may be large."""
    named: dict[str, dict[ObjectName, None]] = {}
    refs: dict[tuple[str, str], None] = {}
    joined: list[str] = []
    functions: list[str] = []
    own: set[str] = set()
    for kind, each in inner(node):
        if kind == "ColumnRef":
            *before, last = each.fields
            column = last.string.sval if last.HasField("string") else "*"
            refs[before[-1].string.sval if before else "", column] = None
        elif kind == "RangeVar":
            alias = each.alias.aliasname or each.relname
            named.setdefault(alias, {})[relation(each)] = None
        elif kind == "FuncCall":
            name = ".".join(strings(each.funcname))
            functions.append(name.removeprefix("pg_catalog.").lower())
        elif kind == "JoinExpr":
            joined += strings(each.using_clause)
        elif kind == "CommonTableExpr":
            own.add(each.ctename)
    tables = dict.fromkeys(name for names in named.values() for name in names)
    found: dict[tuple[ObjectName | None, str], None] = {}
    for table, column in refs:
        for name in named.get(table, ()) if table else (None,):
            found[name, column] = None
    found |= dict.fromkeys((name, column) for name in tables for column in joined)
    found |= dict.fromkeys(_of_the_only_table(node, own))
    read = tuple(each for each in tables if each.schema or each.name not in own)
    return QueryParts(read, tuple(found), tuple(functions))


def _of_the_only_table(node: Any, own: set[str]) -> Iterator[tuple[ObjectName | None, str]]:
    """The columns without a table that are of the only one the outermost query is FROM.

    PostgreSQL 16 and later print views so; queries within it name their tables.
    """
    select = node.select_stmt
    if len(select.from_clause) != 1 or not select.from_clause[0].HasField("range_var"):
        return
    table = relation(select.from_clause[0].range_var)
    if not table.schema and table.name in own:
        return
    stack: list[Any] = [select]
    while stack:
        message = stack.pop()
        kind = message.DESCRIPTOR.name
        if kind == "SelectStmt" and message is not select:
            continue
        if kind == "ColumnRef" and len(message.fields) == 1:
            last = message.fields[0]
            yield table, last.string.sval if last.HasField("string") else "*"
        for field, value in message.ListFields():
            if field.message_type is not None:
                stack += value if field.is_repeated else (value,)


_COMPARED = {"=", "<", ">", "<=", ">=", "BETWEEN", "BETWEEN SYMMETRIC"}


def bounds_of(condition: Any, table: Any) -> tuple[tuple[str, ...], bool]:
    """What bounds the rows for which a condition is true.

    Args:
        condition: Of WHERE.
        table: The RangeVar that is written to.

    Returns:
        Its columns that are compared with values or variables, and whether a LIMIT is said.
    """
    own = {"", table.relname, table.alias.aliasname}
    found: dict[str, None] = {}
    limited = False
    for kind, each in inner(condition):
        if kind == "SelectStmt":
            limited = limited or each.HasField("limit_count")
        elif kind == "A_Expr" and strings(each.name)[-1] in _COMPARED:
            for side, other in ((each.lexpr, each.rexpr), (each.rexpr, each.lexpr)):
                name = _own_column(side, own)
                if name and not _joins(other):
                    found[name] = None
    return tuple(found), limited


def _own_column(node: Any, own: set[str]) -> str:
    """The column that a node is, if it is of one of these tables."""
    if not node.HasField("column_ref"):
        return ""
    *before, last = node.column_ref.fields
    qualifier = before[-1].string.sval if before else ""
    return last.string.sval if qualifier in own else ""


def _joins(node: Any) -> bool:
    """Whether a node names a column of some table; a variable has no table."""
    return any(kind == "ColumnRef" and len(ref.fields) > 1 for kind, ref in inner(node))
