"""Rules of tables + SourceCatalog -> which rows of each table are copied, as SQL conditions.

A row whose foreign key refers to a row that is left out is left out as well, or the copy's foreign
keys would not hold; that is carried from table to table and told. A sample is a hash of the primary
key, so that it is the same rows each time; of a table without one, a hash of where the row lies,
which changes when the row is written again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confiture_flows.anonymization.ordering import groups_in_order
from confiture_flows.report.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from psycopg import Connection

    from confiture_flows.anonymization.ordering import Family
    from confiture_flows.anonymization.rules import ColumnRule, Rules, TableRule
    from confiture_flows.anonymization.source import ForeignKeyOf, SourceCatalog, SourceTable
    from confiture_flows.anonymization.strategy import Column

_HASHES = 1 << 31


@dataclass(slots=True)
class Selection:
    """Which rows are copied.

    Attributes:
        where: SQL conditions by table, which are all to be met; a table without any is whole.
        empty: Tables of which no row is copied.
        findings: What is wrong, and what else is left out.
    """

    where: dict[SourceTable, tuple[str, ...]] = field(default_factory=dict)
    empty: set[SourceTable] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    def narrows(self, table: SourceTable) -> bool:
        """Whether some of its rows are left out."""
        return table in self.empty or bool(self.where.get(table))


def select_rows(
    conn: Connection,
    rules: Rules,
    source: SourceCatalog,
    assigned: Mapping[Column, ColumnRule],
    within_subset: frozenset[Family] = frozenset(),
) -> Selection:
    """Which rows of each table are copied.

    Args:
        conn: The source; conditions are tried on it, without reading rows.
        rules: What the configuration says.
        source: What there is.
        assigned: What becomes of columns: one that becomes NULL refers to nothing.
        within_subset: Tables whose rows a subset decides on, and which are closed by it.
    """
    selection = Selection()
    for table in source.tables:
        if rules.only is not None and not any(
            each.matches(*name) for each in rules.only for name in table.names
        ):
            selection.empty.add(table)
        rule = table_rule(rules, table, selection.findings)
        if rule is None:
            continue
        if not rule.rows:
            selection.empty.add(table)
        conditions = _own_conditions(conn, rule, table, selection.findings)
        if conditions:
            selection.where[table] = conditions
    _carry_on(selection, source, assigned, within_subset)
    return selection


def table_rule(rules: Rules, table: SourceTable, findings: list[Finding]) -> TableRule | None:
    """The most specific rule of a table."""
    fitting = sorted(
        (
            (rule.pattern.rank, above, rule)
            for above, name in enumerate(table.names)
            for rule in rules.tables
            if rule.pattern.matches(*name)
        ),
        key=lambda each: each[:2],
    )
    if len(fitting) > 1 and fitting[0][:2] == fitting[1][:2]:
        findings.append(
            Finding(
                "rule.ambiguous",
                Severity.ERROR,
                f"Two rules name {table}: {fitting[0][2].pattern.text} and "
                f"{fitting[1][2].pattern.text}, neither more precisely.",
                f"Add a rule for {table} itself.",
            )
        )
    return fitting[0][2] if fitting else None


def _own_conditions(
    conn: Connection, rule: TableRule, table: SourceTable, findings: list[Finding]
) -> tuple[str, ...]:
    conditions: list[str] = []
    if rule.where:
        if refused := refusal(conn, table, rule.where):
            findings.append(
                Finding(
                    "rule.wrong_condition",
                    Severity.ERROR,
                    f"The source refuses the condition `where` of {table}: {refused}.",
                    "It is what stands behind WHERE in a query of that table alone.",
                )
            )
        else:
            conditions.append(f"({rule.where}\n)")  # a comment at its end must not swallow more
    if rule.sample is not None and rule.sample < 1:
        conditions.append(_sample(rule.sample, table.row_key))
        if not table.row_key:
            findings.append(
                Finding(
                    "sample.by_place",
                    Severity.INFO,
                    f"{table} has no primary key: its sample is the same rows only until they "
                    "are written again.",
                )
            )
    return tuple(conditions)


def refusal(conn: Connection, table: SourceTable, condition: str) -> str | None:
    """What PostgreSQL says against a condition on the rows of a table."""
    import psycopg

    query = f"EXPLAIN SELECT FROM ONLY {quoted(table.schema, table.name)} WHERE ({condition}\n)"
    try:
        with conn.transaction():
            conn.execute(query.encode())
    except psycopg.Error as error:
        return error.diag.message_primary or str(error)
    return None


def _sample(share: float, key: tuple[str, ...]) -> str:
    row = " || '/' || ".join(f"{quoted(name)}::text" for name in key) or "ctid::text"
    # The lowest bits of a hash, as a number below 2**31.
    chosen = f"pg_catalog.hashtextextended({row}, 0) & {_HASHES - 1}"
    return f"({chosen}) < {round(share * _HASHES)}"


def _carry_on(
    selection: Selection,
    source: SourceCatalog,
    assigned: Mapping[Column, ColumnRule],
    within_subset: frozenset[Family],
) -> None:
    for group in groups_in_order(source):
        for family in group:
            for key in source.foreign_keys:
                for table in source.under(key.table):
                    if table.family == family and not _becomes_null(table, key, assigned):
                        _follow(selection, source, table, key, group, within_subset)


def _becomes_null(
    table: SourceTable, key: ForeignKeyOf, assigned: Mapping[Column, ColumnRule]
) -> bool:
    rules = (assigned.get(table.column(name).column) for name in key.columns)
    return any(rule is not None and rule.strategy == "null" for rule in rules)


def _follow(
    selection: Selection,
    source: SourceCatalog,
    table: SourceTable,
    key: ForeignKeyOf,
    group: tuple[Family, ...],
    within_subset: frozenset[Family],
) -> None:
    """Leave out the rows of a table that refer to rows which are left out."""
    parents = source.under(key.parent)
    narrowed = [each for each in parents if selection.narrows(each)]
    if not narrowed or table in selection.empty:
        return
    if table.family in within_subset:
        if any(each in selection.empty for each in parents):
            selection.findings.append(_cut_out_of_subset(table, key))
        return  # a subset takes the rows that others refer to, whatever `where` says of them
    if any(each.family in group for each in narrowed):
        selection.findings.append(_circle(table, key))
        return
    selection.where[table] = (*selection.where.get(table, ()), _refers(selection, key, parents))
    selection.findings.append(
        Finding(
            "rows.left_out_too",
            Severity.INFO,
            f"Rows of {table} whose {', '.join(key.columns)} refers to rows of "
            f"{'.'.join(key.parent)} that are left out are left out as well.",
        )
    )


def _refers(selection: Selection, key: ForeignKeyOf, parents: Iterable[SourceTable]) -> str:
    own = ", ".join(map(quoted, key.columns))
    there = [f"{quoted(name)} IS NULL" for name in key.columns]
    for parent in parents:
        if parent in selection.empty:
            continue
        conditions = " AND ".join(selection.where.get(parent, ("true",)))
        there.append(
            f"({own}) IN (SELECT {', '.join(map(quoted, key.referenced))}"  # noqa: S608
            f" FROM ONLY {quoted(parent.schema, parent.name)} WHERE {conditions})"
        )
    return "(" + " OR ".join(there) + ")"


def _circle(table: SourceTable, key: ForeignKeyOf) -> Finding:
    return Finding(
        "rows.circle",
        Severity.ERROR,
        f"{key} refers in a circle to {'.'.join(key.parent)}, of which rows are left out: which "
        f"rows of {table} may stay cannot be said by a condition.",
        "Name seed rows in anonymization.subset instead, which follows circles; or give "
        f"{', '.join(key.columns)} the strategy null.",
    )


def _cut_out_of_subset(table: SourceTable, key: ForeignKeyOf) -> Finding:
    return Finding(
        "subset.parent_left_out",
        Severity.ERROR,
        f"{key} needs rows of {'.'.join(key.parent)}, of which none are copied.",
        f"Let its rows be copied, leave those of {table} out too, or give "
        f"{', '.join(key.columns)} the strategy null.",
    )


def quoted(*names: str) -> str:
    """A name as SQL takes it."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)
