"""CatalogRule: a demand on a live database, as one query of its catalog."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from confiture_flows.lint import catalog_rules
from confiture_flows.lint._modules import rules_in

if TYPE_CHECKING:
    from confiture_flows.report.finding import Severity


@dataclass(frozen=True, slots=True)
class CatalogRule:
    """A demand on what is in a database.

    Attributes:
        code: Such as "CFD1".
        name: Such as "index.no_invalid_index".
        severity: Of its findings.
        query: Gives a row for each object that is wrong: what is true, and what to do; None for
            what no query can tell.
        doc: The module's docstring, which says why.
    """

    code: str
    name: str
    severity: Severity
    query: str | None
    doc: str | None
    category: ClassVar[str] = "database"
    fixable: ClassVar[bool] = False
    on_by_default: ClassVar[bool] = True

    @property
    def page(self) -> str:
        """Its page, in Markdown: its docstring, and the query that asks."""
        doc = (self.doc or "").strip()
        if self.query is None:
            return f"{doc}\n\nTold by `lint --live TARGET`.\n"
        asked = "Asked by `lint --live TARGET --catalog`"
        return f"{doc}\n\n{asked}:\n\n```sql\n{self.query.strip()}\n```\n"

    @property
    def title(self) -> str:
        """The first line of its docstring, without the full stop."""
        return (self.doc or "").strip().partition("\n")[0].rstrip(".")


@cache
def all_catalog_rules() -> tuple[CatalogRule, ...]:
    """The catalog rules, by code."""
    return rules_in(catalog_rules)
