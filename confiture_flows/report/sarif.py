"""Remarks -> SARIF 2.1.0, which code scanning of GitHub and others reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from confiture_flows.report.remark import Remark

_LEVELS = {Severity.INFO: "note", Severity.WARNING: "warning", Severity.ERROR: "error"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render_sarif(remarks: tuple[Remark, ...], version: str) -> str:
    """Render remarks as one SARIF run.

    Args:
        remarks: In order.
        version: Of this program.
    """
    rules: dict[str, dict[str, Any]] = {}
    for each in remarks:
        rules[each.code] = {
            "id": each.code,
            "name": each.name,
            "shortDescription": {"text": each.title},
        }
    order = {code: number for number, code in enumerate(rules)}
    driver = {"name": "confiture-flows", "version": version, "rules": list(rules.values())}
    run = {
        "tool": {"driver": driver},
        "results": [_result(each, order[each.code]) for each in remarks],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(each: Remark, rule: int) -> dict[str, Any]:
    place = {
        "artifactLocation": {"uri": quote(each.file.as_posix())},
        "region": {"startLine": each.line},
    }
    return {
        "ruleId": each.code,
        "ruleIndex": rule,
        "level": _LEVELS[each.severity],
        "message": {"text": f"{each.message} {each.next_step}"},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"confiture/v1": each.fingerprint},
    }
