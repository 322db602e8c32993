"""What people and programs read of a verification; no database."""

from __future__ import annotations

from pathlib import Path

import pytest

from confiture_flows.catalog.diff import Action, Change
from confiture_flows.migrations.replay import Replay
from confiture_flows.migrations.verification import (
    Verification,
    findings_table,
    replay_findings,
    verification_document,
    verification_json,
)
from confiture_flows.report.document import Code, Document, Paragraph
from confiture_flows.report.finding import Finding, Location, Severity
from confiture_flows.report.markdown import render_markdown

ADDED, REMOVED, ALTERED = Action.ADDED, Action.REMOVED, Action.ALTERED
NICK = Change("column", "public.users.nick", ADDED, None, "text")
INDEX = Change("index", "public.by_mail", REMOVED, "CREATE INDEX by_mail ...", None)
AGE = Change("column", "public.users.age", ALTERED, "integer default 1", "integer default 2")
BODY = Change(
    "function", "public.f()", ALTERED, "AS $$\nSELECT 1\nFROM t\n$$", "AS $$\nSELECT 2\nFROM t\n$$"
)
ORDER = Change("table", "public.users", Action.REORDERED, "id, mail", "mail, id")
LEFT = Finding("catalog.invalid_index", Severity.WARNING, "Index a is invalid.", "DROP INDEX a;")


def verification(*changes: Change, others: tuple[Finding, ...] = ()) -> Verification:
    replayed = Replay(12, changes, "PostgreSQL 15 (system binaries /usr/bin)")
    return Verification(12, 3, (*replay_findings(replayed), *others), replayed)


def diff_of(found: Verification) -> list[str]:
    (code,) = (b for b in verification_document(found, "shop").blocks if isinstance(b, Code))
    assert code.language == "diff"
    return code.text.splitlines()


@pytest.mark.parametrize(
    ("found", "title"),
    [
        (Verification(1, 0, ()), "shop: 1 migration checked, 0 verify scripts: all holds"),
        (
            Verification(12, 3, (LEFT,)),
            "shop: 12 migrations checked, 3 verify scripts: 1 finding",
        ),
        (
            verification(),
            "shop: 12 migrations checked, 3 verify scripts, replayed in PostgreSQL 15: all holds",
        ),
    ],
)
def test_title_says_what_was_checked_and_found(found: Verification, title: str) -> None:
    assert verification_document(found, "shop") == Document(title)


def test_title_tells_differences_from_other_findings() -> None:
    title = verification_document(verification(others=(LEFT,)), "shop").title

    assert title.endswith(", replayed in PostgreSQL 15: no difference, 1 finding")


def test_differences_are_a_diff() -> None:
    found = verification(NICK, AGE, BODY, INDEX, ORDER, others=(LEFT,))

    assert verification_document(found, "shop").title.endswith(": 5 differences, 1 finding")
    assert diff_of(found) == [
        "--- what the migrations make",
        "+++ what the database holds",
        "+ column public.users.nick: text",
        "- column public.users.age: integer default 1",
        "+ column public.users.age: integer default 2",
        "  function public.f()",
        "    AS $$",
        "-   SELECT 1",
        "+   SELECT 2",
        "    FROM t",
        "- index public.by_mail: CREATE INDEX by_mail ...",
        "  table public.users (order of columns)",
        "-   id, mail",
        "+   mail, id",
    ]
    assert found.differences == found.findings[:5]


def test_diff_is_a_diff_in_markdown_too() -> None:
    document = verification_document(verification(NICK), "shop")

    assert "```diff\n--- what the migrations make\n" in render_markdown(document)


def test_function_that_is_new_is_not_printed_whole() -> None:
    body = Change("function", "public.g()", ADDED, None, "CREATE\nFUNCTION\n...")

    assert diff_of(verification(body))[2:] == ["+ function public.g() (3 lines)"]


