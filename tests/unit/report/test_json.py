"""The one JSON shape: `ok` is true exactly when nothing went wrong."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from confiture_flows import errors
from confiture_flows.errors import ApplyError, ConfitureFlowsError
from confiture_flows.report.finding import Finding, Location, Severity
from confiture_flows.report.json import envelope, error_json, plain

FINDING = Finding(
    "history.edited", Severity.ERROR, "Edited.", "Undo.", "1", Location(Path("1.sql"), 3)
)
KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ConfitureFlowsError)
]


def made(**settings: Any) -> dict[str, Any]:
    settings = {"target": "shop", "result": {}} | settings
    return json.loads(json.dumps(envelope("migrate", **settings), default=plain))


def test_success_has_no_error() -> None:
    assert made(result={"file": Path("m/1.sql"), "at": datetime(2026, 11, 23, tzinfo=UTC)}) == {
        "ok": True,
        "command": "migrate",
        "target": "shop",
        "result": {"file": "m/1.sql", "at": "2026-11-23T00:00:00+00:00"},
        "findings": [],
        "error": None,
    }


@pytest.mark.parametrize(
    "error",
    [*(kind("It failed.") for kind in KINDS), RuntimeError("bug"), KeyboardInterrupt(), None],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("ok", [True, False])
@pytest.mark.parametrize("findings", [(), (FINDING,)])
def test_ok_is_never_true_beside_an_error(
    error: BaseException | None, ok: bool, findings: tuple[Finding, ...]
) -> None:
    value = made(error=error, ok=ok, findings=findings)

    assert value["ok"] == (ok and error is None)
    assert (value["error"] is None) == (error is None)
    assert set(value) == {"ok", "command", "target", "result", "findings", "error"}


def test_error_has_all_its_fields() -> None:
    error = ApplyError(
        "It failed.",
        next_step="Mend it.",
        version="0001",
        file=Path("m/1.sql"),
        line=3,
        statement=2,
        sqlstate="42P07",
        excerpt="CREATE TABLE t",
    )

    assert error_json(error) == {
        "code": "apply",
        "message": "It failed.",
        "next_step": "Mend it.",
        "version": "0001",
        "file": "m/1.sql",
        "line": 3,
        "statement": 2,
        "sqlstate": "42P07",
    }


def test_error_that_is_not_ours_has_the_same_keys() -> None:
    value = error_json(RuntimeError("bug"))

    assert value["code"] == "unexpected"
    assert value["message"] == "RuntimeError: bug"
    assert set(value) == set(error_json(ApplyError("x")))


def test_finding_is_told_with_its_place() -> None:
    other = Finding("file.misnamed", Severity.INFO, "Odd.")

    assert made(findings=(FINDING, other))["findings"] == [
        {
            "code": "history.edited",
            "severity": "error",
            "message": "Edited.",
            "next_step": "Undo.",
            "version": "1",
            "file": "1.sql",
            "line": 3,
            "diff": None,
        },
        {
            "code": "file.misnamed",
            "severity": "info",
            "message": "Odd.",
            "next_step": None,
            "version": None,
            "file": None,
            "line": None,
            "diff": None,
        },
    ]


def test_command_that_got_nowhere_has_no_result() -> None:
    value = made(target=None, result=None, error=ApplyError("x"))
    assert (value["target"], value["result"]) == (None, None)


def test_date_is_told_as_iso() -> None:
    assert plain(date(2026, 11, 23)) == "2026-11-23"


def test_value_without_a_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="set has no JSON form"):
        plain(set())
