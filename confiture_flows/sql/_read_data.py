"""Nodes of statements that touch rows, settings and transactions -> operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_flows.sql import _nodes as nodes
from confiture_flows.sql._read_queries import bounds_of
from confiture_flows.sql.operation import (
    LockTable,
    Maintain,
    ModifyData,
    Operation,
    Query,
    RunBlock,
    Setting,
    TransactionControl,
    Truncate,
)
from confiture_flows.sql.parts import LockMode, ObjectName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_flows.sql._read_tables import Stand

# The field with the columns that are written, and who has a WHERE.
_WRITTEN = {"insert": "cols", "update": "target_list"}
_FILTERED = {"update", "delete"}
# As gram.y numbers them: the lock manager's own numbers.
_LOCKS = dict(enumerate(LockMode, 1))


def modify(command: str) -> Callable[[Any, Stand], Iterator[Operation]]:
    """The reader of INSERT, UPDATE, DELETE or MERGE."""

    def read(statement: Any, stand: Stand) -> Iterator[Operation]:
        table = nodes.relation(statement.relation)
        written = getattr(statement, _WRITTEN[command]) if command in _WRITTEN else ()
        filtered = command in _FILTERED and statement.HasField("where_clause")
        bounds, limited = (), False
        if filtered:
            bounds, limited = bounds_of(statement.where_clause, statement.relation)
        # What WITH chooses may be limited as well as what WHERE does.
        limited = limited or any(
            each.common_table_expr.ctequery.select_stmt.HasField("limit_count")
            for each in statement.with_clause.ctes
        )
        yield ModifyData(
            command=command,
            table=table,
            filtered=filtered,
            bounds=bounds,
            limited=limited,
            columns=tuple(each.res_target.name for each in written),
            rows=len(statement.select_stmt.select_stmt.values_lists) or None
            if command == "insert"
            else None,
            reads=tuple(each for each in nodes.tables_in(statement) if each != table),
            **stand.at(),
        )
        yield from _data_in_with(statement, stand)

    return read


def _data_in_with(statement: Any, stand: Stand) -> Iterator[Operation]:
    for each in statement.with_clause.ctes:
        query = each.common_table_expr.ctequery
        kind = query.WhichOneof("node")
        if kind in _MODIFIERS:
            yield from _MODIFIERS[kind](getattr(query, kind), stand)


_MODIFIERS = {
    "insert_stmt": modify("insert"),
    "update_stmt": modify("update"),
    "delete_stmt": modify("delete"),
    "merge_stmt": modify("merge"),
}


def copy(statement: Any, stand: Stand) -> Iterator[Operation]:
    """COPY."""
    if not statement.HasField("relation"):
        yield Query(reads=nodes.tables_in(statement.query), **stand.at())
        return
    yield ModifyData(
        command="copy from" if statement.is_from else "copy to",
        table=nodes.relation(statement.relation),
        columns=nodes.strings(statement.attlist),
        **stand.at(),
    )


def truncate(statement: Any, stand: Stand) -> Iterator[Operation]:
    """TRUNCATE."""
    yield Truncate(
        tables=tuple(nodes.relation(each.range_var) for each in statement.relations),
        cascade=nodes.enum(statement, "behavior") == "DROP_CASCADE",
        **stand.at(),
    )


def lock(statement: Any, stand: Stand) -> Iterator[Operation]:
    """LOCK TABLE."""
    yield LockTable(
        tables=tuple(nodes.relation(each.range_var) for each in statement.relations),
        mode=_LOCKS[statement.mode],
        nowait=statement.nowait,
        **stand.at(),
    )


def select(statement: Any, stand: Stand) -> Iterator[Operation]:
    """SELECT, and a SELECT of set_config()."""
    for each in statement.target_list:
        call = each.res_target.val.func_call
        if nodes.strings(call.funcname)[-1:] == ("set_config",) and len(call.args) == 3:
            name, value, local = (nodes.expression(argument).literal for argument in call.args)
            yield Setting(
                name=(name or "").lower(), value=value, local=local == "true", **stand.at()
            )
    yield Query(
        reads=nodes.tables_in(statement),
        functions=nodes.functions_in(statement),
        locks_rows=bool(statement.locking_clause),
        **stand.at(),
    )
    yield from _data_in_with(statement, stand)


def vacuum(statement: Any, stand: Stand) -> Iterator[Operation]:
    """VACUUM and ANALYZE."""
    said = {name: nodes.is_on(value) for name, value in nodes.options(statement.options)}
    command = "vacuum full" if said.get("full") else "vacuum"
    yield Maintain(
        command=command if statement.is_vacuumcmd else "analyze",
        names=tuple(nodes.relation(each.vacuum_relation.relation) for each in statement.rels),
        **stand.at(),
    )


def cluster(statement: Any, stand: Stand) -> Iterator[Operation]:
    """CLUSTER."""
    table = nodes.maybe_relation(statement, "relation")
    yield Maintain(command="cluster", names=(table,) if table else (), **stand.at())


def reindex(statement: Any, stand: Stand) -> Iterator[Operation]:
    """REINDEX."""
    said = {name: nodes.is_on(value) for name, value in nodes.options(statement.params)}
    table = nodes.maybe_relation(statement, "relation")
    yield Maintain(
        command="reindex",
        object_kind=nodes.enum(statement, "kind").rpartition("_")[2].lower(),
        names=(table or ObjectName("", statement.name),),
        concurrently=said.get("concurrently", False),
        **stand.at(),
    )


def refresh(statement: Any, stand: Stand) -> Iterator[Operation]:
    """REFRESH MATERIALIZED VIEW."""
    yield Maintain(
        command="refresh",
        object_kind="materialized view",
        names=(nodes.relation(statement.relation),),
        concurrently=statement.concurrent,
        with_data=not statement.skip_data,
        **stand.at(),
    )


def setting(statement: Any, stand: Stand) -> Iterator[Operation]:
    """SET and RESET."""
    values = [nodes.expression(each).literal or "" for each in statement.args]
    is_set = nodes.enum(statement, "kind") == "VAR_SET_VALUE"
    yield Setting(
        name=statement.name.lower(),
        value=", ".join(values) if is_set else None,
        local=statement.is_local,
        **stand.at(),
    )


def transaction(statement: Any, stand: Stand) -> Iterator[Operation]:
    """BEGIN, COMMIT, ROLLBACK, SAVEPOINT and the like."""
    command = nodes.enum(statement, "kind").removeprefix("TRANS_STMT_").lower().replace("_", " ")
    yield TransactionControl(command="begin" if command == "start" else command, **stand.at())


def call(statement: Any, stand: Stand) -> Iterator[Operation]:
    """CALL."""
    name = nodes.object_name(nodes.strings(statement.funccall.funcname))
    yield RunBlock(language="", name=name, **stand.at())


def explain(statement: Any, stand: Stand) -> Iterator[Operation]:
    """EXPLAIN; with ANALYZE its statement is carried out."""
    query = statement.query
    kind = query.WhichOneof("node")
    analyze = any(
        name == "analyze" and nodes.is_on(on) for name, on in nodes.options(statement.options)
    )
    reader = READERS.get(kind)
    if analyze and reader:
        yield from reader(getattr(query, kind), stand)
    else:
        yield Query(reads=nodes.tables_in(query), **stand.at())


READERS: dict[str, Callable[[Any, Stand], Iterator[Operation]]] = {
    **_MODIFIERS,
    "call_stmt": call,
    "cluster_stmt": cluster,
    "copy_stmt": copy,
    "explain_stmt": explain,
    "lock_stmt": lock,
    "refresh_mat_view_stmt": refresh,
    "reindex_stmt": reindex,
    "select_stmt": select,
    "transaction_stmt": transaction,
    "truncate_stmt": truncate,
    "vacuum_stmt": vacuum,
    "variable_set_stmt": setting,
}
