"""Foreign keys -> the order of tables, those that others refer to first. Pure.

Tables that refer to one another in a circle have no order among themselves, and are told apart.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from confiture_flows.anonymization.source import SourceCatalog

Family = tuple[str, str]  # schema and name of a table that may be partitioned


@dataclass(slots=True)
class _Walk:
    """Tarjan's search for strongly connected components, without recursion's depth."""

    parents: Mapping[Family, set[Family]]
    index: dict[Family, int] = field(default_factory=dict)
    low: dict[Family, int] = field(default_factory=dict)
    stack: list[Family] = field(default_factory=list)
    found: list[tuple[Family, ...]] = field(default_factory=list)

    def start(self, root: Family) -> None:
        self._enter(root)
        work = [(root, iter(sorted(self.parents[root])))]
        while work:
            node, waiting = work[-1]
            for parent in waiting:
                if parent not in self.index:
                    self._enter(parent)
                    work.append((parent, iter(sorted(self.parents[parent]))))
                    break
                if parent in self.stack:
                    self.low[node] = min(self.low[node], self.index[parent])
            else:
                work.pop()
                if work:
                    above = work[-1][0]
                    self.low[above] = min(self.low[above], self.low[node])
                self._leave(node)

    def _enter(self, node: Family) -> None:
        self.index[node] = self.low[node] = len(self.index)
        self.stack.append(node)

    def _leave(self, node: Family) -> None:
        if self.low[node] == self.index[node]:
            place = self.stack.index(node)
            self.found.append(tuple(sorted(self.stack[place:])))
            del self.stack[place:]


def groups_in_order(source: SourceCatalog) -> tuple[tuple[Family, ...], ...]:
    """Tables in groups, each after those that it refers to.

    A group is one table, or several that refer to one another in a circle.
    """
    parents: dict[Family, set[Family]] = {each.family: set() for each in source.tables}
    family = {name: each.family for each in source.tables for name in each.names}
    for key in source.foreign_keys:
        if key.table in family and key.parent in family:
            parents[family[key.table]].add(family[key.parent])
    walk = _Walk(parents)
    for each in sorted(parents):
        if each not in walk.index:
            walk.start(each)
    return tuple(walk.found)


def connected(source: SourceCatalog, starts: Iterable[Family]) -> frozenset[Family]:
    """The tables that some way along foreign keys, in either direction, leads to."""
    family = {name: each.family for each in source.tables for name in each.names}
    neighbours: dict[Family, set[Family]] = defaultdict(set)
    for key in source.foreign_keys:
        if key.table in family and key.parent in family:
            neighbours[family[key.table]].add(family[key.parent])
            neighbours[family[key.parent]].add(family[key.table])
    seen = set(starts)
    waiting = list(seen)
    while waiting:
        for each in neighbours[waiting.pop()] - seen:
            seen.add(each)
            waiting.append(each)
    return frozenset(seen)
