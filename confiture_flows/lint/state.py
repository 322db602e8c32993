"""Earlier migrations, operation by operation -> what the database holds then. No database.

Every table is a frozen value: a snapshot of the state costs a copy of its names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from confiture_flows.lint._changes import CHANGES
from confiture_flows.lint._complete import tells_all
from confiture_flows.lint._routines import touch
from confiture_flows.sql.parts import IN_FUNCTION, ObjectName

if TYPE_CHECKING:
    from confiture_flows.lint.catalog import (
        KnownFunction,
        KnownIndex,
        KnownTable,
        KnownType,
        KnownView,
    )
    from confiture_flows.sql import operation as op


@dataclass(slots=True)
class KnownState:
    """The abstract catalog; `apply` is the only thing that changes it.

    Attributes:
        tables: By name with schema.
        views: By name with schema.
        types: By name with schema.
        functions: By name with schema, those of one name together.
        objects: Kind and name of everything else, such as functions, schemas and sequences.
        schema: Where a name without a schema lies.
        home: Where it lies before a migration says otherwise.
        migration: The version whose operations are being applied.
        complete: Whether there are no tables but those that it knows.
        called_by_triggers: The functions that a trigger was ever made for.
        temporary: The tables of this migration that may go with it.
    """

    tables: dict[ObjectName, KnownTable] = field(default_factory=dict)
    views: dict[ObjectName, KnownView] = field(default_factory=dict)
    types: dict[ObjectName, KnownType] = field(default_factory=dict)
    functions: dict[ObjectName, tuple[KnownFunction, ...]] = field(default_factory=dict)
    objects: set[tuple[str, ObjectName]] = field(default_factory=set)
    schema: str = "public"
    migration: str = ""
    complete: bool = True
    home: str = "public"
    called_by_triggers: set[ObjectName] = field(default_factory=set)
    temporary: set[ObjectName] = field(default_factory=set)

    def full(self, name: ObjectName) -> ObjectName:
        """A name with its schema."""
        return name if name.schema else _in_schema(self.schema, name.name)

    def table(self, name: ObjectName | None) -> KnownTable | None:
        """A table by the name that a statement has for it."""
        if name is None:
            return None
        return self.tables.get(name if name.schema else _in_schema(self.schema, name.name))

    def index(self, name: ObjectName) -> tuple[KnownTable, KnownIndex] | None:
        """An index by name, with its table; indexes lie in their tables' schemas."""
        schema = name.schema or self.schema
        for table in self.tables.values():
            if table.name.schema == schema and name.name in table.indexes:
                return table, table.indexes[name.name]
        return None

    def knows_relation(self, name: ObjectName) -> bool:
        """Whether there is, or may be, a table, view, index or sequence of that name.

        One without a schema may lie in any, one of PostgreSQL's own is there always, and what
        is called _seq may have come with its column.
        """
        if name.schema.startswith(("pg_", "information_schema")) or name.name.endswith("_seq"):
            return True
        full = self.full(name)
        if full in self.tables or full in self.views or ("sequence", full) in self.objects:
            return True
        if self.index(name):
            return True
        return not name.schema and any(
            each.name == name.name for each in (*self.tables, *self.views)
        )

    def snapshot(self) -> KnownState:
        """The state as it is now; what is applied later does not show in it."""
        return KnownState(
            dict(self.tables),
            dict(self.views),
            dict(self.types),
            dict(self.functions),
            set(self.objects),
            self.schema,
            self.migration,
            self.complete,
            self.home,
            set(self.called_by_triggers),
            set(self.temporary),
        )

    def apply(self, operation: op.Operation) -> None:
        """Do to the state what an operation does to a database.

        A function's body is not carried out by its creation, and a DO block as if all of its
        conditions were true.
        """
        self.complete = self.complete and tells_all(self, operation)
        if operation.inside is IN_FUNCTION:
            touch(self, operation)
        elif change := CHANGES.get(type(operation)):
            change(self, operation)

    def begin(self, version: str) -> None:
        """Let the operations of a migration come; temporary tables of the last one are gone."""
        self.migration, self.schema = version, self.home
        for name in self.temporary:
            table = self.tables.get(name)
            if table and table.persistence == "temporary":
                del self.tables[name]
        self.temporary.clear()

    def put(self, table: KnownTable) -> None:
        """Replace a table by what it has become."""
        self.tables[table.name] = table
        if table.persistence == "temporary":
            self.temporary.add(table.name)


# Each rule asks for the full name of what it judges: to find it again takes a third of the time.
@lru_cache(maxsize=4096)
def _in_schema(schema: str, name: str) -> ObjectName:
    return ObjectName(schema, name)
