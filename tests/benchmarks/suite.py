"""The parts of the report, each beside whoever does the same work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_flows.report.document import Document, Facts, Paragraph, Table
from tests.benchmarks import copies, dry_runs, growth, lints
from tests.benchmarks.candidates import (
    ALEMBIC,
    BARE,
    BARE_INSIDE,
    CONFITURE,
    DBMATE,
    ENGINE_INSIDE,
    FLOW,
    PLAIN,
)
from tests.benchmarks.copy_command import COMMANDS
from tests.benchmarks.copy_peers import CONFITURE_COPY, PG_ANON, PG_ANON_BARE
from tests.benchmarks.measure import interleave
from tests.benchmarks.report import as_json, documents
from tests.benchmarks.run import Plan, run_all
from tests.benchmarks.section import Section
from tests.benchmarks.servers import durable_server
from tests.benchmarks.work import write_work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.benchmarks.measure import Series

_COPIES = (
    "no mask",
    "four cheap masks",
    "four hashes in Python",
    "four hashes in Python, 2 workers",
    "email, name, phone, address, proven",
    "custom Python on one column",
)
_HASHES, _KEYED = COMMANDS


@dataclass(frozen=True, slots=True)
class Suite:
    """What is measured, and where.

    Attributes:
        dsn: Of a durable server.
        folder: Empty; for files.
        prefect: Variables of a running Prefect server; empty leaves flows out.
        peers: The bin folder of other tools; None leaves them out.
        migrations: How many are applied.
        rows: How many are copied.
        rounds: How often each is measured.
        lint: Directories of migrations to lint; none takes what is applied.
        many: Numbers of migrations to grow through.
        long: Numbers of rows to grow through.
        tell: Told what is going on.
    """

    dsn: str
    folder: Path
    prefect: Mapping[str, str]
    peers: Path | None
    migrations: int
    rows: int
    rounds: int
    lint: tuple[Path, ...]
    many: tuple[int, ...]
    long: tuple[int, ...]
    tell: Callable[[str], None]

    def place(self, name: str) -> Path:
        """An empty folder of that name."""
        folder = self.folder / name
        folder.mkdir()
        return folder


def applying(suite: Suite) -> Section:
    """Migrations applied, nothing pending, and what a start costs."""
    plan = Plan(suite.migrations, suite.rounds, start_rounds=3 * suite.rounds)
    results = run_all(plan, suite.dsn, suite.place("apply"), suite.prefect, suite.tell, suite.peers)
    runs = {name: each["apply"].median for name, each in results.runs.items()}
    ratios = {"engine": runs[ENGINE_INSIDE] / runs[BARE_INSIDE], "plain": runs[PLAIN] / runs[BARE]}
    if FLOW in runs:
        ratios["flow_seconds"] = runs[FLOW] - runs[BARE]
    for name, key in ((DBMATE, "dbmate"), (ALEMBIC, "alembic"), (CONFITURE, "confiture")):
        if name in runs:
            ratios[key] = runs[name] / runs[PLAIN]
    return Section("benchmarks", documents(results), as_json(results), ratios)


def rehearsing(suite: Suite) -> Section:
    """A dry run in a scratch database beside a plain apply of the same migrations."""
    work = write_work(suite.place("dry-run"), suite.migrations)
    suite.tell("dry runs")
    cost = dry_runs.costs(work.pairs, suite.rounds)
    ratios = {"dry_run": cost.medians["with proof"] / cost.medians["plain"]}
    return Section("dry runs", (cost.document("A dry run"),), {"seconds": cost.seconds}, ratios)


def linting(suite: Suite) -> Section:
    """Files a second, and a warm run over files that do not change."""
    folders = suite.lint or (write_work(suite.place("lint"), 1000).pairs,)
    suite.tell("linting")
    found = lints.speeds(folders, suite.rounds)
    rates = {name: count / series.median for name, (count, series) in found.items()}
    ratios = {
        key: rates[lints.IN_PROCESS] / rates[name]
        for key, name in (("sqlfluff", lints.SQLFLUFF), ("squawk", lints.SQUAWK))
        if name in rates
    }
    tables = (lints.speed(found), lints.unchanged(1000, suite.rounds))
    figures = {
        name: {"files": count, "seconds": each.seconds} for name, (count, each) in found.items()
    }
    return Section("linting", tables, figures, ratios)


def copying(suite: Suite) -> Section:
    """An anonymized copy beside the bare loop, and beside others that mask."""
    with durable_server() as dsn:
        bench = copies.Bench(dsn, suite.rows)
        runs = {
            name: run
            for name, run in copies.ways(bench).items()
            if name == copies.BARE or name in _COPIES
        }
        if suite.peers:
            runs |= copies.beside(bench, suite.peers, suite.place("copy"))
        measured = {name: copies.with_processor(run) for name, run in runs.items()}
        found = interleave(measured, suite.rounds, suite.tell)
    whole = {name: each["whole"].median for name, each in found.items() if "whole" in each}
    bare = found[copies.BARE]["rows"].median
    ratios = {
        "copy_plain": bare / found["no mask"]["rows"].median,
        "copy_hashes": bare / found["four hashes in Python"]["rows"].median,
    }
    for key, theirs, ours in (
        ("pg_anon", PG_ANON, _HASHES),
        ("pg_anon_bare", PG_ANON_BARE, _HASHES),
        ("confiture_copy", CONFITURE_COPY, _KEYED),
    ):
        if theirs in whole:
            ratios[key] = whole[theirs] / whole[ours]
    figures = {
        name: {figure: each.seconds for figure, each in figures.items()}
        for name, figures in found.items()
    }
    return Section("copies", (_copies(found, suite.rows),), figures, ratios)


def growing(suite: Suite) -> Section:
    """How time grows with the number of migrations and of rows."""
    migrations = growth.of_migrations(suite.dsn, suite.many, suite.tell)
    rows = growth.of_rows(suite.long, suite.tell)
    tables = (
        growth.growth("Growth with the number of migrations", "migration", migrations),
        growth.growth("Growth with the rows of a copy", "row", rows),
    )
    figures = {
        "migrations": {label: each.points for label, each in migrations.items()},
        "rows": {label: each.points for label, each in rows.items()},
    }
    return Section("growth", tables, figures)


PARTS: Mapping[str, Callable[[Suite], Section]] = {
    "apply": applying,
    "dry-run": rehearsing,
    "lint": linting,
    "copy": copying,
    "growth": growing,
}


def _copies(found: Mapping[str, Mapping[str, Series]], count: int) -> Document:
    bare = found[copies.BARE]["rows"].median

    def row(name: str, figures: Mapping[str, Any]) -> tuple[str, ...]:
        rows, whole, memory = (figures.get(each) for each in ("rows", "whole", "memory"))
        ratio = figures.get("proof ratio")
        return (
            name,
            f"{rows.median:.2f}" if rows else "",
            f"{bare / rows.median:.2f}" if rows else "",
            " / ".join(f"{each:.2f}" for each in (whole.least, whole.median, whole.most))
            if whole
            else "",
            f"{figures['processor'].median:.1f}",
            f"{memory.most / (1 << 20):.0f}" if memory else "",
            f"{ratio.median:.2f}" if ratio else "",
        )

    heads = (
        "",
        "rows, s",
        "bare / rows",
        "whole, s (min / median / max)",
        "processor, s",
        "memory, MB",
        "proof / copy",
    )
    said = (
        "Medians. Rows alone stand beside the bare loop; the whole makes a database, reads the "
        "schema, builds keys, analyzes and takes the name, and is what stands beside other tools, "
        "which mask with digests that have no key (pg_anon) or load into a table that is there "
        "(fraiseql-confiture). Memory is that of the copy and its workers."
    )
    table = Table(heads, tuple(row(name, figures) for name, figures in found.items()))
    return Document(
        "An anonymized copy", (Facts((("rows", f"{count:,}"),)), table, Paragraph(said))
    )
