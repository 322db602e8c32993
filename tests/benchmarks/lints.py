"""Linting beside sqlfluff and squawk: `python -m tests.benchmarks.lints DIRECTORY ...`.

A report, never a test. Prints tables in Markdown: files a second over directories of real
migrations; a warm run over many files that have not changed; findings a hundred files, by rule.
sqlfluff runs three rules of its own on some of the files, as it takes minutes for all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_flows.lint.runner import lint_migrations
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.migration import Script
from confiture_flows.report.document import Document, Table
from confiture_flows.report.markdown import render_markdown
from confiture_flows.sql.operations import short_texts
from tests.benchmarks.candidates import program
from tests.benchmarks.measure import interleave

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from confiture_flows.migrations.migration import Migration
    from tests.benchmarks.measure import Series

IN_PROCESS, COMMAND, SQLFLUFF, SQUAWK = (
    "confiture-flows, all rules, in one process",
    "confiture-flows lint --no-cache, a process a directory",
    "sqlfluff lint, three rules",
    "squawk, each file alone",
)
_SQLFLUFF_RULES = "CP01,LT01,LT12"
_TABLE = "CREATE TABLE t{n} (id bigint PRIMARY KEY, a text);\nCREATE INDEX t{n}_a ON t{n} (a);\n"


def speeds(
    folders: Sequence[Path], rounds: int, sqlfluff_files: int = 60
) -> dict[str, tuple[int, Series]]:
    """What each takes for how many files, with history, beside the commands of others.

    Args:
        folders: Directories of migrations.
        rounds: How many count.
        sqlfluff_files: How many files sqlfluff gets.
    """
    sets = [discover(folder).migrations for folder in folders]
    files = [path for each in sets for path in _files(each, downs=True)]
    some = files[:: max(len(files) // sqlfluff_files, 1)] if sqlfluff_files else []
    runs: dict[str, tuple[int, Callable[[], None]]] = {
        IN_PROCESS: (len(files), lambda: _in_process(folders)),
        COMMAND: (len(files), lambda: _commands(folders, "--no-cache")),
    }
    if sqlfluff := program("sqlfluff"):
        command = [sqlfluff, "lint", "--dialect", "postgres", "--templater", "raw"]
        command += ["--rules", _SQLFLUFF_RULES, *map(str, some)]
        runs[SQLFLUFF] = (len(some), lambda: _run(command))
    if squawk := program("squawk"):
        runs[SQUAWK] = (len(files), lambda: _run([squawk, *map(str, files)]))
    found = interleave({name: _timed(run) for name, (_, run) in runs.items()}, rounds)
    return {name: (count, found[name]["seconds"]) for name, (count, _) in runs.items()}


def speed(found: Mapping[str, tuple[int, Series]]) -> Document:
    """Files a second of each."""
    rows = tuple(
        (name, f"{count}", f"{series.median:.2f}", f"{count / series.median:.0f}")
        for name, (count, series) in found.items()
    )
    return Document("Linting", (Table(("", "files", "seconds", "files/s"), rows),))


def unchanged(number: int, rounds: int) -> Document:
    """The command over many files, first and again."""
    with tempfile.TemporaryDirectory(prefix="confiture-bench-") as name:
        folder = Path(name) / "migrations"
        folder.mkdir()
        for each in range(1, number + 1):
            (folder / f"{each:05}_t.up.sql").write_text(_TABLE.format(n=each))
        cache = {"XDG_CACHE_HOME": str(Path(name) / "cache")}
        first = _timed(lambda: _commands([folder], environment=cache))()["seconds"]
        again = interleave(
            {"again": _timed(lambda: _commands([folder], environment=cache))}, rounds
        )
        median = again["again"]["seconds"].median
    rows = (("first", f"{first:.2f}"), ("again", f"{median:.2f}"))
    return Document(f"{number} files that do not change", (Table(("", "seconds"), rows),))


def findings(folders: Sequence[Path]) -> Document:
    """Findings a hundred files, by rule and directory, beside squawk's."""
    columns: list[str] = []
    counts: dict[str, dict[str, float]] = {}
    for folder in folders:
        migrations = discover(folder).migrations
        files = _files(migrations)
        columns.append(folder.parent.name)
        found = Counter(each.rule for each in lint_migrations(migrations).findings)
        if squawk := program("squawk"):
            done = subprocess.run(
                [squawk, "--reporter", "json", *map(str, files)], capture_output=True, text=True
            )
            found.update(f"squawk {each['rule_name']}" for each in json.loads(done.stdout))
        for rule, count in found.items():
            counts.setdefault(rule, {})[columns[-1]] = 100 * count / len(files)
    rows = tuple(
        (rule, *(f"{counts[rule].get(column, 0):.1f}" for column in columns))
        for rule in sorted(counts)
    )
    return Document("Findings a hundred files", (Table(("rule", *columns), rows),))


def _files(migrations: Sequence[Migration], *, downs: bool = False) -> list[Path]:
    scripts = [each.up for each in migrations]
    if downs:
        scripts += [each.down for each in migrations if each.down]
    return list(dict.fromkeys(each.path for each in scripts if isinstance(each, Script)))


def _timed(run: Callable[[], None]) -> Callable[[], dict[str, float]]:
    def timed() -> dict[str, float]:
        started = time.perf_counter()
        run()
        return {"seconds": time.perf_counter() - started}

    return timed


def _in_process(folders: Sequence[Path]) -> None:
    short_texts.cache_clear()
    for folder in folders:
        lint_migrations(discover(folder).migrations)


def _commands(
    folders: Sequence[Path], *options: str, environment: dict[str, str] | None = None
) -> None:
    ours = Path(sys.executable).with_name("confiture-flows")
    for folder in folders:
        _run([str(ours), "lint", "--dir", str(folder), *options], environment)


def _run(command: list[str], environment: dict[str, str] | None = None) -> None:
    """Run a program that tells of findings by its exit code."""
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **(environment or {})}
    )
    if done.returncode not in (0, 1, 4):
        raise RuntimeError(done.stderr)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.lints", description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", metavar="DIRECTORY")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(render_markdown(speed(speeds(options.folders, options.rounds))), flush=True)
    print(render_markdown(unchanged(1000, options.rounds)), flush=True)
    print(render_markdown(findings(options.folders)), flush=True)


if __name__ == "__main__":
    main()
