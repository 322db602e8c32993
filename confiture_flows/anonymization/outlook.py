"""A plan -> what it says to people and machines: no value of any row. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_flows.anonymization.plan import TO_PASTE
from confiture_flows.report.document import Code, Document, Paragraph, Table
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from confiture_flows.anonymization.plan import CopyPlan, PlannedTable
    from confiture_flows.report.document import Block


def plan_document(
    plan: CopyPlan,
    source: str,
    target: str,
    *,
    gate: Severity = Severity.ERROR,
    findings: bool = True,
) -> Document:
    """What is going to be copied, and what becomes of it.

    Args:
        plan: The plan.
        source: What the source is called.
        target: What the target is called.
        gate: The severity at which findings stop it.
        findings: Whether they are in it; a command line shows them by itself.
    """
    blocks: list[Block] = [_verdict(plan, gate)]
    blocks.append(
        Table(
            ("Table", "Rows, about", "Copied", "Anonymized"),
            tuple(
                (str(each), f"{each.rows:,}", _what_of(each), _masked(each)) for each in plan.tables
            ),
            "There is no table to copy.",
        )
    )
    if plan.left_out:
        blocks.append(Table(("Not copied",), tuple((each,) for each in plan.left_out)))
    if findings and plan.findings:
        blocks.append(
            Table(
                ("Severity", "Finding", "Next step", "Code"),
                tuple(
                    (each.severity.label, each.message, each.next_step or "", each.code)
                    for each in plan.findings
                ),
            )
        )
    if proposed := _proposed(plan):
        blocks += [Paragraph("Rules to look at, for [anonymization.columns]:"), proposed]
    return Document(f"Anonymized copy of {source} to {target}", tuple(blocks))


def plan_json(plan: CopyPlan) -> dict[str, Any]:
    """The plan for machines."""
    return {
        "tables": [
            {
                "table": str(each),
                "rows": each.rows,
                "bytes": each.size,
                "copied": _what_of(each),
                "columns": [
                    {
                        "column": one.column.name,
                        "type": one.column.type,
                        "strategy": one.rule.strategy if one.rule else None,
                        "domain": one.rule.domain if one.rule else None,
                        "rule": one.rule.pattern.text if one.rule else None,
                    }
                    for one in each.columns
                ],
            }
            for each in plan.tables
        ],
        "left_out": list(plan.left_out),
    }


def _verdict(plan: CopyPlan, gate: Severity) -> Paragraph:
    stops = sum(each.severity >= gate for each in plan.findings)
    if stops:
        said = "1 finding stops" if stops == 1 else f"{stops} findings stop"
        return Paragraph(f"{said} this copy. Nothing was copied.", "bad")
    copied = [each for each in plan.tables if each.copied]
    columns = sum(len(each.masked) for each in copied)
    warnings = sum(each.severity is Severity.WARNING for each in plan.findings)
    tables = "1 table" if len(copied) == 1 else f"{len(copied)} tables"
    said = f"{tables}, about {sum(each.rows for each in copied):,} rows"
    more = f"; {warnings} warning{'s' if warnings > 1 else ''}" if warnings else ""
    masked = "1 column is" if columns == 1 else f"{columns} columns are"
    return Paragraph(f"{said}; {masked} anonymized{more}.", "good")


def _what_of(table: PlannedTable) -> str:
    if not table.copied:
        return "no rows"
    if table.keys is not None:
        return "subset"
    return "some rows" if table.where else "all rows"


def _masked(table: PlannedTable) -> str:
    return ", ".join(
        f"{each.column.name} by {each.rule.strategy}" for each in table.masked if each.rule
    )


def _proposed(plan: CopyPlan) -> Code | None:
    lines = [each.next_step for each in plan.findings if each.code in TO_PASTE and each.next_step]
    return Code("\n".join(lines), "toml") if lines else None
