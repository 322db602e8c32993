"""Document -> Markdown, for Prefect artifacts and pull requests."""

from __future__ import annotations

import re

from confiture_flows.report.document import Block, Code, Document, Facts, Paragraph, Table

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~&$])")
_LINE_END = re.compile(r"\s*[\r\n]\s*")
# At the start of a line these would make a list item or a rule.
_LEADING = re.compile(r"^(\d*)([-+.)])(?=[\s-]|$)")


def escape(text: str) -> str:
    """Text that Markdown shows as it is, in a paragraph or a table cell."""
    line = _LINE_END.sub(" ", text.strip())
    return _LEADING.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", line))


def render_markdown(document: Document) -> str:
    """Render a document as GitHub-flavoured Markdown."""
    blocks = (_block(block, heads=heads) for block, heads in document.with_headings())
    parts = [f"# {escape(document.title)}", *blocks]
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
            return "\n".join([*lines, *(_row(row) for row in rows)])
        case Facts(pairs):
            return "\n".join(f"- **{escape(name)}:** {escape(value)}" for name, value in pairs)
        case Code(text, language):
            longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
            fence = "`" * max(3, longest + 1)
            return f"{fence}{language}\n{text}\n{fence}"


def _row(cells: tuple[str, ...], *, raw: bool = False) -> str:
    return "| " + " | ".join(cell if raw else escape(cell) for cell in cells) + " |"
