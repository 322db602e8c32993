"""Remarks in the formats of CI systems."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from confiture_flows.report.ci import render_github, render_gitlab, render_junit
from confiture_flows.report.finding import Severity
from confiture_flows.report.remark import Remark
from confiture_flows.report.sarif import render_sarif

ONE = Remark(
    code="CF01",
    name="safety.index",
    title="Build indexes concurrently",
    severity=Severity.ERROR,
    message='100 % of "t" <waits>\nlong.',
    next_step="Write it, or not.",
    file=Path("db/a,b:1.sql"),
    line=3,
    fingerprint="abc",
)


def test_github_gets_one_escaped_line() -> None:
    assert render_github((ONE,)) == (
        "::error file=db/a%2Cb%3A1.sql,line=3,title=CF01 safety.index::"
        '100 %25 of "t" <waits>%0Along. Write it, or not.'
    )


def test_gitlab_gets_fingerprints() -> None:
    (issue,) = json.loads(render_gitlab((ONE,)))
    assert (issue["fingerprint"], issue["severity"]) == ("abc", "major")
    assert issue["location"] == {"path": "db/a,b:1.sql", "lines": {"begin": 3}}


def test_junit_is_xml() -> None:
    suite = ElementTree.fromstring(render_junit((ONE,)))
    assert suite.attrib["failures"] == "1"
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.text == "Write it, or not."
    assert ElementTree.fromstring(render_junit(())).attrib["failures"] == "0"


def test_odd_names_break_no_format() -> None:
    odd = replace(ONE, message='The table "a\x01b" waits.', file=Path("db/a b%.sql"))
    failure = ElementTree.fromstring(render_junit((odd,))).find("testcase/failure")
    assert failure is not None
    assert failure.attrib["message"] == 'The table "a\ufffdb" waits.'
    (result,) = json.loads(render_sarif((odd,), "1.0"))["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "db/a%20b%25.sql"}


def test_sarif_names_each_rule_once() -> None:
    run = json.loads(render_sarif((ONE, ONE), "1.0"))["runs"][0]
    assert [each["id"] for each in run["tool"]["driver"]["rules"]] == ["CF01"]
    assert [each["level"] for each in run["results"]] == ["error", "error"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 3}
