"""Nodes of statements about other objects than tables -> operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_flows.sql import _nodes as nodes
from confiture_flows.sql._read_queries import parts_of_query
from confiture_flows.sql._read_tables import object_kind
from confiture_flows.sql.operation import (
    AddEnumValue,
    AlterDomain,
    AlterObject,
    CreateObject,
    CreateTrigger,
    CreateType,
    CreateView,
    DropObject,
    Grant,
    Operation,
    RenameObject,
    WritePolicy,
    WriteSequence,
)
from confiture_flows.sql.parts import ObjectName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_flows.sql._read_tables import Stand

    Reader = Callable[[Any, Stand], Iterator[Operation]]

_ON_A_TABLE = {"trigger", "policy", "rule", "constraint"}
# ALTER DOMAIN's subtypes, as gram.y writes them.
_DOMAIN_CHANGES = {
    "T": "default",
    "N": "drop not null",
    "O": "set not null",
    "C": "add constraint",
    "X": "drop constraint",
    "V": "validate",
}


def view(statement: Any, stand: Stand) -> Iterator[Operation]:
    """CREATE VIEW."""
    read = parts_of_query(statement.query)
    said = dict(nodes.options(statement.options))
    yield CreateView(
        view=nodes.relation(statement.view),
        replace=statement.replace,
        temporary=statement.view.relpersistence == "t",
        security_invoker="security_invoker" in said and nodes.is_on(said["security_invoker"]),
        reads=read.tables,
        columns=read.columns,
        functions=read.functions,
        **stand.at(),
    )


def materialized_view(statement: Any, stand: Stand) -> Iterator[Operation]:
    """CREATE MATERIALIZED VIEW."""
    read = parts_of_query(statement.query)
    yield CreateView(
        view=nodes.relation(statement.into.rel),
        materialized=True,
        if_not_exists=statement.if_not_exists,
        with_data=not statement.into.skip_data,
        reads=read.tables,
        columns=read.columns,
        functions=read.functions,
        **stand.at(),
    )


def trigger(statement: Any, stand: Stand) -> Iterator[Operation]:
    """CREATE TRIGGER."""
    yield CreateTrigger(
        name=statement.trigname,
        table=nodes.relation(statement.relation),
        function=nodes.object_name(nodes.strings(statement.funcname)),
        replace=statement.replace,
        constraint=statement.isconstraint,
        other_table=nodes.maybe_relation(statement, "constrrel"),
        **stand.at(),
    )


def policy(statement: Any, stand: Stand) -> Iterator[Operation]:
    """CREATE POLICY."""
    yield WritePolicy(
        name=statement.policy_name,
        table=nodes.relation(statement.table),
        command=statement.cmd_name or "all",
        permissive=statement.permissive,
        **_policy(statement),
        **stand.at(),
    )


def alter_policy(statement: Any, stand: Stand) -> Iterator[Operation]:
    """ALTER POLICY."""
    name, table = statement.policy_name, nodes.relation(statement.table)
    yield WritePolicy(name=name, table=table, alter=True, **_policy(statement), **stand.at())


def _policy(statement: Any) -> dict[str, Any]:
    return {
        "roles": tuple(nodes.role(each.role_spec) for each in statement.roles),
        "using": nodes.maybe_expression(statement, "qual"),
        "check": nodes.maybe_expression(statement, "with_check"),
    }


def enum_type(statement: Any, stand: Stand) -> Iterator[Operation]:
    """CREATE TYPE ... AS ENUM."""
    name, values = nodes.strings(statement.type_name), nodes.strings(statement.vals)
    yield CreateType(name=nodes.object_name(name), type_kind="enum", values=values, **stand.at())


def composite_type(statement: Any, stand: Stand) -> Iterator[Operation]:
    """CREATE TYPE ... AS (...)."""
    name = nodes.relation(statement.typevar)
    yield CreateType(name=name, type_kind="composite", **stand.at())


def range_type(statement: Any, stand: Stand) -> Iterator[Operation]:
    """CREATE TYPE ... AS RANGE."""
    name = nodes.object_name(nodes.strings(statement.type_name))
    yield CreateType(name=name, type_kind="range", **stand.at())


def domain(statement: Any, stand: Stand) -> Iterator[Operation]:
    """CREATE DOMAIN."""
    constraints = (nodes.constraint(each.constraint, stand.place) for each in statement.constraints)
    yield CreateType(
        name=nodes.object_name(nodes.strings(statement.domainname)),
        type_kind="domain",
        base=nodes.type_name(statement.type_name),
        constraints=tuple(each for each in constraints if each),
        **stand.at(),
    )


def alter_domain(statement: Any, stand: Stand) -> Iterator[Operation]:
    """ALTER DOMAIN."""
    said = getattr(statement, "def")  # a Python keyword
    added = said.constraint if said.WhichOneof("node") == "constraint" else None
    yield AlterDomain(
        name=nodes.object_name(nodes.strings(statement.type_name)),
        change=_DOMAIN_CHANGES[statement.subtype],
        constraint=nodes.constraint(added, stand.place) if added else None,
        subject=statement.name,
        **stand.at(),
    )


def alter_enum(statement: Any, stand: Stand) -> Iterator[Operation]:
    """ALTER TYPE ... ADD VALUE, and RENAME VALUE."""
    name = nodes.object_name(nodes.strings(statement.type_name))
    if statement.old_val:
        old, new = statement.old_val, statement.new_val
        yield RenameObject(object_kind="enum value", name=name, old=old, new=new, **stand.at())
        return
    yield AddEnumValue(
        name=name,
        value=statement.new_val,
        beside=statement.new_val_neighbor,
        after=statement.new_val_is_after,
        if_not_exists=statement.skip_if_new_val_exists,
        **stand.at(),
    )


def sequence(statement: Any, stand: Stand) -> Iterator[Operation]:
    """CREATE SEQUENCE."""
    yield WriteSequence(
        name=nodes.relation(statement.sequence),
        if_not_exists=statement.if_not_exists,
        temporary=statement.sequence.relpersistence == "t",
        **_sequence(statement),
        **stand.at(),
    )


def alter_sequence(statement: Any, stand: Stand) -> Iterator[Operation]:
    """ALTER SEQUENCE."""
    yield WriteSequence(
        name=nodes.relation(statement.sequence),
        alter=True,
        if_exists=statement.missing_ok,
        **_sequence(statement),
        **stand.at(),
    )


def _sequence(statement: Any) -> dict[str, Any]:
    said = dict(nodes.options(statement.options))
    owner = nodes.strings(said["owned_by"].list.items) if "owned_by" in said else ()
    kind = nodes.type_name(said["as"].type_name) if "as" in said else None
    owned = (nodes.object_name(owner[:-1]), owner[-1]) if len(owner) > 1 else None
    return {"type": kind, "owned_by": owned}


def drop(statement: Any, stand: Stand) -> Iterator[Operation]:
    """DROP of whatever has a name; one operation an object."""
    kind = object_kind(statement, "remove_type")
    for each in statement.objects:
        table, name, arguments = None, nodes.any_name(each), None
        if kind in _ON_A_TABLE:
            *of, last = nodes.strings(each.list.items)
            table, name = nodes.object_name(tuple(of)), ObjectName("", last)
        elif each.HasField("object_with_args") and not each.object_with_args.args_unspecified:
            given = each.object_with_args.objargs
            arguments = tuple(nodes.type_name(argument.type_name) for argument in given)
        yield DropObject(
            object_kind=kind,
            name=name,
            table=table,
            arguments=arguments,
            if_exists=statement.missing_ok,
            cascade=nodes.enum(statement, "behavior") == "DROP_CASCADE",
            concurrently=statement.concurrent,
            **stand.at(),
        )


def drop_named(kind: str, field: str) -> Reader:
    """The reader of a DROP with a node of its own."""

    def read(statement: Any, stand: Stand) -> Iterator[Operation]:
        said = getattr(statement, field)
        names = [said] if isinstance(said, str) else [nodes.role(each.role_spec) for each in said]
        for name in names:
            yield DropObject(
                object_kind=kind,
                name=ObjectName("", name),
                if_exists=getattr(statement, "missing_ok", False),
                **stand.at(),
            )

    return read


def rename(statement: Any, stand: Stand) -> Iterator[Operation]:
    """ALTER ... RENAME."""
    kind = object_kind(statement, "rename_type")
    named = statement.HasField("relation")
    name = nodes.relation(statement.relation) if named else nodes.any_name(statement.object)
    old = statement.subname
    if kind in ("schema", "database", "role", "tablespace"):
        name, old = ObjectName("", old), ""
    yield RenameObject(
        object_kind=kind,
        name=name,
        old=old,
        new=statement.newname,
        if_exists=statement.missing_ok,
        **stand.at(),
    )


def move(statement: Any, stand: Stand) -> Iterator[Operation]:
    """ALTER ... SET SCHEMA."""
    named = statement.HasField("relation")
    yield AlterObject(
        object_kind=object_kind(statement, "object_type"),
        name=nodes.relation(statement.relation) if named else nodes.any_name(statement.object),
        change="schema",
        value=statement.newschema,
        **stand.at(),
    )


def owner(statement: Any, stand: Stand) -> Iterator[Operation]:
    """ALTER ... OWNER TO, but of tables."""
    yield AlterObject(
        object_kind=object_kind(statement, "object_type"),
        name=nodes.any_name(statement.object),
        change="owner",
        value=nodes.role(statement.newowner),
        **stand.at(),
    )


def comment(statement: Any, stand: Stand) -> Iterator[Operation]:
    """COMMENT ON."""
    kind = object_kind(statement, "objtype")
    table, name = None, nodes.any_name(statement.object)
    if statement.object.WhichOneof("node") == "list" and kind in (*_ON_A_TABLE, "column"):
        *of, last = nodes.strings(statement.object.list.items)
        table, name = nodes.object_name(tuple(of)), ObjectName("", last)
    yield AlterObject(
        object_kind=kind,
        name=name,
        change="comment",
        value=statement.comment,
        table=table,
        **stand.at(),
    )


def create(kind: str, field: str) -> Reader:
    """The reader of a CREATE that is told by its kind and name."""

    def read(statement: Any, stand: Stand) -> Iterator[Operation]:
        said = getattr(statement, field)
        name = (
            ObjectName("", said)
            if isinstance(said, str)
            else nodes.object_name(nodes.strings(said))
        )
        fields = {each.name for each in statement.DESCRIPTOR.fields}
        set_options = dict(nodes.options(statement.options)) if "options" in fields else {}
        secret = "password" in set_options and set_options["password"].HasField("string")
        yield CreateObject(
            object_kind=kind,
            name=name,
            if_not_exists="if_not_exists" in fields and statement.if_not_exists,
            replace="replace" in fields and statement.replace,
            tables=_tables_of(statement, fields),
            password=secret,
            **stand.at(),
        )

    return read


def _tables_of(statement: Any, fields: set[str]) -> tuple[ObjectName, ...]:
    if "relation" in fields and statement.HasField("relation"):
        return (nodes.relation(statement.relation),)
    if "relations" in fields:
        return tuple(nodes.relation(each.range_var) for each in statement.relations)
    if "pubobjects" in fields:
        listed = (each.publication_obj_spec.pubtable for each in statement.pubobjects)
        return tuple(nodes.relation(each.relation) for each in listed if each.HasField("relation"))
    return ()


def alter(kind: str, field: str, change: str = "options") -> Reader:
    """The reader of an ALTER that is told by its kind and name."""

    def read(statement: Any, stand: Stand) -> Iterator[Operation]:
        said = getattr(statement, field)
        if isinstance(said, str):
            name = ObjectName("", said)
        elif field == "role":
            name = ObjectName("", nodes.role(said))
        elif field == "func":
            name = nodes.object_name(nodes.strings(said.objname))
        else:
            name = nodes.object_name(nodes.strings(said))
        given = nodes.options(statement.options) if hasattr(statement, "options") else ()
        secret = any(each == "password" and value.HasField("string") for each, value in given)
        yield AlterObject(object_kind=kind, name=name, change=change, password=secret, **stand.at())

    return read


def grant(statement: Any, stand: Stand) -> Iterator[Operation]:
    """GRANT and REVOKE of privileges."""
    yield _grant(statement, stand)


def _grant(statement: Any, stand: Stand, *, default: bool = False) -> Grant:
    return Grant(
        object_kind=object_kind(statement, "objtype"),
        objects=tuple(nodes.any_name(each) for each in statement.objects),
        privileges=tuple(each.access_priv.priv_name for each in statement.privileges),
        grantees=tuple(nodes.role(each.role_spec) for each in statement.grantees),
        revoke=not statement.is_grant,
        everywhere=nodes.enum(statement, "targtype") == "ACL_TARGET_ALL_IN_SCHEMA",
        default=default,
        **stand.at(),
    )


def grant_role(statement: Any, stand: Stand) -> Iterator[Operation]:
    """GRANT and REVOKE of roles."""
    yield Grant(
        object_kind="role",
        objects=tuple(
            ObjectName("", each.access_priv.priv_name) for each in statement.granted_roles
        ),
        grantees=tuple(nodes.role(each.role_spec) for each in statement.grantee_roles),
        revoke=not statement.is_grant,
        **stand.at(),
    )


def default_privileges(statement: Any, stand: Stand) -> Iterator[Operation]:
    """ALTER DEFAULT PRIVILEGES."""
    yield _grant(statement.action, stand, default=True)
