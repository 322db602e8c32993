"""The files of docs/adr -> a list of them."""

from __future__ import annotations

from pathlib import Path

ADR = Path(__file__).parents[2] / "docs" / "adr"


def list_of_decisions(_arguments: list[str]) -> str:
    """A row a decision, in the order of their numbers."""
    rows = ["| number | decision |", "|---|---|"]
    for page in sorted(ADR.glob("0*.md")):
        heading = page.read_text(encoding="utf-8").partition("\n")[0]
        title = heading.removeprefix("# ").lstrip("0123456789").lstrip(".: ")
        rows.append(f"| [{page.name[:4]}]({page.name}) | {title} |")
    return "\n".join(rows)
