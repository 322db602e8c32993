"""Directory (+ ledger rows) -> findings with codes about order, sameness and numbering. Pure.

What migrations/validate says of the same is what is told: linting adds gaps in the numbers, and
files that the layout can make nothing of, which would otherwise be left out in silence.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from confiture_flows.errors import MigrationFileError
from confiture_flows.lint.history_rule import all_history_rules
from confiture_flows.lint.noqa import read_noqa, silenced_by
from confiture_flows.lint.report import LintFinding
from confiture_flows.migrations.validate import disagreements
from confiture_flows.report.finding import Finding, Location, Severity
from confiture_flows.sql.source import read_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from confiture_flows.lint.history_rule import HistoryRule
    from confiture_flows.lint.rule import Rule
    from confiture_flows.lint.settings import LintSettings
    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.target import Target

_LONGEST_NUMBER = 7  # digits; what is longer is a time
_FEWEST = 3


def judge_history(
    directory: Directory,
    settings: LintSettings,
    *,
    rows: tuple[LedgerRow, ...] = (),
    target: Target | None = None,
    more: Iterable[Finding] = (),
    only: frozenset[str] | None = None,
) -> tuple[LintFinding, ...]:
    """What is wrong with the order, sameness and numbers of migrations.

    Args:
        directory: As discovered.
        settings: What the project says of the rules.
        rows: Of the target's ledger.
        target: Whose policy decides how bad a migration out of order is.
        more: What else validation has found with the help of a connection.
        only: Tell only of these versions; None is all.
    """
    found = [*directory.findings, *more, *version_gaps(directory, rows)]
    if target is not None:
        policy = target.out_of_order or ("refuse" if target.production else None)
        found += disagreements(directory, rows, out_of_order=policy)
    rules = _rules() if found else {}
    told: list[LintFinding] = []
    for each in found:
        rule = rules.get("file." if each.code.startswith("file.") else each.code)
        if rule is None or (only is not None and each.version not in only):
            continue
        severity = settings.severities.get(rule.code, each.severity)
        path = each.location.file if each.location else directory.path
        if severity is None or settings.excludes(path) or _is_silenced(path, rule):
            continue
        told.append(_finding(each, rule, severity, path))
    return tuple(told)


def _rules() -> dict[str, HistoryRule | Rule]:
    """The rules by the code of what they tell; those about files by the beginning of theirs."""
    from confiture_flows.lint.rules.unread_statement import RULES

    return {"file.": RULES[0], **{each.finding: each for each in all_history_rules()}}


def version_gaps(directory: Directory, rows: tuple[LedgerRow, ...] = ()) -> Iterator[Finding]:
    """The numbers that are missing where migrations are counted one by one.

    Args:
        directory: As discovered.
        rows: Of a ledger: what it has is not missing, but deleted.
    """
    counted = [each for each in directory.migrations if not each.repeatable]
    words = [each.version for each in counted]
    if len(words) < _FEWEST or not all(map(_is_number, words)):
        return
    numbers = [int(word) for word in words]
    steps = [later - former for former, later in pairwise(numbers)]
    if 2 * steps.count(1) < len(steps):
        return
    known = {int(row.version) for row in rows if _is_number(row.version)}
    for (former, later), (before, each) in zip(pairwise(numbers), pairwise(counted), strict=True):
        lowest, highest = _unknown_ends(former + 1, later - 1, known)
        if lowest > highest:
            continue
        first, last = (str(n).zfill(len(each.version)) for n in (lowest, highest))
        what = f"Version {first} is" if first == last else f"Versions {first} to {last} are"
        yield Finding(
            "history.gap",
            Severity.INFO,
            f"{what} missing between {before.label} and {each.label}.",
            next_step="Find out where it is: merged later, it comes out of order.",
            version=each.version,
            location=Location(each.up.path, 1),
        )


def _unknown_ends(first: int, last: int, known: set[int]) -> tuple[int, int]:
    """Without what is known at either end: between two numbers may be millions."""
    while first <= last and first in known:
        first += 1
    while first <= last and last in known:
        last -= 1
    return first, last


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= _LONGEST_NUMBER


def _is_silenced(path: Path, rule: HistoryRule | Rule) -> bool:
    """Whether a comment on the first line of the file says so."""
    if not path.is_file():
        return False
    try:
        first = read_source(path).partition("\n")[0]
    except MigrationFileError:
        return False
    return silenced_by(read_noqa(first), 1, rule.code, rule.name, rule.category) is not None


def _finding(
    found: Finding, rule: HistoryRule | Rule, severity: Severity, path: Path
) -> LintFinding:
    return LintFinding(
        rule=rule.code,
        name=rule.name,
        title=rule.title,
        severity=severity,
        message=found.message,
        next_step=found.next_step or "Nothing, where this is meant.",
        version=found.version or "",
        path=path,
        line=(found.location.line if found.location else None) or 1,
    )
