"""CopyPlan: what an anonymized copy is going to do, decided before a byte moves. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_flows.errors import ConfigError, GateError
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.anonymization.rules import ColumnRule
    from confiture_flows.anonymization.strategy import Column
    from confiture_flows.report.finding import Finding

# Findings whose next step is a rule.
TO_PASTE = ("personal.no_rule", "column.unlisted")


@dataclass(frozen=True, slots=True)
class PlannedColumn:
    """A column of a table that is copied.

    Attributes:
        column: What it is in the source.
        rule: What becomes of its values; None copies them as they are.
        written: Whether the copy writes it; generated columns the target computes itself.
        always_identity: Whether it is GENERATED ALWAYS AS IDENTITY.
    """

    column: Column
    rule: ColumnRule | None = None
    written: bool = True
    always_identity: bool = False

    @property
    def masked(self) -> bool:
        """Whether a strategy changes its values."""
        return self.rule is not None and self.rule.strategy != "keep"


@dataclass(frozen=True, slots=True)
class PlannedTable:
    """A table that is copied; of a partitioned table, each partition that holds rows.

    Attributes:
        schema: Its schema.
        name: Its name.
        columns: All, in the table's order.
        copied: Whether its rows are copied; the empty table always is there.
        where: SQL conditions that its rows have to meet, with the sample's among them.
        keys: A file in COPY's text format with the primary keys of the rows to copy; None is all.
        primary_key: The names of the key's columns; empty without one.
        rows: About how many it has.
        size: Its bytes on disk, without indexes.
    """

    schema: str
    name: str
    columns: tuple[PlannedColumn, ...]
    copied: bool = True
    where: tuple[str, ...] = ()
    keys: Path | None = None
    primary_key: tuple[str, ...] = ()
    rows: int = 0
    size: int = 0

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def masked(self) -> tuple[PlannedColumn, ...]:
        """The columns whose values change."""
        return tuple(each for each in self.columns if each.masked)


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """What is copied, and how.

    Attributes:
        tables: Those whose rows others refer to come first.
        left_out: What is not copied, in words: large objects, foreign tables, ...
        findings: What a person should know; an error among them refuses the copy.
    """

    tables: tuple[PlannedTable, ...]
    left_out: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings for which it must not be carried out."""
        return tuple(each for each in self.findings if each.severity is Severity.ERROR)


def stop_if_refused(plan: CopyPlan, gate: Severity = Severity.ERROR) -> None:
    """Raise what refuses a copy, all of it at once.

    Args:
        plan: The plan.
        gate: The severity at which findings stop the run.

    Raises:
        GateError: Findings reach the gate: columns have no rule, and one is wanted for all of
            them; or what would only be a warning elsewhere.
        ConfigError: The rules do not fit the source.
    """
    errors = plan.errors
    wrong = [each for each in errors if each.code != "column.unlisted"]
    if wrong:
        raise _mistakes(wrong, len(errors) - len(wrong))
    found = [each for each in plan.findings if each.severity >= gate]
    if not found:
        return
    pasted = [each.next_step for each in found if each.code in TO_PASTE and each.next_step]
    raise GateError(
        f"{len(found)} findings stop the copy; nothing was copied."
        + "".join(f"\n- {each.message}" for each in found),
        next_step="Add to [anonymization.columns], after a look at each:\n" + "\n".join(pasted)
        if pasted
        else "Mend them in [anonymization], or raise fail_on.",
    )


def _mistakes(wrong: list[Finding], unlisted: int) -> ConfigError:
    if len(wrong) == 1 and not unlisted:
        return ConfigError(f"{wrong[0].message} Nothing was copied.", next_step=wrong[0].next_step)
    more = f"\n- {unlisted} columns have no rule" if unlisted else ""
    return ConfigError(
        f"{len(wrong)} mistakes in what is to be anonymized; nothing was copied."
        + "".join(f"\n- {each.message}" for each in wrong)
        + more,
        next_step="Mend them in [anonymization]; --dry-run looks again without copying.",
    )
