"""Parsed statement -> what it has to do with transactions. Pure.

Recognised instead of declared: a person forgets to say that a file builds an
index concurrently, the parser does not.
Source: PostgreSQL docs, the reference pages of each command ("cannot be executed
inside a transaction block") and PreventInTransactionBlock in the server's source.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class TransactionCommand(StrEnum):
    """A statement that begins or ends a transaction."""

    BEGIN = "begin"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    OTHER = "other"  # two-phase commit, AND CHAIN: ends a transaction in a way we cannot follow


def transaction_command(node: Any) -> TransactionCommand | None:
    """Tell whether a parsed statement begins or ends a transaction.

    Savepoints do neither: they live and die inside one.
    """
    if node.WhichOneof("node") != "transaction_stmt":
        return None
    statement = node.transaction_stmt
    match _enum_name(statement, "kind"):
        case "TRANS_STMT_BEGIN" | "TRANS_STMT_START":
            return TransactionCommand.BEGIN
        case _ if statement.chain:
            return TransactionCommand.OTHER
        case "TRANS_STMT_COMMIT":
            return TransactionCommand.COMMIT
        case "TRANS_STMT_ROLLBACK":
            return TransactionCommand.ROLLBACK
        case "TRANS_STMT_SAVEPOINT" | "TRANS_STMT_RELEASE" | "TRANS_STMT_ROLLBACK_TO":
            return None
        case _:
            return TransactionCommand.OTHER


def forbids_transaction(node: Any) -> str | None:
    """Name the statement if PostgreSQL refuses it inside a transaction block, else None."""
    kind = node.WhichOneof("node")
    check = _CHECKS.get(kind)
    return check(getattr(node, kind)) if check else None


def added_enum_value(node: Any) -> str | None:
    """The value that `ALTER TYPE ... ADD VALUE` adds; its transaction cannot use it yet."""
    if node.WhichOneof("node") != "alter_enum_stmt" or node.alter_enum_stmt.old_val:
        return None
    return node.alter_enum_stmt.new_val or None


def _enum_name(message: Any, field: str) -> str:
    descriptor = message.DESCRIPTOR.fields_by_name[field].enum_type
    return descriptor.values_by_number[getattr(message, field)].name


def _options(params: Any) -> dict[str, bool]:
    """DefElem list -> names and whether they are on (an option without a value is)."""
    found: dict[str, bool] = {}
    for param in params:
        element = param.def_elem
        value = element.arg.WhichOneof("node") if element.HasField("arg") else None
        if value == "boolean":
            found[element.defname] = element.arg.boolean.boolval
        elif value == "string":
            found[element.defname] = element.arg.string.sval.lower() not in ("false", "off")
        elif value == "integer":
            found[element.defname] = element.arg.integer.ival != 0
        else:
            found[element.defname] = True
    return found


def _drop(statement: Any) -> str | None:
    return "DROP INDEX CONCURRENTLY" if statement.concurrent else None


def _index(statement: Any) -> str | None:
    return "CREATE INDEX CONCURRENTLY" if statement.concurrent else None


def _reindex(statement: Any) -> str | None:
    if _options(statement.params).get("concurrently"):
        return "REINDEX CONCURRENTLY"
    kind = _enum_name(statement, "kind")
    whole = {"REINDEX_OBJECT_SCHEMA", "REINDEX_OBJECT_SYSTEM", "REINDEX_OBJECT_DATABASE"}
    return "REINDEX of a whole " + kind.rpartition("_")[2].lower() if kind in whole else None


def _vacuum(statement: Any) -> str | None:
    return "VACUUM" if statement.is_vacuumcmd else None  # plain ANALYZE shares the node


def _cluster(statement: Any) -> str | None:
    return None if statement.HasField("relation") else "CLUSTER without a table"


def _alter_table(statement: Any) -> str | None:
    for command in statement.cmds:
        alter = command.alter_table_cmd
        if _enum_name(alter, "subtype") != "AT_DetachPartition":
            continue
        if getattr(alter, "def").partition_cmd.concurrent:  # `def` is a Python keyword
            return "DETACH PARTITION CONCURRENTLY"
    return None


def _create_subscription(statement: Any) -> str | None:
    options = _options(statement.options)
    slot = options.get("create_slot", options.get("connect", True))
    return "CREATE SUBSCRIPTION with a replication slot" if slot else None


# What the slot has been told cannot be rolled back.
_SLOT_OPTIONS = frozenset({"failover", "two_phase"})


def _alter_subscription(statement: Any) -> str | None:
    kind = _enum_name(statement, "kind")
    if kind == "ALTER_SUBSCRIPTION_REFRESH" or (
        kind.endswith("_PUBLICATION") and _options(statement.options).get("refresh", True)
    ):
        return "ALTER SUBSCRIPTION with a refresh"
    if kind == "ALTER_SUBSCRIPTION_OPTIONS" and _SLOT_OPTIONS & _options(statement.options).keys():
        return "ALTER SUBSCRIPTION of its replication slot"
    return None


def _discard(statement: Any) -> str | None:
    return "DISCARD ALL" if _enum_name(statement, "target") == "DISCARD_ALL" else None


def _alter_database(statement: Any) -> str | None:
    return "ALTER DATABASE SET TABLESPACE" if "tablespace" in _options(statement.options) else None


_CHECKS: dict[str, Callable[[Any], str | None]] = {
    "index_stmt": _index,
    "drop_stmt": _drop,
    "reindex_stmt": _reindex,
    "vacuum_stmt": _vacuum,
    "cluster_stmt": _cluster,
    "alter_table_stmt": _alter_table,
    "create_subscription_stmt": _create_subscription,
    "alter_subscription_stmt": _alter_subscription,
    "drop_subscription_stmt": lambda _: "DROP SUBSCRIPTION",
    "alter_database_stmt": _alter_database,
    "createdb_stmt": lambda _: "CREATE DATABASE",
    "dropdb_stmt": lambda _: "DROP DATABASE",
    "create_table_space_stmt": lambda _: "CREATE TABLESPACE",
    "drop_table_space_stmt": lambda _: "DROP TABLESPACE",
    "discard_stmt": _discard,
    "alter_system_stmt": lambda _: "ALTER SYSTEM",
}
