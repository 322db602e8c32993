"""HistoryRule: a demand on a directory of migrations, and on what a ledger says of it.

What is wrong, `migrations/validate` finds, as for `status` and `migrate`; linting gives it a code,
a severity of the project's choice, and the formats of CI systems. Gaps in the numbers it finds
itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from confiture_flows.lint import history_rules
from confiture_flows.lint._modules import rules_in

if TYPE_CHECKING:
    from confiture_flows.report.finding import Severity


@dataclass(frozen=True, slots=True)
class HistoryRule:
    """A demand on the order and the sameness of migrations.

    Attributes:
        code: Such as "CF8A".
        name: Such as "state.edited_after_apply".
        severity: At its worst.
        finding: The code of what validation finds, such as "history.edited".
        doc: The module's docstring, which is its page.
        ledger: Whether only a ledger tells.
    """

    code: str
    name: str
    severity: Severity
    finding: str
    doc: str | None
    ledger: bool = True
    category: ClassVar[str] = "state"
    fixable: ClassVar[bool] = False
    on_by_default: ClassVar[bool] = True

    @property
    def title(self) -> str:
        """The first line of its page, without the full stop."""
        return (self.doc or "").strip().partition("\n")[0].rstrip(".")

    @property
    def page(self) -> str:
        """Its page, in Markdown."""
        told = "by `lint --live TARGET`" if self.ledger else "by `lint`"
        return f"{(self.doc or '').strip()}\n\nTold {told}.\n"


@cache
def all_history_rules() -> tuple[HistoryRule, ...]:
    """The history rules, by code."""
    return rules_in(history_rules)
