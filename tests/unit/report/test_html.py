"""A document as one page that needs nothing else."""

from __future__ import annotations

from confiture_flows.report.document import Code, Document, Facts, Paragraph, Table
from confiture_flows.report.html import render_html

DOCUMENT = Document(
    "a < b & <script>x</script>",
    (
        Facts((("name & co", "<b>"),)),
        Paragraph("Things"),
        Table(("one", "<two>"), (("1", "<i>2</i>"),)),
        Paragraph("bad news", "bad"),
        Table(("none",), (), empty="Nothing here."),
        Code("--- a\n+++ b\n- old <x>\n+ new\n  same", "diff"),
        Code("SELECT 1 < 2;", "sql"),
    ),
)


def test_every_block_is_there_and_nothing_is_markup() -> None:
    page = render_html(DOCUMENT)

    assert "<h1>a &lt; b &amp; &lt;script&gt;x&lt;/script&gt;</h1>" in page
    assert "<dt>name &amp; co</dt><dd>&lt;b&gt;</dd>" in page
    assert "<h2>Things</h2>" in page
    assert "<td>&lt;i&gt;2&lt;/i&gt;</td>" in page
    assert '<p class="bad">bad news</p>' in page
    assert "Nothing here." in page
    assert '<span class="removed">- old &lt;x&gt;</span>' in page
    assert "SELECT 1 &lt; 2;" in page
    assert "<script" not in page


def test_page_asks_nobody_for_anything() -> None:
    page = render_html(DOCUMENT)

    assert "default-src &#x27;none&#x27;" in page
    assert not any(word in page for word in ("src=", "href=", "url(", "@import"))
