"""Parts of a syntax tree -> the values of `parts.py`. Shared by the readers of operations."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from confiture_flows.sql.parts import (
    SERIAL_TYPES,
    ColumnSpec,
    ConstraintKind,
    ConstraintSpec,
    Expression,
    ObjectName,
    TypeName,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# What a field holds that is neither a message nor several; to ask the field for it costs more.
_PLAIN = {bool, bytes, int, str}
# What holds no query, call or column: by far the most of the messages of a long INSERT.
_LEAVES = {"A_Const", "ColumnRef", "ParamRef", "String", "TypeName"}
_NOTHING_TO_QUOTE = re.compile(r"[\w .:/-]*", re.ASCII)
_KINDS = {
    "CONSTR_CHECK": ConstraintKind.CHECK,
    "CONSTR_EXCLUSION": ConstraintKind.EXCLUSION,
    "CONSTR_FOREIGN": ConstraintKind.FOREIGN_KEY,
    "CONSTR_NOTNULL": ConstraintKind.NOT_NULL,
    "CONSTR_PRIMARY": ConstraintKind.PRIMARY_KEY,
    "CONSTR_UNIQUE": ConstraintKind.UNIQUE,
}
_ON_DELETE = {"c": "cascade", "r": "restrict", "n": "set null", "d": "set default"}
_IDENTITY = {"a": "always", "d": "by default"}
_GENERATED = {"s": "stored", "v": "virtual"}


def enum(message: Any, field: str) -> str:
    """The name of an enum field's value."""
    return _value_names(type(message), field)[getattr(message, field)]


@cache
def _value_names(message: Any, field: str) -> dict[int, str]:
    values = message.DESCRIPTOR.fields_by_name[field].enum_type.values
    return {each.number: each.name for each in values}


def relation(node: Any) -> ObjectName:
    """RangeVar -> name."""
    return ObjectName(node.schemaname, node.relname)


def maybe_relation(message: Any, field: str) -> ObjectName | None:
    """RangeVar -> name, if there is one."""
    return relation(getattr(message, field)) if message.HasField(field) else None


def strings(nodes: Iterable[Any]) -> tuple[str, ...]:
    """String nodes -> text."""
    return tuple([node.string.sval for node in nodes])


def object_name(parts: tuple[str, ...]) -> ObjectName:
    """The parts of a name -> name; a database in front is left out."""
    return ObjectName(parts[-2] if len(parts) > 1 else "", parts[-1] if parts else "")


def any_name(node: Any) -> ObjectName:
    """Whatever node names an object -> name."""
    match node.WhichOneof("node"):
        case "list":
            return object_name(strings(node.list.items))
        case "string":
            return ObjectName("", node.string.sval)
        case "type_name":
            return object_name(strings(node.type_name.names))
        case "object_with_args":
            return object_name(strings(node.object_with_args.objname))
        case "range_var":
            return relation(node.range_var)
        case "role_spec":
            return ObjectName("", role(node.role_spec))
        case _:
            return ObjectName("", "")


def role(spec: Any) -> str:
    """RoleSpec -> the role's name, or "public", "current_user", ..."""
    if spec.rolename:
        return spec.rolename
    return enum(spec, "roletype").removeprefix("ROLESPEC_").lower()


