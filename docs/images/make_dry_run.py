"""Make dry-run.svg anew: the guide's example, really run, as a terminal shows it.

`uv run python docs/images/make_dry_run.py`
"""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

import psycopg
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from confiture_flows.dryrun.document import dry_run_document
from confiture_flows.dryrun.dry_run import dry_run
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.plan import plan_forward
from confiture_flows.postgres.provide import provide_server
from confiture_flows.report.text import print_document, print_findings
from confiture_flows.target import Target, connect

HERE = Path(__file__).parent
GUIDE = HERE.parent / "guides" / "dry-run-mode.md"
SHOP = """
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text, age text);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id bigint NOT NULL);
INSERT INTO users (email, age)
    SELECT 'u' || g || '@shop.example', (g % 90)::text FROM generate_series(1, 300000) AS g;
INSERT INTO orders (user_id) SELECT 1 + g % 300000 FROM generate_series(1, 500000) AS g;
CREATE VIEW adults AS SELECT id, email FROM users;
ANALYZE
"""
# rich asks a server for its font; a picture should ask nobody.
_FONT = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)


def main() -> None:
    """Run the example and write the picture."""
    files = re.findall(
        r"^```sql\n-- db/migrations/(\S+)\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL
    )
    out = Console(record=True, width=128, force_terminal=True, file=io.StringIO())
    with tempfile.TemporaryDirectory() as folder, provide_server() as server:
        for name, text in files:
            (Path(folder) / name).write_text(text)
        with psycopg.connect(server.dsn, autocommit=True) as conn:
            conn.execute(SHOP)
        target = Target("shop", server.dsn)
        plan = plan_forward(discover(Path(folder)).migrations, ())
        with connect(target, "picture") as conn:
            report = dry_run(conn, plan, target=target)
        out.print("$ confiture-flows dry-run", style="bold")
        print_document(out, dry_run_document(report, findings=False))
        print_findings(out, report.findings)
    svg = out.export_svg(title="confiture-flows", code_format=_FONT.sub("", CONSOLE_SVG_FORMAT))
    text = svg.replace(folder, "db/migrations")
    (HERE / "dry-run.svg").write_text(text)


if __name__ == "__main__":
    main()
