"""Rules + SourceCatalog -> the rule of each column, with those that foreign keys carry on. Pure.

Refuses rules that name nothing, two that are equally specific, and two ends of a foreign key that
are anonymized differently. All that is wrong is told, not the first only.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confiture_flows.report.finding import Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from confiture_flows.anonymization.rules import ColumnRule, Pattern, Rules
    from confiture_flows.anonymization.source import ForeignKeyOf, SourceCatalog, SourceTable
    from confiture_flows.anonymization.strategy import Column

# A column of a table, or of one that is partitioned: schema, table, column.
Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Assignment:
    """What becomes of columns.

    Attributes:
        rules: By column; those that are not in it are copied as they are.
        findings: What is wrong, and what was decided.
    """

    rules: Mapping[Column, ColumnRule]
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class _Search:
    """The patterns that have named something, and what was found meanwhile."""

    rules: Rules
    used: set[str] = field(default_factory=set)
    passed_by: set[str] = field(default_factory=set)  # name generated columns, by wildcards
    findings: list[Finding] = field(default_factory=list)

    def add(
        self, code: str, severity: Severity, message: str, next_step: str | None = None
    ) -> None:
        where = Location(self.rules.source) if self.rules.source else None
        finding = Finding(code, severity, message, next_step, location=where)
        if finding not in self.findings:
            self.findings.append(finding)

    def rule_for(self, table: SourceTable, column: str) -> ColumnRule | None:
        """The most specific one; what names a partition itself comes before what names its parent.

        A pattern does not name generated columns: the target computes them anew.
        """
        written = table.column(column).written
        fitting: list[tuple[tuple[int, ...], int, ColumnRule]] = []
        for above, (schema, name) in enumerate(table.names):
            for rule in self.rules.columns:
                if not rule.pattern.matches(schema, name, column):
                    continue
                if written or rule.pattern.exact:
                    self.used.add(rule.pattern.text)
                    fitting.append((rule.pattern.rank, above, rule))
                else:
                    self.passed_by.add(rule.pattern.text)
        fitting.sort(key=lambda each: each[:2])
        if len(fitting) > 1 and fitting[0][:2] == fitting[1][:2]:
            self.add(
                "rule.ambiguous",
                Severity.ERROR,
                f"Two rules name {'.'.join((*table.family, column))}: "
                f"{fitting[0][2].pattern.text} and {fitting[1][2].pattern.text}, neither more "
                "precisely.",
                f"Add a rule for {'.'.join((*table.family, column))} itself.",
            )
        return fitting[0][2] if fitting else None


def assign_rules(rules: Rules, source: SourceCatalog) -> Assignment:
    """The rule of each column that has one.

    Args:
        rules: What the configuration says.
        source: What there is.
    """
    search = _Search(rules)
    assigned: dict[Column, ColumnRule] = {}
    for table in source.tables:
        for each in table.columns:
            if rule := search.rule_for(table, each.name):
                assigned[each.column] = rule
    _check_that_all_name_something(search, source)
    carried = _carry_on(search, source, assigned)
    return Assignment({**assigned, **carried}, tuple(search.findings))


def _check_that_all_name_something(search: _Search, source: SourceCatalog) -> None:
    rules = search.rules
    columns = {
        (*name, column.name)
        for table in source.tables
        for name in table.names
        for column in table.columns
    }
    tables = {name for table in source.tables for name in table.names}

    def names_one(pattern: Pattern, names: Iterable[tuple[str, ...]]) -> bool:
        return any(pattern.matches(*each) for each in names)

    nothing: list[tuple[str, str, str]] = [
        ("columns", each.pattern.text, "column")
        for each in rules.columns
        if each.pattern.text not in search.used
    ]
    nothing += [
        ("tables", each.pattern.text, "table")
        for each in rules.tables
        if not names_one(each.pattern, tables)
    ]
    nothing += [
        ("only", each.text, "table") for each in rules.only or () if not names_one(each, tables)
    ]
    nothing += [
        ("subset", each.pattern.text, "table")
        for each in rules.subset
        if not names_one(each.pattern, tables)
    ]
    nothing += [
        ("allow", each.text, "column") for each in rules.allowed if not names_one(each, columns)
    ]
    for where, text, what in nothing:
        if where == "columns" and text in search.passed_by:
            what = "column but generated ones, which the target computes anew,"
        search.add(
            "rule.names_nothing",
            Severity.ERROR,
            f"{text!r} of anonymization.{where} names no {what} that there is.",
            "Check its spelling: a rule that names nothing leaves what it meant as it is.",
        )


def _carry_on(
    search: _Search, source: SourceCatalog, assigned: Mapping[Column, ColumnRule]
) -> dict[Column, ColumnRule]:
    """The rules that columns get because a foreign key ties them to one that has a rule."""
    carried: dict[Column, ColumnRule] = {}
    tied = _tied_columns(source.foreign_keys)
    for group in tied:
        members = [
            (place, column) for place in sorted(group) for column in _columns_of(source, place)
        ]
        _refuse_nulled_parents(search, source.foreign_keys, members, assigned)
        said: dict[tuple[object, ...], tuple[Place, ColumnRule]] = {}
        for place, column in members:
            rule = assigned.get(column)
            # NULL refers to nothing, and so needs nothing of the other end.
            if rule is not None and rule.strategy != "null":
                said.setdefault(rule.sameness, (place, rule))
        if len(said) > 1:
            ends = " and ".join(
                f"{'.'.join(place)} ({rule.strategy}, by {rule.pattern.text})"
                for place, rule in said.values()
            )
            search.add(
                "foreign_key.contradiction",
                Severity.ERROR,
                f"Foreign keys tie these columns together, and their rules differ: {ends}.",
                "Give them the same strategy, options and domain, or a rule to one of them only: "
                "the others get it by themselves.",
            )
        elif said:
            [(origin, rule)] = said.values()
            missing = [(place, column) for place, column in members if column not in assigned]
            carried |= {column: rule for _, column in missing}
            for place in dict.fromkeys(place for place, _ in missing):
                search.add(
                    "foreign_key.carried_on",
                    Severity.INFO,
                    f"{'.'.join(place)} is anonymized by {rule.strategy} as well: a foreign key "
                    f"ties it to {'.'.join(origin)}.",
                )
    return carried


def _refuse_nulled_parents(
    search: _Search,
    keys: Iterable[ForeignKeyOf],
    members: Iterable[tuple[Place, Column]],
    assigned: Mapping[Column, ColumnRule],
) -> None:
    referenced = {(*key.parent, name) for key in keys for name in key.referenced}
    for place, column in members:
        rule = assigned.get(column)
        if place in referenced and rule is not None and rule.strategy == "null":
            search.add(
                "foreign_key.nulled",
                Severity.ERROR,
                f"{'.'.join(place)} becomes NULL, and rows of other tables refer to it.",
                "Anonymize it by a strategy that keeps values apart, such as hash.",
            )


def _columns_of(source: SourceCatalog, place: Place) -> Iterator[Column]:
    schema, table, name = place
    for each in source.under((schema, table)):
        yield each.column(name).column


def _tied_columns(keys: Iterable[ForeignKeyOf]) -> list[set[Place]]:
    """Columns that foreign keys make equal, however long the way between them is."""
    neighbours: dict[Place, set[Place]] = defaultdict(set)
    for key in keys:
        for own, other in zip(key.columns, key.referenced, strict=True):
            one, two = (*key.table, own), (*key.parent, other)
            neighbours[one].add(two)
            neighbours[two].add(one)
    groups: list[set[Place]] = []
    seen: set[Place] = set()
    for start in sorted(neighbours):
        if start in seen:
            continue
        group, waiting = {start}, [start]
        while waiting:
            for place in neighbours[waiting.pop()] - group:
                group.add(place)
                waiting.append(place)
        seen |= group
        groups.append(group)
    return groups
