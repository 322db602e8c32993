"""The baseline file: fingerprints of findings that an old repository has, and lives with.

A fingerprint is of the rule, the table, the migration and the statement, never of a line: it
stays as long as the statement does.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.lint.report import LintReport


def write_baseline(report: LintReport, path: Path) -> int:
    """Write the fingerprints of a report's findings.

    Returns:
        How many there are.

    Raises:
        ConfigError: The file cannot be written.
    """
    known = [
        {"fingerprint": each.fingerprint, "rule": each.rule, "version": each.version}
        for each in report.findings
    ]
    try:
        path.write_text(json.dumps({"findings": known}, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"It cannot be written: {error.strerror}.", file=path) from None
    return len(known)


def without_known(report: LintReport, path: Path) -> LintReport:
    """A report without the findings of a baseline file; each takes one of them away.

    Raises:
        ConfigError: The file cannot be read.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        left = Counter(str(each["fingerprint"]) for each in said["findings"])
    except OSError as error:
        raise ConfigError(f"It cannot be read: {error.strerror}.", file=path) from None
    except (ValueError, KeyError, TypeError):
        raise ConfigError(
            "This is no baseline of findings.",
            file=path,
            next_step="Write it anew with: confiture-flows lint --write-baseline FILE",
        ) from None
    found = []
    for each in report.findings:
        if left[each.fingerprint]:
            left[each.fingerprint] -= 1
        else:
            found.append(each)
    return replace(report, findings=tuple(found), known=len(report.findings) - len(found))
