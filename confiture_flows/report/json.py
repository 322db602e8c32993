"""A command's outcome -> the one JSON shape that every command prints.

`{"ok", "command", "target", "result", "findings", "error"}`; `ok` is true exactly when
the exit code is 0.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_flows.errors import ConfitureFlowsError

if TYPE_CHECKING:
    from confiture_flows.report.finding import Finding


def envelope(
    command: str,
    *,
    target: str | None,
    result: dict[str, Any] | None,
    findings: tuple[Finding, ...] = (),
    error: BaseException | None = None,
    ok: bool = True,
) -> dict[str, Any]:
    """Put an outcome into the shape.

    Args:
        command: As typed: "migrate".
        target: The target's name.
        result: What the command found or did; None when it did not get that far.
        findings: In the order in which they should be read.
        error: What ended the command.
        ok: Whether the exit code is 0; never true beside an error.
    """
    return {
        "ok": ok and error is None,
        "command": command,
        "target": target,
        "result": result,
        "findings": [finding_json(finding) for finding in findings],
        "error": error_json(error) if error else None,
    }


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding in the shape."""
    place = finding.location
    return {
        "code": finding.code,
        "severity": finding.severity.label,
        "message": finding.message,
        "next_step": finding.next_step,
        "version": finding.version,
        "file": str(place.file) if place else None,
        "line": place.line if place else None,
        "diff": finding.diff,
    }


def error_json(error: BaseException) -> dict[str, Any]:
    """An error in the shape; one that is not ours has only a code and a message."""
    if not isinstance(error, ConfitureFlowsError):
        return _error("unexpected", f"{type(error).__name__}: {error}")
    return _error(
        error.code,
        error.message,
        next_step=error.next_step,
        version=error.version,
        file=str(error.file) if error.file else None,
        line=error.line,
        statement=error.statement,
        sqlstate=error.sqlstate,
    )


def _error(code: str, message: str, **rest: Any) -> dict[str, Any]:
    keys = ("next_step", "version", "file", "line", "statement", "sqlstate")
    return {"code": code, "message": message, **{key: rest.get(key) for key in keys}}


def plain(value: object) -> object:
    """For json.dumps(default=...): times as ISO 8601, paths as text."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
