"""Document and findings -> lines on a terminal, by rich."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.errors import ConfitureFlowsError
from confiture_flows.report.document import Block, Code, Document, Facts, Paragraph, Table
from confiture_flows.report.finding import Finding, Severity

if TYPE_CHECKING:
    from rich.console import Console

_TONES = {"plain": "", "good": "green", "bad": "bold red", "muted": "dim"}
_SEVERITIES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def print_document(console: Console, document: Document) -> None:
    """Print a document."""
    console.print(document.title, style="bold", markup=False, highlight=False)
    for block in document.blocks:
        _print_block(console, block)


def print_findings(console: Console, findings: tuple[Finding, ...]) -> None:
    """Print findings, each with its place and what to do."""
    from rich.text import Text

    for finding in findings:
        line = Text(f"{finding.severity.label}: ", style=_SEVERITIES[finding.severity])
        line.append(finding.message, style="default")
        line.append(f" [{finding.code}]", style="dim")
        console.print(line, highlight=False)
        if finding.location:
            console.print(f"  at {finding.location}", style="dim", markup=False, highlight=False)
        if finding.next_step:
            console.print(f"  {finding.next_step}", markup=False, highlight=False)


def print_error(console: Console, error: BaseException) -> None:
    """Print what ended a command: what is true, where, what to do next."""
    if isinstance(error, KeyboardInterrupt):
        console.print("Interrupted.", style="bold red")
        return
    if not isinstance(error, ConfitureFlowsError):
        console.print(f"{type(error).__name__}: {error}", style="bold red", markup=False)
        return
    console.print(f"Error: {error.message}", style="bold red", markup=False, highlight=False)
    if error.file:
        place = f"{error.file}:{error.line}" if error.line else str(error.file)
        console.print(f"  at {place}", style="dim", markup=False, highlight=False)
    if error.excerpt:
        console.print(f"  {error.excerpt}", markup=False, highlight=False)
    if error.next_step:
        console.print(error.next_step, markup=False, highlight=False)


def _print_block(console: Console, block: Block) -> None:
    match block:
        case Paragraph(text, tone):
            console.print(text, style=_TONES[tone], markup=False, highlight=False)
        case Table(_, (), empty):
            console.print(empty, style="dim", markup=False, highlight=False)
        case Table(columns, rows):
            console.print(_table(columns, rows))
        case Facts(pairs):
            width = max((len(name) for name, _ in pairs), default=0)
            for name, value in pairs:
                console.print(f"{name:<{width}}  {value}", markup=False, highlight=False)
        case Code(text):
            console.print(f"  {text}", style="bold", markup=False, highlight=False)


def _table(columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> object:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