def test_long_difference_is_cut() -> None:
    was, now = ("\n".join(f"{word} {n}" for n in range(50)) for word in ("old", "new"))

    lines = diff_of(verification(Change("view", "public.v", ALTERED, was, now)))

    assert len(lines) == 2 + 1 + 20 + 1
    assert lines[-1] == "    (80 more lines)"


def test_many_differences_are_cut_for_people_and_whole_for_programs() -> None:
    changes = tuple(Change("table", f"public.t{n}", ADDED, None, "") for n in range(130))
    found = verification(*changes)

    document = verification_document(found, "shop")

    assert len(diff_of(found)) == 2 + 100
    assert document.blocks[-1] == Paragraph("30 more differences; --json has all.", "muted")
    assert len(verification_json(found)["replay"]["changes"]) == 130


@pytest.mark.parametrize(
    ("change", "code", "severity", "said"),
    [
        (NICK, "replay.added", Severity.ERROR, "is in the database, but no migration makes it."),
        (
            INDEX,
            "replay.removed",
            Severity.ERROR,
            "Index public.by_mail is made by the migrations, but is not in the database.",
        ),
        (
            AGE,
            "replay.altered",
            Severity.ERROR,
            "is not as the migrations make it: integer default 2, instead of integer default 1.",
        ),
        (
            BODY,
            "replay.altered",
            Severity.ERROR,
            "Function public.f() is not as the migrations make it.",
        ),
        (ORDER, "replay.column_order", Severity.INFO, "Table public.users has its columns in"),
        (
            Change("extension", "citext", ALTERED, "1.6", "1.5"),
            "replay.extension_version",
            Severity.INFO,
            "Extension citext is not as the migrations make it: 1.5, instead of 1.6.",
        ),
    ],
)
def test_each_difference_is_a_finding(
    change: Change, code: str, severity: Severity, said: str
) -> None:
    (finding,) = replay_findings(Replay(1, (change,), "PostgreSQL 15"))

    assert (finding.code, finding.severity) == (code, severity)
    assert said in finding.message
    assert finding.next_step


def test_unknown_is_said_and_nothing_is_claimed() -> None:
    replayed = Replay(
        unknown="0001_a was edited.",
        next_step="Put it back.",
        version="0001",
        location=Location(Path("m/0001_a.up.sql")),
    )
    (finding,) = findings = replay_findings(replayed)
    found = Verification(3, 0, findings, replayed)

    assert finding.message.startswith("Whether the database is what its history makes is unknown.")
    assert (finding.version, finding.severity) == ("0001", Severity.INFO)
    assert verification_document(found, "shop").title == (
        "shop: 3 migrations checked, 0 verify scripts, not replayed: 1 finding"
    )
    assert found.differences == ()
    assert verification_json(found)["replay"] == {
        "place": None,
        "migrations": 0,
        "unknown": "0001_a was edited.",
        "changes": None,
    }


def test_passwords_in_definitions_are_masked() -> None:
    """A function that connects elsewhere, or makes a role, holds one."""
    secret = "EXECUTE 'ALTER ROLE app PASSWORD ''hush'''"
    body = Change("function", "public.f()", ALTERED, f"a\n{secret}", f"b\n{secret}2")
    rule = Change("rule", "public.t.r", ALTERED, "password=hush", "host=x password=hush")
    found = verification(body, rule)

    told = str((verification_json(found), diff_of(found), found.findings))
    assert "hush" not in told


def test_programs_get_every_difference_with_both_sides() -> None:
    (change,) = verification_json(verification(NICK))["replay"]["changes"]

    assert change == {
        "kind": "column",
        "name": "public.users.nick",
        "action": "added",
        "expected": None,
        "found": "text",
    }
    assert verification_json(Verification(1, 0, ()))["replay"] is None


def test_findings_are_a_table_on_a_page() -> None:
    assert findings_table((LEFT,)).rows == (("warning", "Index a is invalid.", "DROP INDEX a;"),)
