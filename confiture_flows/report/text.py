"""Document and findings -> lines on a terminal, by rich."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from confiture_flows.errors import ConfitureFlowsError
from confiture_flows.report.document import Block, Code, Document, Facts, Paragraph, Table
from confiture_flows.report.finding import Finding, Severity

if TYPE_CHECKING:
    from rich.console import Console

_TONES = {"plain": "", "good": "green", "bad": "bold red", "muted": "dim"}
_SEVERITIES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}

_READABLE = 16  # characters that a cell should have at least, before it is folded
_DIFF_STYLES = {"-": "red", "+": "green"}


def print_document(console: Console, document: Document) -> None:
    """Print a document."""
    _line(console, document.title, "bold")
    for block in document.blocks:
        _print_block(console, block)


def print_findings(console: Console, findings: tuple[Finding, ...]) -> None:
    """Print findings, each with its place and what to do."""
    from rich.text import Text

    for finding, following in zip(findings, (*findings[1:], None), strict=False):
        line = Text(f"{finding.severity.label}: ", style=_SEVERITIES[finding.severity])
        line.append(finding.message, style="default")
        line.append(f" [{finding.code}]", style="dim")
        console.print(line, highlight=False)
        if finding.location:
            _whole(console, f"  at {finding.location}", "dim")
        # Said once where many findings in a row call for the same.
        if finding.next_step and (following is None or following.next_step != finding.next_step):
            _line(console, f"  {finding.next_step}")
        if finding.diff:
            _print_diff(console, finding.diff)


def print_error(console: Console, error: BaseException) -> None:
    """Print what ended a command: what is true, where, what to do next."""
    if isinstance(error, KeyboardInterrupt):
        _line(console, "Interrupted.", "bold red")
        return
    if not isinstance(error, ConfitureFlowsError):
        _line(console, f"{type(error).__name__}: {error}", "bold red")
        return
    _line(console, f"Error: {error.message}", "bold red")
    if error.file:
        place = f"{error.file}:{error.line}" if error.line else str(error.file)
        _whole(console, f"  at {place}", "dim")
    if error.excerpt:
        _whole(console, f"  {error.excerpt}")
    if error.next_step:
        _line(console, error.next_step)


def _print_diff(console: Console, diff: str) -> None:
    for line in diff.split("\n"):
        tone = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        _whole(console, f"    {line}", tone)


def _line(console: Console, text: str, style: str = "") -> None:
    from rich.text import Text

    console.print(Text(text), style=style)  # a Text has no markup, no emoji, no highlighting


def _whole(console: Console, text: str, style: str = "") -> None:
    """A line to copy: where it is too long the terminal folds it, and knows that it is one."""
    from rich.text import Text

    console.print(Text(text), style=style, soft_wrap=True)


def _print_block(console: Console, block: Block) -> None:
    match block:
        case Paragraph(text, tone):
            _line(console, text, _TONES[tone])
        case Table(_, (), empty):
            _line(console, empty, "dim")
        case Table(columns, rows):
            _print_table(console, columns, rows)
        case Facts(pairs):
            width = max((len(name) for name, _ in pairs), default=0)
            for name, value in pairs:
                _whole(console, f"{name:<{width}}  {value}")
        case Code(text, "diff"):
            for line in text.splitlines():
                _whole(console, line, _DIFF_STYLES.get(line[:1], ""))
        case Code(text):
            _whole(console, textwrap.indent(text, "  "), "bold")


def _print_table(
    console: Console, columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]
) -> None:
    if console.soft_wrap:
        _print_columns(console, columns, rows)
        return
    if _is_too_wide(console.width, columns, rows):
        _print_rows(console, columns, rows)
        return
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


def _is_too_wide(width: int, columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> bool:
    """Whether cells would be folded to a few characters each."""
    longest = (
        max(len(line) for cell in column for line in cell.split("\n"))
        for column in zip(columns, *rows, strict=True)
    )
    return sum(min(each, _READABLE) + 3 for each in longest) - 3 > width


def _print_rows(
    console: Console, columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]
) -> None:
    """The same where the terminal is narrow: a line a cell, headed by the first of the row."""
    names = max(map(len, columns[1:]), default=0)
    for row in rows:
        console.print()
        _line(console, f" {row[0]}")
        for name, cell in zip(columns[1:], row[1:], strict=True):
            if cell:
                _hanging(console, f"   {name:<{names}}  ", cell)
    console.print()


def _hanging(console: Console, head: str, text: str) -> None:
    """A heading, and beside it a text that stays there when it is wrapped."""
    room = max(console.width, len(head) + _READABLE)
    for line in textwrap.wrap(text, room - len(head)) or [""]:
        _line(console, head + line)
        head = " " * len(head)


def _print_columns(
    console: Console, columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]
) -> None:
    """The same in a pipe: rich would fold cells to 80 columns, and takes 3 ms a row."""
    from rich.cells import cell_len

    # A cell is one line here: what reads a pipe reads line by line.
    lines = [tuple(" ".join(cell.split("\n")) for cell in row) for row in (columns, *rows)]
    lengths = [tuple(map(cell_len, line)) for line in lines]
    widths = [max(column) for column in zip(*lengths, strict=True)]
    texts = [
        " "
        + "   ".join(
            cell + " " * (width - length)
            for cell, width, length in zip(line, widths, each, strict=True)
        ).rstrip()
        for line, each in zip(lines, lengths, strict=True)
    ]
    rule = " " + "─" * (sum(widths) + 3 * (len(widths) - 1))
    console.file.write("\n".join(("", texts[0], rule, *texts[1:], "", "")))
