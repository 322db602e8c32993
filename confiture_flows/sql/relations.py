"""A statement -> the tables whose rows or shape it changes, from its parse tree. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TableName = tuple[str, ...]  # schema, where it was written, and name

_CHANGES = frozenset(
    {
        "insert_stmt",
        "update_stmt",
        "delete_stmt",
        "merge_stmt",
        "copy_stmt",
        "alter_table_stmt",
        "create_stmt",
        "index_stmt",
    }
)


def changed_tables(sql: str) -> tuple[TableName, ...]:
    """The tables that one statement fills, changes, creates or indexes; not what it reads.

    Args:
        sql: A statement; one that the parser does not know changes nothing that can be seen.
    """
    import postgast

    try:
        statements = postgast.parse(sql).stmts
    except (postgast.PgQueryError, ValueError):
        return ()
    return tuple(dict.fromkeys(name for raw in statements for name in _names(raw.stmt)))


def _names(statement: Any) -> Iterator[TableName]:
    kind = statement.WhichOneof("node")
    if kind is None:
        return
    node = getattr(statement, kind)
    if kind in _CHANGES and node.HasField("relation"):
        yield table_name(node.relation)
    elif kind == "create_table_as_stmt":
        yield table_name(node.into.rel)
    elif kind == "truncate_stmt":
        for relation in node.relations:
            yield table_name(relation.range_var)


def table_name(relation: Any) -> TableName:
    """A RangeVar's."""
    return tuple(part for part in (relation.schemaname, relation.relname) if part)
