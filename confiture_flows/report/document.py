"""Document: what a report says, apart from how it is rendered. Pure values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; `tone` is "plain", "good", "bad" or "muted"."""

    text: str
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under column names, with a sentence for when there are none."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str = "Nothing to show."


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, one a line."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Something to read or type as it stands."""

    text: str
    language: str = ""


Block = Paragraph | Table | Facts | Code


@dataclass(frozen=True, slots=True)
class Document:
    """A title and blocks in order."""

    title: str
    blocks: tuple[Block, ...] = ()

    def with_headings(self) -> tuple[tuple[Block, bool], ...]:
        """The blocks, each with whether it is the heading of the table or code that follows it."""
        following = (*self.blocks[1:], None)
        return tuple(
            (block, _is_heading(block, after))
            for block, after in zip(self.blocks, following, strict=False)
        )


def _is_heading(block: Block, after: Block | None) -> bool:
    match block:
        case Paragraph(text, "plain"):
            return isinstance(after, Table | Code) and not text.endswith(".")
    return False