def options(params: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """DefElem list -> names and their arguments' nodes."""
    for param in params:
        element = param.def_elem
        yield element.defname, element.arg


def is_on(argument: Any) -> bool:
    """Whether an option is on; one without a value is."""
    match argument.WhichOneof("node"):
        case "boolean":
            return argument.boolean.boolval
        case "string":
            return argument.string.sval.lower() not in ("false", "off", "0", "no")
        case "integer":
            return argument.integer.ival != 0
        case _:
            return True


def type_name(node: Any) -> TypeName:
    """TypeName node -> value; pg_catalog is left out."""
    written = strings(node.names)
    if len(written) == 2 and written[0] == "pg_catalog":
        written = written[1:]
    modifiers = tuple(
        [each.a_const.ival.ival for each in node.typmods if each.a_const.HasField("ival")]
    )
    return _type_name(written, modifiers, bool(node.array_bounds))


# Most columns have one of a few types: one value of each serves all of them.
@lru_cache(maxsize=512)
def _type_name(written: tuple[str, ...], modifiers: tuple[int, ...], array: bool) -> TypeName:
    return TypeName(object_name(written), modifiers, array)


def expression(node: Any) -> Expression:
    """An expression's node -> what is known about it."""
    literal = _literal(node)
    functions: dict[str, None] = {}
    columns: dict[str, None] = {}
    tables: dict[ObjectName, None] = {}
    if literal is None:
        for kind, each in inner(node):
            if kind == "FuncCall":
                name = strings(each.funcname)
                short = name[1:] if name[0] == "pg_catalog" else name
                functions[".".join(short).lower()] = None
            elif kind == "SQLValueFunction":
                functions[enum(each, "op").removeprefix("SVFOP_").lower()] = None
            elif kind == "ColumnRef" and each.fields[-1].HasField("string"):
                columns[each.fields[-1].string.sval] = None
            elif kind == "RangeVar":
                tables[relation(each)] = None
    return Expression(
        deparsed(node),
        tuple(functions),
        tuple(columns),
        literal,
        _is_null(node),
        tuple(_never_null(node)),
        tuple(tables),
    )


def maybe_expression(message: Any, field: str) -> Expression | None:
    """An expression, if there is one."""
    return expression(getattr(message, field)) if message.HasField(field) else None


def deparsed(node: Any) -> str:
    """An expression as PostgreSQL's parser would write it."""
    if (plain := _plain_constant(node)) is not None:
        return plain
    import postgast
    from postgast import pg_query_pb2

    tree = pg_query_pb2.ParseResult()
    target = tree.stmts.add().stmt.select_stmt
    target.target_list.add().res_target.val.CopyFrom(node)
    try:
        return postgast.deparse(tree).removeprefix("SELECT ")
    except postgast.PgQueryError:
        return ""


def _plain_constant(node: Any) -> str | None:
    """A constant that is written in one way only; most defaults are one."""
    if node.WhichOneof("node") != "a_const":
        return None
    constant = node.a_const
    match constant.WhichOneof("val"):
        case "sval" if _NOTHING_TO_QUOTE.fullmatch(constant.sval.sval):
            return f"'{constant.sval.sval}'"
        case "ival" if constant.ival.ival >= 0:
            return str(constant.ival.ival)
        case "boolval":
            return "true" if constant.boolval.boolval else "false"
        case _:
            return None


def inner(node: Any) -> Iterator[tuple[str, Any]]:
    """Each message in a node, itself first, with the name of its type. Leaves stay whole."""
    stack = [node]
    while stack:
        message = stack.pop()
        name = type(message).__name__
        if name == "Node":
            kind = message.WhichOneof("node")
            if kind is None:
                continue
            message = getattr(message, kind)
            name = type(message).__name__
        yield name, message
        if name in _LEAVES:
            continue
        below: list[Any] = []
        for _, value in message.ListFields():
            if type(value) in _PLAIN:
                continue
            if hasattr(value, "ListFields"):
                below.append(value)
            else:
                below += value
        below.reverse()
        stack += below


def _literal(node: Any) -> str | None:
    while node.WhichOneof("node") == "type_cast":
        node = node.type_cast.arg
    if node.WhichOneof("node") != "a_const":
        return None
    constant = node.a_const
    if constant.isnull:
        return None
    match constant.WhichOneof("val"):
        case "sval":
            return constant.sval.sval
        case "ival":
            return str(constant.ival.ival)
        case "fval":
            return constant.fval.fval
        case "boolval":
            return "true" if constant.boolval.boolval else "false"
        case _:
            return None


def _is_null(node: Any) -> bool:
    while node.WhichOneof("node") == "type_cast":
        node = node.type_cast.arg
    return node.WhichOneof("node") == "a_const" and node.a_const.isnull


def _never_null(node: Any) -> Iterator[str]:
    """The columns of `c IS NOT NULL`, alone or joined by AND."""
    kind = node.WhichOneof("node")
    if kind == "bool_expr" and enum(node.bool_expr, "boolop") == "AND_EXPR":
        for each in node.bool_expr.args:
            yield from _never_null(each)
    elif kind == "null_test" and enum(node.null_test, "nulltesttype") == "IS_NOT_NULL":
        column = node.null_test.arg
        if column.HasField("column_ref") and column.column_ref.fields[-1].HasField("string"):
            yield column.column_ref.fields[-1].string.sval


def constraint(node: Any, place: Callable[[int], int], column: str = "") -> ConstraintSpec | None:
    """Constraint node -> value; None for what is none, such as a default.

    Args:
        node: The node.
        place: Turns a byte of the text into a character.
        column: The column that it is written with.
    """
    kind = _KINDS.get(enum(node, "contype"))
    if kind is None:
        return None
    said = maybe_expression(node, "raw_expr")
    columns = strings(node.fk_attrs) or strings(node.keys)
    if kind is ConstraintKind.EXCLUSION:
        columns = tuple(each.list.items[0].index_elem.name for each in node.exclusions)
    elif kind is ConstraintKind.CHECK and said:
        columns = said.columns
    elif column:
        columns = (column,)
    return ConstraintSpec(
        kind=kind,
        name=node.conname,
        columns=columns,
        valid=not node.skip_validation,
        expression=said,
        references=maybe_relation(node, "pktable"),
        referenced=strings(node.pk_attrs),
        using_index=node.indexname,
        on_delete=_ON_DELETE.get(node.fk_del_action, ""),
        deferrable=node.deferrable,
        enforced=node.is_enforced or kind is not ConstraintKind.CHECK,
        nulls_equal=node.nulls_not_distinct,
        include=strings(node.including),
        method=node.access_method,
        offset=place(node.location),
    )


def column(node: Any, place: Callable[[int], int]) -> ColumnSpec:
    """ColumnDef node -> value."""
    constraints: list[ConstraintSpec] = []
    default = maybe_expression(node, "raw_default")
    generation: Expression | None = None
    not_null, generated, identity = node.is_not_null, "", ""
    for each in node.constraints:
        said = each.constraint
        match enum(said, "contype"):
            case "CONSTR_DEFAULT":
                default = expression(said.raw_expr)
            case "CONSTR_NOTNULL":
                not_null = True
            case "CONSTR_GENERATED":
                generated = _GENERATED.get(said.generated_kind, "stored")
                generation = expression(said.raw_expr)
            case "CONSTR_IDENTITY":
                identity = _IDENTITY.get(said.generated_when, "by default")
                not_null = True
            case _:
                read = constraint(said, place, node.colname)
                if read:
                    constraints.append(read)
                    not_null = not_null or read.kind is ConstraintKind.PRIMARY_KEY
    kind = type_name(node.type_name)
    collation = ".".join(strings(node.coll_clause.collname)) if node.HasField("coll_clause") else ""
    return ColumnSpec(
        name=node.colname,
        type=kind,
        not_null=not_null or (not kind.name.schema and kind.name.name in SERIAL_TYPES),
        default=default,
        generated=generated,
        generation=generation,
        identity=identity,
        collation=collation,
        constraints=tuple(constraints),
        offset=place(node.location),
    )


def tables_in(node: Any) -> tuple[ObjectName, ...]:
    """The tables that a query reads, without its own WITH names."""
    found: dict[ObjectName, None] = {}
    own: set[str] = set()
    for kind, each in inner(node):
        if kind == "CommonTableExpr":
            own.add(each.ctename)
        elif kind == "RangeVar":
            found[relation(each)] = None
    return tuple(each for each in found if each.schema or each.name not in own)


def functions_in(node: Any) -> tuple[str, ...]:
    """The functions that a statement calls, lower case, without pg_catalog."""
    return tuple(
        ".".join(strings(each.funcname)).removeprefix("pg_catalog.").lower()
        for kind, each in inner(node)
        if kind == "FuncCall"
    )
