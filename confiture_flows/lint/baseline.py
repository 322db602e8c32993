"""The baseline file: fingerprints of findings that an old repository has, and lives with.

A fingerprint is of the rule, the table, the migration and the statement, never of a line: it
stays as long as the statement does.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from confiture_flows._files import write_whole
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.lint.report import LintFinding, LintReport

# Rules that were a part of another, whose code a file may have in the place of theirs.
_FORMER_CODES = {
    "CF1A": "CF10",
    "CF1B": "CF10",
    "CF1C": "CF19",
    "CF1D": "CF19",
    "CF1E": "CF19",
    "CF1F": "CF19",
    "CF1G": "CF17",
    "CF2A": "CF25",
    "CF2B": "CF24",
    "CF3A": "CF33",
    "CF3B": "CF33",
    "CF3C": "CF33",
    "CF4F": "CF40",
}


class KnownFinding(NamedTuple):
    """An entry of the file."""

    fingerprint: str
    rule: str
    version: str


class WrittenBaseline(NamedTuple):
    """How many findings a file has now, and how many that it had are gone."""

    known: int
    gone: int


def write_baseline(report: LintReport, path: Path) -> WrittenBaseline:
    """Write the fingerprints of a report's findings.

    What the file has of migrations that were not judged, or of rules that were not asked, stays.

    Raises:
        ConfigError: The file cannot be written, or holds something else.
    """
    old = read_baseline(path) if path.exists() else ()
    found = [KnownFinding(each.fingerprint, each.rule, each.version) for each in report.findings]
    judged = report.judged
    kept = [each for each in old if judged and not judged.covers(each.rule, each.version)]
    known = [*found, *(Counter(kept) - Counter(found)).elements()]
    try:
        table = {"findings": [each._asdict() for each in known]}
        write_whole(path, (json.dumps(table, indent=1) + "\n").encode())
    except OSError as error:
        raise ConfigError(f"It cannot be written: {error.strerror}.", file=path) from None
    return WrittenBaseline(len(known), (Counter(old) - Counter(known)).total())


def read_baseline(path: Path) -> tuple[KnownFinding, ...]:
    """The entries of a file.

    Raises:
        ConfigError: It cannot be read.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return tuple(
            KnownFinding(
                str(each["fingerprint"]), str(each.get("rule", "")), str(each.get("version", ""))
            )
            for each in said["findings"]
        )
    except OSError as error:
        raise ConfigError(f"It cannot be read: {error.strerror}.", file=path) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigError(
            "This is no baseline of findings.",
            file=path,
            next_step="Write it anew with: confiture-flows lint --write-baseline FILE",
        ) from None


def without_known(report: LintReport, path: Path) -> LintReport:
    """A report without the findings of a baseline file; each entry takes one of them away.

    An entry that matches nothing any more, though it was looked for, is told.

    Raises:
        ConfigError: The file cannot be read.
    """
    entries = read_baseline(path)
    known = {each.fingerprint for each in entries}
    left = Counter(each.fingerprint for each in entries)
    used: set[str] = set()
    found = []
    for each in report.findings:
        former = _former_fingerprint(each)
        if left[each.fingerprint]:
            left[each.fingerprint] -= 1
        elif former in known:
            used.add(former)
        else:
            found.append(each)
    judged = report.judged
    unmatched: list[KnownFinding] = []
    for entry in entries:
        if left[entry.fingerprint] and entry.fingerprint not in used:
            left[entry.fingerprint] -= 1
            if judged and judged.covers(entry.rule, entry.version):
                unmatched.append(entry)
    return replace(
        report,
        findings=tuple(found),
        known=len(report.findings) - len(found),
        unmatched=tuple(unmatched),
        baseline=path,
    )


def _former_fingerprint(finding: LintFinding) -> str:
    former = _FORMER_CODES.get(finding.rule)
    return replace(finding, rule=former).fingerprint if former else ""
