"""What is done to views, functions, types and everything else that is no table. Pure values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.sql.table_operation import Operation
from confiture_flows.sql.value import value

if TYPE_CHECKING:
    from confiture_flows.sql.parts import ConstraintSpec, ObjectName, TypeName


@value(kw_only=True)
class CreateView(Operation):
    """CREATE VIEW, CREATE MATERIALIZED VIEW; `reads` are the tables in it.

    Attributes:
        columns: Those that it names, each with its table where that is said; "*" is all.
        functions: Those that it calls.
    """

    view: ObjectName
    materialized: bool = False
    replace: bool = False
    if_not_exists: bool = False
    temporary: bool = False
    security_invoker: bool = False
    with_data: bool = True
    reads: tuple[ObjectName, ...] = ()
    columns: tuple[tuple[ObjectName | None, str], ...] = ()
    functions: tuple[str, ...] = ()


@value(kw_only=True)
class CreateFunction(Operation):
    """CREATE FUNCTION, CREATE PROCEDURE.

    Attributes:
        arguments: The types of what goes in.
        sets: The settings that it fixes, such as "search_path".
        body: Its text; empty for one in SQL's own syntax.
    """

    name: ObjectName
    arguments: tuple[TypeName, ...] = ()
    returns: TypeName | None = None
    procedure: bool = False
    replace: bool = False
    language: str = "sql"
    security_definer: bool = False
    sets: tuple[str, ...] = ()
    body: str = ""


@value(kw_only=True)
class CreateType(Operation):
    """CREATE TYPE, CREATE DOMAIN.

    Attributes:
        type_kind: "enum", "composite", "range", "domain" or "base".
        values: Of an enum.
        base: Of a domain.
        constraints: Of a domain.
    """

    name: ObjectName
    type_kind: str
    values: tuple[str, ...] = ()
    base: TypeName | None = None
    constraints: tuple[ConstraintSpec, ...] = ()


@value(kw_only=True)
class AddEnumValue(Operation):
    """ALTER TYPE ... ADD VALUE; `beside` is the value that BEFORE or AFTER names."""

    name: ObjectName
    value: str
    beside: str = ""
    after: bool = False
    if_not_exists: bool = False


@value(kw_only=True)
class AlterDomain(Operation):
    """ALTER DOMAIN; `change` is "add constraint", "validate", "set not null" or the like."""

    name: ObjectName
    change: str
    constraint: ConstraintSpec | None = None
    subject: str = ""


@value(kw_only=True)
class WriteSequence(Operation):
    """CREATE SEQUENCE, ALTER SEQUENCE.

    Attributes:
        type: Of its values; None where nothing is said.
        owned_by: The table and the column that it goes with.
    """

    name: ObjectName
    alter: bool = False
    if_not_exists: bool = False
    if_exists: bool = False
    temporary: bool = False
    type: TypeName | None = None
    owned_by: tuple[ObjectName, str] | None = None


@value(kw_only=True)
class CreateObject(Operation):
    """CREATE of any other kind, such as "schema", "extension", "role", "rule", "publication".

    Attributes:
        tables: The tables that it is about.
        password: Whether a role's password stands in the statement.
    """

    object_kind: str
    name: ObjectName
    if_not_exists: bool = False
    replace: bool = False
    tables: tuple[ObjectName, ...] = ()
    password: bool = False


@value(kw_only=True)
class AlterObject(Operation):
    """ALTER of any other kind.

    Attributes:
        change: "owner", "schema", "comment", "options", ...
        value: The new owner or schema.
        table: The table or type that the object belongs to.
    """

    object_kind: str
    name: ObjectName
    change: str
    value: str = ""
    table: ObjectName | None = None
    password: bool = False


@value(kw_only=True)
class RenameObject(Operation):
    """ALTER ... RENAME.

    Attributes:
        object_kind: "table", "column", "constraint", "index", "enum value", ...
        name: The object, or the table or type that has it.
        old: The column, constraint, value, trigger or policy; empty when `name` is renamed.
        new: The new name.
    """

    object_kind: str
    name: ObjectName
    old: str = ""
    new: str = ""
    if_exists: bool = False


@value(kw_only=True)
class DropObject(Operation):
    """DROP of one object; `table` is where a trigger, policy or rule stands."""

    object_kind: str
    name: ObjectName
    table: ObjectName | None = None
    arguments: tuple[TypeName, ...] | None = None
    if_exists: bool = False
    cascade: bool = False
    concurrently: bool = False


@value(kw_only=True)
class Grant(Operation):
    """GRANT, REVOKE, ALTER DEFAULT PRIVILEGES.

    Attributes:
        revoke: Whether it takes away.
        privileges: In lower case; empty for all of them.
        object_kind: "table", "schema", "role", ...
        objects: What they are given on; roles for "role".
        everywhere: Whether it is all objects of the schemas that `objects` names.
        grantees: Roles; "public" for all.
        default: Whether it is about objects that are made later.
    """

    object_kind: str
    objects: tuple[ObjectName, ...] = ()
    privileges: tuple[str, ...] = ()
    grantees: tuple[str, ...] = ()
    revoke: bool = False
    everywhere: bool = False
    default: bool = False
