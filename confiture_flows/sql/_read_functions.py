"""CREATE FUNCTION and DO nodes -> operations, and the statements inside their bodies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from confiture_flows.sql import _nodes as nodes
from confiture_flows.sql.operation import CreateFunction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.sql._read_tables import Stand
    from confiture_flows.sql.parts import TypeName

# What PL/pgSQL carries out for its effect, by the field that holds its SQL.
_CARRIED_OUT = {
    "PLpgSQL_stmt_execsql": "sqlstmt",
    "PLpgSQL_stmt_perform": "expr",
    "PLpgSQL_stmt_call": "expr",
    "PLpgSQL_stmt_fors": "query",
    "PLpgSQL_stmt_return_query": "query",
}


class BodyPart(NamedTuple):
    """A statement in a body: its line there, from 1, and its SQL; None when it is put together."""

    line: int
    sql: str | None


def function(statement: Any, stand: Stand) -> CreateFunction:
    """CREATE FUNCTION, CREATE PROCEDURE."""
    said = list(nodes.options(statement.options))
    words = dict(said)
    sets = tuple(value.variable_set_stmt.name.lower() for name, value in said if name == "set")
    body = nodes.strings(words["as"].list.items)[0] if "as" in words else ""
    definer = words.get("security")
    language = words["language"].string.sval.lower() if "language" in words else "sql"
    takes = ("FUNC_PARAM_OUT", "FUNC_PARAM_TABLE")
    arguments = [each.function_parameter for each in statement.parameters]
    return CreateFunction(
        name=nodes.object_name(nodes.strings(statement.funcname)),
        arguments=tuple(
            nodes.type_name(each.arg_type)
            for each in arguments
            if nodes.enum(each, "mode") not in takes
        ),
        returns=_returns(statement),
        procedure=statement.is_procedure,
        replace=statement.replace,
        language=language,
        security_definer=definer is not None and nodes.is_on(definer),
        sets=sets,
        body=body,
        **stand.at(),
    )


def _returns(statement: Any) -> TypeName | None:
    return nodes.type_name(statement.return_type) if statement.HasField("return_type") else None


def block(statement: Any) -> tuple[str, str]:
    """DO -> its language and its body."""
    words = dict(nodes.options(each for each in statement.args))
    language = words["language"].string.sval.lower() if "language" in words else "plpgsql"
    return language, words["as"].string.sval if "as" in words else ""


def parts_of(sql: str) -> tuple[BodyPart, ...]:
    """The statements in the PL/pgSQL body of a CREATE FUNCTION or a DO.

    Raises:
        ValueError: The body cannot be read.
    """
    import postgast

    try:
        functions = postgast.parse_plpgsql(sql)
    except postgast.PgQueryError as error:
        raise ValueError(error.message) from None
    except json.JSONDecodeError as error:
        functions = json.loads(_mended(error.doc))
    return tuple(_walk(functions))


def _mended(document: str) -> str:
    """What the parser prints of a trigger's function: each of its own variables as `{}}`."""
    variables, action, rest = document.partition('"action":')
    return variables.replace(",{}}", ",{}") + action + rest


def _walk(node: Any) -> Iterator[BodyPart]:
    if isinstance(node, list):
        for each in node:
            yield from _walk(each)
        return
    if not isinstance(node, dict):
        return
    for name, value in node.items():
        if name in _CARRIED_OUT:
            said = value.get(_CARRIED_OUT[name], {}).get("PLpgSQL_expr", {}).get("query", "")
            if said:
                yield BodyPart(value.get("lineno", 1), said)
        elif name == "PLpgSQL_stmt_dynexecute":
            said = value.get("query", {}).get("PLpgSQL_expr", {}).get("query", "")
            yield BodyPart(value.get("lineno", 1), _constant(said))
        yield from _walk(value)


def _constant(sql: str) -> str | None:
    """The text of an EXECUTE of one constant; None for one that is put together."""
    import postgast

    try:
        tree = postgast.parse("SELECT " + sql)
    except postgast.PgQueryError:
        return None
    (target,) = tree.stmts[0].stmt.select_stmt.target_list
    return nodes.expression(target.res_target.val).literal
