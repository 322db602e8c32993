"""Measure the package beside a bare psycopg loop and dbmate: `python -m tests.benchmarks --help`.

A report, never a test: what it prints depends on the machine and on who else uses it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from confiture_flows.cli.prefect_server import temporary_server
from confiture_flows.report.text import print_document
from tests.benchmarks.report import as_json, documents, put_between_markers
from tests.benchmarks.run import Plan, run_all
from tests.benchmarks.servers import durable_server


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--migrations", type=int, default=300, help="how many [300]")
    parser.add_argument("--rounds", type=int, default=7, help="how often each is measured [7]")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    parser.add_argument(
        "--markdown",
        type=Path,
        metavar="FILE",
        help="make the generated part of this page anew (docs/explanation/performance.md)",
    )
    options = parser.parse_args()
    out = Console()
    with ExitStack() as stack:
        status = stack.enter_context(out.status("Starting PostgreSQL and Prefect ..."))
        prefect = stack.enter_context(temporary_server())
        dsn = stack.enter_context(durable_server())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="confiture-bench-")))
        prefect.wait()
        results = run_all(
            Plan(options.migrations, options.rounds, start_rounds=3 * options.rounds),
            dsn,
            folder,
            prefect.environment(),
            tell=status.update,
        )
    for document in documents(results):
        print_document(out, document)
        out.print()
    if options.json:
        options.json.write_text(json.dumps(as_json(results), indent=1) + "\n")
    if options.markdown:
        page = put_between_markers(options.markdown.read_text(), results)
        options.markdown.write_text(page)


if __name__ == "__main__":
    main()
