"""A part of the report: its tables, its figures, and its place on a page. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confiture_flows.report.markdown import render_markdown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confiture_flows.report.document import Document


@dataclass(frozen=True, slots=True)
class Section:
    """What one part of the benchmarks found.

    Attributes:
        name: By which it is chosen, and found on a page.
        documents: For people.
        figures: For programs: every round of every candidate.
        ratios: What the README says, by the names that it uses.
    """

    name: str
    documents: tuple[Document, ...]
    figures: Mapping[str, Any]
    ratios: Mapping[str, float] = field(default_factory=dict)


def put_between_markers(page: str, name: str, body: str) -> str:
    """The page with its generated part of that name made anew.

    Raises:
        ValueError: The page has no such part.
    """
    begin, end = f"<!-- {name}: generated from here -->", f"<!-- {name}: to here -->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"The page lacks {begin} or {end}.")
    return f"{before}{begin}\n\n{body.strip()}\n\n{end}{after}"


def body_of(section: Section) -> str:
    """Its tables as they stand on a page, below a heading of the page's own."""
    return "\n".join("#" + render_markdown(document) for document in section.documents)
