"""Document -> one HTML file that needs nothing else: no script, no font, no request."""

from __future__ import annotations

from html import escape

from confiture_flows.report.document import Block, Code, Document, Facts, Paragraph, Table

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.35rem; }
h2 { font-size: 1.05rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem .3rem 0;
  border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
th { font-weight: 600; opacity: .7; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; }
dt { opacity: .7; } dd { margin: 0; }
pre { overflow-x: auto; padding: .7rem; border-radius: .3rem;
  background: color-mix(in srgb, currentColor 7%, transparent); }
.added { color: #188038; } .removed { color: #c5221f; }
.good { color: #188038; } .bad { color: #c5221f; } .muted { opacity: .65; }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render_html(document: Document) -> str:
    """Render a document as a page of its own."""
    title = escape(document.title)
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">',
        f"<title>{title}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{title}</h1>",
    ]
    parts += [_block(block, heads=heads) for block, heads in document.with_headings()]
    return "\n".join([*parts, "</body></html>", ""])


def _block(block: Block, *, heads: bool) -> str:
    match block:
        case Paragraph(text) if heads:
            return f"<h2>{escape(text)}</h2>"
        case Paragraph(text, tone):
            return f'<p class="{escape(tone)}">{escape(text)}</p>'
        case Table(_, (), empty):
            return f'<p class="muted">{escape(empty)}</p>'
        case Table(columns, rows):
            head = "".join(f"<th>{escape(column)}</th>" for column in columns)
            body = "\n".join(
                "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
                for row in rows
            )
            return f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"
        case Facts(pairs):
            items = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in pairs)
            return f"<dl>{items}</dl>"
        case Code(text, "diff"):
            lines = "\n".join(_diff_line(line) for line in text.split("\n"))
            return f"<pre>{lines}</pre>"
        case Code(text):
            return f"<pre>{escape(text)}</pre>"


def _diff_line(line: str) -> str:
    kind = {"+": "added", "-": "removed"}.get(line[:1])
    return f'<span class="{kind}">{escape(line)}</span>' if kind else escape(line)
