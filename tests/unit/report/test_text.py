"""What a terminal shows."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from confiture_flows.errors import ApplyError, ConfigError
from confiture_flows.report.document import Code, Document, Facts, Paragraph, Table
from confiture_flows.report.finding import Finding, Location, Severity
from confiture_flows.report.text import print_document, print_error, print_findings


@pytest.fixture
def console() -> Console:
    """A pipe: no colours, lines are not broken."""
    return Console(file=io.StringIO(), soft_wrap=True)


def printed(console: Console) -> list[str]:
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    return [line.removeprefix(" ").rstrip() for line in lines if line.strip()]


def test_document_is_printed_block_by_block(console: Console) -> None:
    print_document(
        console,
        Document(
            "shop: 1 migration to apply",
            (
                Paragraph("It failed.", "bad"),
                Facts((("File", "m/0001.sql:3"), ("SQLSTATE", "42P07"))),
                Facts(()),
                Code("confiture-flows status"),
                Table(("version", "name"), (("0001", "users"), ("0002", "orders"))),
                Table(("version",), (), "No migration."),
            ),
        ),
    )

    assert printed(console) == [
        "shop: 1 migration to apply",
        "It failed.",
        "File      m/0001.sql:3",
        "SQLSTATE  42P07",
        " confiture-flows status",
        "version   name",
        "────────────────",
        "0001      users",
        "0002      orders",
        "No migration.",
    ]


@pytest.mark.parametrize(
    "text",
    ["[bold]x[/bold]", "[/]", "a[0]", ":smile:", "we|rd `table`", "\\[x]", "x" * 300],
)
def test_text_that_looks_like_markup_is_printed_as_it_is(console: Console, text: str) -> None:
    print_document(
        console,
        Document(text, (Paragraph(text), Facts(((text, text),)), Code(text))),
    )
    print_findings(
        console, (Finding("code", Severity.INFO, text, text, "1", Location(Path(text), 1)),)
    )
    print_error(console, ConfigError(text, next_step=text, file=Path(text), line=1, excerpt=text))
    print_error(console, RuntimeError(text))

    assert printed(console) == [
        text,
        text,
        f"{text}  {text}",
        f" {text}",
        f"info: {text} [code]",
        f" at {text}:1",
        f" {text}",
        f"Error: {text}",
        f" at {text}:1",
        f" {text}",
        text,
        f"RuntimeError: {text}",
    ]


@pytest.mark.parametrize("text", ["[bold]x[/bold]", "[/]", "we|rd `table`"])
def test_cell_that_looks_like_markup_is_printed_as_it_is(console: Console, text: str) -> None:
    print_document(console, Document("t", (Table(("name",), ((text,),)),)))
    assert printed(console)[-1] == text


def test_rows_are_not_broken_in_a_pipe(console: Console) -> None:
    print_document(console, Document("t", (Table(("name", "state"), (("x" * 200, "applied"),)),)))
    assert printed(console)[-1] == "x" * 200 + "   applied"


def test_long_cell_is_folded_on_a_terminal_not_cut() -> None:
    console = Console(file=io.StringIO(), width=20)
    print_document(console, Document("t", (Table(("name",), (("abcdefghij" * 5,),)),)))
    assert "".join(printed(console)).endswith("abcdefghij" * 5)


def test_finding_says_severity_place_and_next_step(console: Console) -> None:
    print_findings(
        console,
        (
            Finding(
                "a.b", Severity.ERROR, "Broken.", "Mend it.", "1", Location(Path("m/1.sql"), 3)
            ),
            Finding("a.c", Severity.WARNING, "Odd.", location=Location(Path("m/2.sql"))),
        ),
    )

    assert printed(console) == [
        "error: Broken. [a.b]",
        " at m/1.sql:3",
        " Mend it.",
        "warning: Odd. [a.c]",
        " at m/2.sql",
    ]


def test_error_says_what_where_and_what_next(console: Console) -> None:
    print_error(
        console,
        ApplyError(
            "It failed.", file=Path("m/1.sql"), line=2, excerpt="SELEC 1", next_step="Mend it."
        ),
    )
    assert printed(console) == ["Error: It failed.", " at m/1.sql:2", " SELEC 1", "Mend it."]


def test_interrupt_is_one_word(console: Console) -> None:
    print_error(console, KeyboardInterrupt())
    assert printed(console) == ["Interrupted."]


def test_step_that_many_findings_share_is_said_once(console: Console) -> None:
    def finding(message: str, step: str | None) -> Finding:
        return Finding("a.b", Severity.ERROR, message, next_step=step)

    print_findings(
        console,
        (
            finding("One.", "Drop it."),
            finding("Two.", "Drop it."),
            finding("Three.", "Make it."),
            finding("Four.", None),
            finding("Five.", "Drop it."),
        ),
    )

    assert printed(console) == [
        "error: One. [a.b]",
        "error: Two. [a.b]",
        " Drop it.",
        "error: Three. [a.b]",
        " Make it.",
        "error: Four. [a.b]",
        "error: Five. [a.b]",
        " Drop it.",
    ]


def test_diff_is_coloured_line_by_line() -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=20, color_system="standard")

    print_document(terminal, Document("x", (Code("+ new\n- old\n  same " + "long " * 9, "diff"),)))

    assert isinstance(terminal.file, io.StringIO)
    lines = terminal.file.getvalue().splitlines()[1:]
    assert lines[0].startswith("\x1b[32m+ new")
    assert lines[1].startswith("\x1b[31m- old")
    assert lines[2].startswith("  same long")
    assert len(lines) == 3, "a line to copy is not broken"


def test_wide_table_on_a_narrow_terminal_is_a_line_a_cell() -> None:
    terminal = Console(file=io.StringIO(), width=50)
    columns = ("where", "statement", "lock", "does")
    lock = "ACCESS EXCLUSIVE on public.accounts"
    rows = (
        ("0002:1", "ALTER TABLE accounts ALTER COLUMN id TYPE bigint", lock, "rewrites it"),
        ("0003:4", "ALTER TABLE accounts ADD COLUMN note text", lock, ""),
    )

    print_document(terminal, Document("Dry run", (Table(columns, rows),)))

    assert printed(terminal) == [
        "Dry run",
        "0002:1",
        "  statement  ALTER TABLE accounts ALTER COLUMN id",
        "             TYPE bigint",
        "  lock       ACCESS EXCLUSIVE on public.accounts",
        "  does       rewrites it",
        "0003:4",
        "  statement  ALTER TABLE accounts ADD COLUMN note",
        "             text",
        "  lock       ACCESS EXCLUSIVE on public.accounts",
    ]
