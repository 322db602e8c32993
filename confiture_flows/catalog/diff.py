"""Two catalogs -> changes, what was there before and what is there after. Pure.

What comes and goes with something else is not told twice: a new table is one change, not one for
each of its columns. An order of columns that differs is a change that no query by name notices, so
it is no drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.catalog.model import Catalog, CatalogObject

    Key = tuple[str, str]


class Action(StrEnum):
    """What happened to an object."""

    ADDED = "added"
    REMOVED = "removed"
    ALTERED = "altered"
    REORDERED = "reordered"


@dataclass(frozen=True, slots=True)
class Change:
    """One object that differs.

    Attributes:
        kind: As in the catalog: "table", "column", "index", ...
        name: Qualified, as people write it.
        action: What happened to it.
        before: Its definition in the old catalog; None where it is not.
        after: Its definition in the new one; None where it is not.
    """

    kind: str
    name: str
    action: Action
    before: str | None = None
    after: str | None = None

    @property
    def is_drift(self) -> bool:
        """Whether it matters to those who ask for columns by name."""
        return self.action is not Action.REORDERED


def diff(old: Catalog, new: Catalog) -> tuple[Change, ...]:
    """What has to happen to `old` to make it `new`, by kind and name.

    Args:
        old: What was expected, or was there before.
        new: What is there.
    """
    before, after = _apart(old, new)
    changes = [
        *_only_in(after, before, Action.ADDED),
        *_only_in(before, after, Action.REMOVED),
        *_altered(before, after),
        *_reordered(_moved(before, after), old, new),
    ]
    return tuple(sorted(changes, key=lambda change: (change.kind, change.name, change.action)))


def _apart(old: Catalog, new: Catalog) -> tuple[dict[Key, CatalogObject], dict[Key, CatalogObject]]:
    """Both, without what is the very same: a catalog that was tracked holds most of the last."""
    was = dict(zip(map(id, old.objects), old.objects, strict=True))
    now = dict(zip(map(id, new.objects), new.objects, strict=True))
    before, after = (
        [mine[each] for each in mine.keys() - others.keys()]
        for mine, others in ((was, now), (now, was))
    )
    return (
        {(each.kind, each.name): each for each in before},
        {(each.kind, each.name): each for each in after},
    )


def _only_in(
    here: dict[Key, CatalogObject], there: dict[Key, CatalogObject], action: Action
) -> Iterator[Change]:
    only = [each for key, each in here.items() if key not in there]
    names = {each.name for each in only}
    for each in only:
        if each.part_of not in names:
            text = _text(each)
            added = action is Action.ADDED
            yield Change(
                each.kind, each.name, action, None if added else text, text if added else None
            )


def _altered(before: dict[Key, CatalogObject], after: dict[Key, CatalogObject]) -> Iterator[Change]:
    for key, was in before.items():
        now = after.get(key)
        if now is not None and (was.definition, was.valid) != (now.definition, now.valid):
            yield Change(was.kind, was.name, Action.ALTERED, _text(was), _text(now))


def _moved(before: dict[Key, CatalogObject], after: dict[Key, CatalogObject]) -> set[str]:
    """The tables that have a column at another place."""
    return {
        was.part_of
        for key, was in before.items()
        if was.place and (now := after.get(key)) and now.place != was.place
    }


def _reordered(tables: set[str], old: Catalog, new: Catalog) -> Iterator[Change]:
    """The columns that two tables of one name have in common, where their order differs."""
    for table in tables:
        before, after = (
            {each.name: each for each in catalog.objects if each.place and each.part_of == table}
            for catalog in (old, new)
        )
        columns = [each for name, each in before.items() if name in after]
        was = sorted(columns, key=lambda column: column.place)
        now = sorted(columns, key=lambda column: after[column.name].place)
        if was != now:
            yield Change("table", table, Action.REORDERED, _listed(was), _listed(now))


def _listed(columns: list[CatalogObject]) -> str:
    return ", ".join(column.name.removeprefix(f"{column.part_of}.") for column in columns)


def _text(each: CatalogObject) -> str:
    return each.definition if each.valid else f"{each.definition} (not valid)".lstrip()
