"""Document -> Markdown, for Prefect artifacts and pull requests."""

from __future__ import annotations

import re
from textwrap import wrap
from typing import TYPE_CHECKING

from confiture_flows.report.document import Block, Code, Document, Facts, Paragraph, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH = 96  # characters of a table that a page shows in a window of 1300 pixels
_MARGIN = 4  # of them, around each cell
_NARROWEST = 14  # of a cell that is folded
_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~&$])")
_LINE_END = re.compile(r"\s*[\r\n]\s*")
# At the start of a line these would make a list item or a rule.
_LEADING = re.compile(r"^(\d*)([-+.)])(?=[\s-]|$)")


def escape(text: str) -> str:
    """Text that Markdown shows as it is, in a paragraph or a table cell."""
    line = _LINE_END.sub(" ", text.strip())
    return _LEADING.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", line))


def render_markdown(document: Document, *, titled: bool = True) -> str:
    """Render a document as GitHub-flavoured Markdown.

    Args:
        document: What to render.
        titled: Whether its title comes first; not where the page around it says the same.
    """
    blocks = (_block(block, heads=heads) for block, heads in document.with_headings())
    parts = [*([f"# {escape(document.title)}"] if titled else []), *blocks]
    return "\n\n".join(parts) + "\n"


def _block(block: Block, *, heads: bool) -> str:
    match block:
        case Paragraph(text) if heads:
            return f"## {escape(text.removesuffix(':'))}"
        case Paragraph(text, "good" | "bad"):
            return f"**{escape(text)}**"
        case Paragraph(text):
            return escape(text)
        case Table(_, (), empty):
            return f"*{escape(empty)}*"
        case Table(columns, rows):
            lines = [_row(columns), _row(("---",) * len(columns), raw=True)]
            width = _widest((columns, *rows))
            return "\n".join([*lines, *(_row(row, width=width) for row in rows)])
        case Facts(pairs):
            return "\n".join(f"- **{escape(name)}:** {escape(value)}" for name, value in pairs)
        case Code(text, language):
            longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
            fence = "`" * max(3, longest + 1)
            return f"{fence}{language}\n{text}\n{fence}"


def _row(cells: tuple[str, ...], *, raw: bool = False, width: int = 0) -> str:
    shown = cells if raw else tuple(_cell(cell, width) for cell in cells)
    return "| " + " | ".join(shown) + " |"


def _cell(text: str, width: int) -> str:
    """Escaped, and folded where it is wider; a folded line begins with nothing to escape."""
    if not width or len(text) <= width:
        return escape(text)
    lines = wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return "<br>".join(escape(line) for line in lines)


def _widest(rows: Sequence[tuple[str, ...]]) -> int:
    """How wide a cell may be, in characters, so that all columns fit; 0 when they all do.

    Prefect's pages fold no cell: what is wide pushes the columns after it out of sight.
    """
    columns = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    left = _WIDTH - _MARGIN * len(columns)
    for number, width in enumerate(sorted(columns)):
        share = left // (len(columns) - number)
        if width > share:
            return max(share, _NARROWEST)
        left -= width
    return 0
