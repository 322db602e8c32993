"""Catalog: what is in a database apart from rows, as a frozen value that compares. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class CatalogObject:
    """One object of the catalog.

    Attributes:
        kind: "table", "view", "column", "index", "constraint", "function", "grant", ...
        name: Qualified, as people write it: "public.users.email".
        definition: Everything about it that a migration may change, as PostgreSQL prints it.
        valid: False for an index whose concurrent build failed, or a constraint not validated.
        part_of: The name of the object that it comes and goes with, such as its table.
        place: A column's number, which grows along its table; what was dropped leaves a gap.
            Objects that differ in it are equal.
    """

    kind: str
    name: str
    definition: str = ""
    valid: bool = True
    part_of: str = ""
    place: int = field(default=0, compare=False)


# A method of the class, which compares tuples made anew each time, takes six times as long.
_ORDER = attrgetter("kind", "name", "definition", "valid", "part_of")


@dataclass(frozen=True, slots=True)
class Catalog:
    """A snapshot: the objects outside PostgreSQL's own schemas and extensions, sorted."""

    objects: tuple[CatalogObject, ...]

    @classmethod
    def of(cls, objects: Iterable[CatalogObject]) -> Catalog:
        """The catalog that has these, in whatever order they come."""
        return cls(tuple(sorted(objects, key=_ORDER)))

    @property
    def invalid(self) -> tuple[CatalogObject, ...]:
        """What failed or unfinished steps left behind."""
        return tuple(each for each in self.objects if not each.valid)

    def names(self, kind: str) -> tuple[str, ...]:
        """The names of all objects of a kind."""
        return tuple(each.name for each in self.objects if each.kind == kind)
