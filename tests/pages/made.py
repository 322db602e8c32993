"""Pages of docs/ -> the same pages, with what is made from the code brought up to date.

What is made stands between `<!-- made: KIND ARGUMENTS -->` and `<!-- made: end -->`, and all else
on the page is written by hand. `python -m tests.pages` writes; a test only compares.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.pages.commands import every_option
from tests.pages.decisions import list_of_decisions
from tests.pages.error_classes import table_of_errors
from tests.pages.feature_tests import table_of_tests
from tests.pages.licences import table_of_licences
from tests.pages.reference import from_docstrings
from tests.pages.strategies import table_of_strategies

REPOSITORY = Path(__file__).parents[2]
MAKERS: dict[str, Callable[[list[str]], str]] = {
    "options": every_option,
    "decisions": list_of_decisions,
    "errors": table_of_errors,
    "licences": table_of_licences,
    "tests": table_of_tests,
    "docstrings": from_docstrings,
    "strategies": table_of_strategies,
}
_MADE = re.compile(r"(<!-- made: (\w+) ?([^>]*?) -->\n).*?(<!-- made: end -->)", re.DOTALL)


def pages() -> Iterator[Path]:
    """The pages that have something made on them."""
    for page in sorted((REPOSITORY / "docs").rglob("*.md")):
        if "<!-- made: " in page.read_text(encoding="utf-8"):
            yield page


def brought_up_to_date(page: Path) -> str:
    """What the page would say now."""

    def make(match: re.Match[str]) -> str:
        return f"{match[1]}\n{MAKERS[match[2]](match[3].split())}\n\n{match[4]}"

    return _MADE.sub(make, page.read_text(encoding="utf-8"))
