"""Remarks -> what CI systems read: GitHub's commands, GitLab's code quality, JUnit's XML."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from confiture_flows.report.remark import Remark

_COMMANDS = {Severity.INFO: "notice", Severity.WARNING: "warning", Severity.ERROR: "error"}
_GITLAB = {Severity.INFO: "info", Severity.WARNING: "minor", Severity.ERROR: "major"}


def render_github(remarks: tuple[Remark, ...]) -> str:
    """Render remarks as workflow commands of GitHub Actions, one a line."""
    return "\n".join(
        f"::{_COMMANDS[each.severity]} file={_property(each.file.as_posix())},line={each.line},"
        f"title={_property(each.code + ' ' + each.name)}::"
        + _data(f"{each.message} {each.next_step}")
        for each in remarks
    )


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def render_gitlab(remarks: tuple[Remark, ...]) -> str:
    """Render remarks as GitLab's code quality report."""
    return json.dumps(
        [
            {
                "description": f"{each.message} {each.next_step}",
                "check_name": each.code,
                "fingerprint": each.fingerprint,
                "severity": _GITLAB[each.severity],
                "location": {"path": each.file.as_posix(), "lines": {"begin": each.line}},
            }
            for each in remarks
        ],
        indent=2,
    )


# What XML 1.0 cannot hold, and a quoted name can.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(remarks: tuple[Remark, ...]) -> str:
    """Render remarks as JUnit's XML: a failed case each, or one that passed."""
    cases = [
        f"  <testcase name={quoteattr(f'{each.code} line {each.line}')}"
        f" classname={quoteattr(_held(each.file.as_posix()))}>"
        f"<failure type={quoteattr(each.severity.label)} message={quoteattr(_held(each.message))}>"
        f"{escape(_held(each.next_step))}</failure></testcase>"
        for each in remarks
    ] or ['  <testcase name="no findings" classname="confiture-flows"/>']
    head = f'<testsuite name="confiture-flows lint" tests="{len(cases)}" failures="'
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'{head}{len(remarks)}">',
            *cases,
            "</testsuite>",
        ]
    )


def _held(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
