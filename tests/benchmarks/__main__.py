"""Measure the package beside others that do the same work: `python -m tests.benchmarks --help`.

A report, never a test: what it prints depends on the machine and on who else uses it. Candidates
run in turn, round after round; ratios of one run are what to compare.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from confiture_flows.cli.prefect_server import temporary_server
from confiture_flows.report.text import print_document
from tests.benchmarks.claims import claims
from tests.benchmarks.peers import environment_of_peers
from tests.benchmarks.pictures import draw
from tests.benchmarks.section import Section, body_of, put_between_markers
from tests.benchmarks.servers import durable_server
from tests.benchmarks.suite import PARTS, Suite


def main() -> None:
    """Measure, print, and write down."""
    options = _options()
    out = Console()
    sections: list[Section] = []
    with ExitStack() as stack:
        status = stack.enter_context(out.status("Installing other tools ..."))
        peers = options.peers
        if peers is None and not options.without_peers:
            peers = stack.enter_context(environment_of_peers())
        status.update("Starting PostgreSQL and Prefect ...")
        parts = options.only or list(PARTS)
        prefect = stack.enter_context(temporary_server()) if "apply" in parts else None
        dsn = stack.enter_context(durable_server())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="confiture-bench-")))
        if prefect:
            prefect.wait()
        suite = Suite(
            dsn=dsn,
            folder=folder,
            prefect=prefect.environment() if prefect else {},
            peers=peers,
            migrations=options.migrations,
            rows=options.rows,
            rounds=options.rounds,
            lint=tuple(options.lint),
            many=tuple(options.many),
            long=tuple(options.long),
            tell=status.update,
        )
        took: dict[str, float] = {}
        for part in parts:
            started = time.perf_counter()
            section = PARTS[part](suite)
            sections.append(section)
            took[part] = time.perf_counter() - started
            status.stop()
            for document in section.documents:
                print_document(out, document)
                out.print()
            status.start()
    minutes = ", ".join(f"{part} {seconds / 60:.1f}" for part, seconds in took.items())
    out.print(f"It took {sum(took.values()) / 60:.1f} minutes: {minutes}.")
    _write_down(sections, options)


def _write_down(sections: list[Section], options: argparse.Namespace) -> None:
    if options.json:
        figures = {section.name: section.figures for section in sections}
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    if options.markdown:
        page = options.markdown.read_text(encoding="utf-8")
        for section in sections:
            page = put_between_markers(page, section.name, body_of(section))
        options.markdown.write_text(page, encoding="utf-8")
    if options.pictures:
        draw(sections, options.pictures)
    if options.readme:
        ratios = {name: each for section in sections for name, each in section.ratios.items()}
        page = options.readme.read_text(encoding="utf-8")
        page = put_between_markers(page, "claims", claims(ratios))
        options.readme.write_text(page, encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    add = parser.add_argument
    add("--only", action="append", choices=list(PARTS), help="a part; may be repeated [all]")
    add("--migrations", type=int, default=300, help="how many are applied [300]")
    add("--rows", type=int, default=200_000, help="how many are copied [200,000]")
    add("--rounds", type=int, default=5, help="how often each is measured [5]")
    add("--lint", type=Path, nargs="+", default=[], metavar="DIR", help="migrations to lint")
    numbers = {"type": int, "nargs": "+", "metavar": "N"}
    add("--many", **numbers, default=[100, 1000, 10_000], help="migrations to grow through")
    rows = [10_000, 100_000, 1_000_000, 10_000_000]
    add("--long", **numbers, default=rows, help="rows to grow through")
    add("--peers", type=Path, metavar="BIN", help="other tools' environment [installed for now]")
    add("--without-peers", action="store_true", help="measure no tool that is not installed")
    add("--json", type=Path, metavar="FILE", help="write every round's figures there")
    add("--markdown", type=Path, metavar="FILE", help="make the tables of that page anew")
    add("--pictures", type=Path, metavar="FOLDER", help="draw charts there")
    add("--readme", type=Path, metavar="FILE", help="make the claims of that page anew")
    return parser.parse_args()


if __name__ == "__main__":
    main()
