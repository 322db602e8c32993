"""Annotations -> what CI systems read: GitHub's commands, GitLab's code quality, JUnit's XML."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from confiture_flows.report.remark import Remark

_COMMANDS = {Severity.INFO: "notice", Severity.WARNING: "warning", Severity.ERROR: "error"}
_GITLAB = {Severity.INFO: "info", Severity.WARNING: "minor", Severity.ERROR: "major"}


def render_github(annotations: tuple[Remark, ...]) -> str:
    """Render annotations as workflow commands of GitHub Actions, one a line."""
    return "\n".join(
        f"::{_COMMANDS[each.severity]} file={_property(each.file.as_posix())},line={each.line},"
        f"title={_property(each.code + ' ' + each.name)}::"
        + _data(f"{each.message} {each.next_step}")
        for each in annotations
    )


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def render_gitlab(annotations: tuple[Remark, ...]) -> str:
    """Render annotations as GitLab's code quality report."""
    return json.dumps(
        [
            {
                "description": f"{each.message} {each.next_step}",
                "check_name": each.code,
                "fingerprint": each.fingerprint,
                "severity": _GITLAB[each.severity],
                "location": {"path": each.file.as_posix(), "lines": {"begin": each.line}},
            }
            for each in annotations
        ],
        indent=2,
    )


def render_junit(annotations: tuple[Remark, ...]) -> str:
    """Render annotations as JUnit's XML: a failed case each, or one that passed."""
    cases = [
        f"  <testcase name={quoteattr(f'{each.code} line {each.line}')}"
        f" classname={quoteattr(each.file.as_posix())}>"
        f"<failure type={quoteattr(each.severity.label)} message={quoteattr(each.message)}>"
        f"{escape(each.next_step)}</failure></testcase>"
        for each in annotations
    ] or ['  <testcase name="no findings" classname="confiture-flows"/>']
    head = f'<testsuite name="confiture-flows lint" tests="{len(cases)}" failures="'
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'{head}{len(annotations)}">',
            *cases,
            "</testsuite>",
        ]
    )
