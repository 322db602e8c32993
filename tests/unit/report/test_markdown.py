"""What Markdown shows is what was said, whatever the names in it look like."""

from __future__ import annotations

import html
import re

import pytest
from markdown_it import MarkdownIt  # rich brings it

from confiture_flows.report.document import Code, Document, Facts, Paragraph, Table
from confiture_flows.report.markdown import escape, render_markdown

ODD = [
    "a|b`c",
    "`code`",
    "*stars* and _lines_ and ~~waves~~",
    "[link](https://example.org)",
    "![picture](x)",
    "<b>bold</b> <script>",
    "&lt;b&gt; &copy;",
    r"back\slash \| \`",
    "# title",
    "$x$",
    "- item",
    "+ item",
    "1. item",
    "2) item",
    "---",
    "> quote",
    "    indented",
    "line\nbreak",
    "line\r\nbreak",
    "line\rbreak",
    "0001_users.up.sql",
    "17.10",
    'public."we|rd `table`"',
]


def shown(markdown: str) -> str:
    """The text that a reader sees."""
    rendered = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown)
    return html.unescape(re.sub(r"<[^>]+>", "", rendered)).strip()


def flat(text: str) -> str:
    return re.sub(r"\s*[\r\n]\s*", " ", text.strip())


@pytest.mark.parametrize("text", ODD)
def test_odd_text_is_shown_as_it_is_in_a_paragraph(text: str) -> None:
    assert shown(render_markdown(Document("t", (Paragraph(text),)))).splitlines()[1:] == [
        flat(text)
    ]


@pytest.mark.parametrize("text", ODD)
def test_odd_text_is_shown_as_it_is_in_a_title(text: str) -> None:
    assert shown(render_markdown(Document(text))) == flat(text)


@pytest.mark.parametrize("text", ODD)
def test_odd_text_stays_in_its_cell(text: str) -> None:
    rendered = render_markdown(Document("t", (Table(("name", "state"), ((text, "applied"),)),)))

    cells = [line for line in shown(rendered).splitlines() if line.strip()]
    assert cells == ["t", "name", "state", flat(text), "applied"]


@pytest.mark.parametrize("text", ODD)
def test_odd_text_stays_in_its_fact(text: str) -> None:
    rendered = render_markdown(Document("t", (Facts((("File", text), ("Line", "3"))),)))
    assert shown(rendered).splitlines()[-2:] == [f"File: {flat(text)}", "Line: 3"]


@pytest.mark.parametrize("text", ["SELECT 1", "SELECT `a`", "```\nSELECT 1\n```", "````"])
def test_code_is_shown_as_it_is(text: str) -> None:
    rendered = render_markdown(Document("t", (Code(text, "sql"), Paragraph("after"))))

    assert shown(rendered) == f"t\n{text}\n\nafter"
    assert "sql\n" in rendered


@pytest.mark.parametrize("tone", ["good", "bad"])
def test_what_matters_is_bold(tone: str) -> None:
    assert "\n**done \\| not**\n" in render_markdown(
        Document("t", (Paragraph("done | not", tone),))
    )


def test_table_without_rows_says_so() -> None:
    assert "*No migration.*" in render_markdown(
        Document("t", (Table(("a",), (), "No migration."),))
    )


def test_table_has_a_head_and_a_line_a_row() -> None:
    rendered = render_markdown(Document("t", (Table(("a", "b"), (("1", "2"), ("3", "4"))),)))
    assert rendered == "# t\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |\n"


def test_names_without_special_characters_are_left_alone() -> None:
    assert escape("0001: 2 applied, 17.10 (2026-11-23)") == "0001: 2 applied, 17.10 (2026-11-23)"


def test_wide_cell_is_folded_so_that_the_columns_after_it_are_seen() -> None:
    said = "The table is not what the migrations make, and nobody has said why that is so at all."
    rows = (("error", said, "Mend it."), ("info", "Short.", "Read."))
    text = render_markdown(Document("t", (Table(("severity", "what", "what to do"), rows),)))
    (long, short) = text.splitlines()[-2:]
    cells = long.strip("| ").split(" | ")
    assert cells[1].replace("<br>", " ") == said
    assert all(len(line) <= 75 for line in cells[1].split("<br>"))
    assert short == "| info | Short. | Read. |"


def test_paragraph_before_a_table_is_its_heading_unless_it_is_a_sentence() -> None:
    table = Table(("a",), (("1",),))
    blocks = (Paragraph("Findings:"), table, Paragraph("All is well."), table)
    lines = render_markdown(Document("t", blocks)).splitlines()
    assert "## Findings" in lines
    assert "All is well." in lines
