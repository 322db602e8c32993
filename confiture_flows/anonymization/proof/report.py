"""What a proof looked at and found: a value, and the same as a document and as JSON. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from confiture_flows.report.document import Block, Document, Facts, Paragraph, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confiture_flows.anonymization.rules import Pattern

Verdict = Literal["passed", "failed", "remark", "not looked at"]
ProofMode = Literal["full", "quick", "off"]
OnLeak = Literal["keep", "drop"]

_SHOWN = ("failed", "not looked at", "remark")
_NAMED = 20


@dataclass(frozen=True, slots=True)
class ProofOptions:
    """What is proven.

    Attributes:
        mode: Everything, a sample, or nothing.
        on_leak: Whether a copy that leaks is kept aside or dropped.
        quasi_identifiers: Columns by table that together must not single anybody out.
        k: How many rows have to share them.
        accept: Columns of which leaks are told as remarks.
    """

    mode: ProofMode = "full"
    on_leak: OnLeak = "keep"
    quasi_identifiers: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    k: int = 5
    accept: tuple[Pattern, ...] = ()


@dataclass(frozen=True, slots=True)
class LeakCheck:
    """One thing that was looked at.

    Attributes:
        code: Stable, such as "column.kept".
        verdict: A failure stops the copy; a remark is for people.
        table: With its schema.
        column: Empty where it is about the table.
        said: What was found, in counts; never a value.
    """

    code: str
    verdict: Verdict
    table: str
    column: str
    said: str

    @property
    def where(self) -> str:
        """The column or the table."""
        return f"{self.table}.{self.column}" if self.column else self.table


@dataclass(frozen=True, slots=True)
class LeakReport:
    """What was proven of a copy.

    Attributes:
        mode: How much was looked at.
        checks: In the order of the plan.
        seconds: How long it took.
    """

    mode: ProofMode
    checks: tuple[LeakCheck, ...]
    seconds: float = 0.0

    @property
    def failed(self) -> tuple[LeakCheck, ...]:
        """The checks for which the copy must not be used."""
        return self._of("failed")

    @property
    def verdict(self) -> Verdict:
        """Of the whole; a check that was not made proves nothing, and fails nothing."""
        if self.failed:
            return "failed"
        return "passed" if self._of("passed") else "not looked at"

    def message(self) -> str:
        """What failed, for an error."""
        failed = self.failed
        lines = [f"\n- {each.where}: {each.said} [{each.code}]" for each in failed[:_NAMED]]
        if len(failed) > _NAMED:
            lines.append(f"\n- and {len(failed) - _NAMED} more")
        return (
            f"The proof of the copy found {len(failed)} "
            f"{'leak or mistake' if len(failed) == 1 else 'leaks or mistakes'}; the target is as "
            "it was." + "".join(lines)
        )

    def blocks(self) -> tuple[Block, ...]:
        """The report as a part of another one."""
        counts = {each: len(self._of(each)) for each in ("passed", *_SHOWN)}
        tone = {"failed": "bad", "passed": "good"}.get(self.verdict, "plain")
        rows = tuple(
            (verdict, each.where, each.said) for verdict in _SHOWN for each in self._of(verdict)
        )
        facts = tuple((name.capitalize(), str(count)) for name, count in counts.items())
        blocks: list[Block] = [
            Paragraph(f"Leak proof ({self.mode}): {self.verdict}.", tone),
            Facts((*facts, ("Seconds of the proof", f"{self.seconds:.1f}"))),
        ]
        if rows:
            blocks.append(Table(("Verdict", "Where", "What"), rows))
        return tuple(blocks)

    def document(self) -> Document:
        """The report to be rendered."""
        return Document("Leak proof", self.blocks())

    def json(self) -> dict[str, Any]:
        """The report for machines."""
        return {
            "mode": self.mode,
            "verdict": self.verdict,
            "seconds": round(self.seconds, 3),
            "checks": [
                {
                    "code": each.code,
                    "verdict": each.verdict,
                    "table": each.table,
                    "column": each.column or None,
                    "said": each.said,
                }
                for each in self.checks
            ],
        }

    def _of(self, verdict: Verdict) -> tuple[LeakCheck, ...]:
        return tuple(each for each in self.checks if each.verdict == verdict)
