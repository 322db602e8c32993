"""Results -> tables, verdicts and JSON. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_flows.report.document import Document, Facts, Paragraph, Table
from tests.benchmarks.candidates import (
    ALEMBIC,
    BARE,
    BARE_INSIDE,
    CONFITURE,
    DBMATE,
    ENGINE_FLUSH_RUN,
    ENGINE_INSIDE,
    FLOW,
    HELP,
    PLAIN,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.benchmarks.measure import Series

# What each is compared with.
_YARDSTICKS = {
    BARE: BARE,
    PLAIN: BARE,
    FLOW: BARE,
    DBMATE: BARE,
    ALEMBIC: BARE,
    CONFITURE: BARE,
    BARE_INSIDE: BARE_INSIDE,
    ENGINE_INSIDE: BARE_INSIDE,
    ENGINE_FLUSH_RUN: BARE_INSIDE,
}
_LABELS = (
    "start Python",
    "import cyclopts",
    "import rich",
    "import confiture_flows",
    "import psycopg",
    "import postgast",
    "import prefect",
    "command line",
    "connect",
    "discover",
    "read ledger",
    "validate",
    "parse",
    "plan",
    "apply",
    "verify",
    "log lines, events",
    "publish report",
    "print progress",
    "print outcome",
    "Prefect: start flow",
    "Prefect: task runs",
    "Prefect: end flow",
    "Prefect: heartbeat ends",
    "end Python",
    "",
)
"""Of a trace, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Results:
    """All figures of one run of the benchmarks.

    Attributes:
        migrations: How many were applied each time.
        rounds: How often each was measured.
        machine: What it ran on.
        runs: By candidate, then "apply" and "nothing".
        starts: By command.
        traces: By kind, then by label: seconds of the least disturbed run.
    """

    migrations: int
    rounds: int
    machine: Mapping[str, str]
    runs: Mapping[str, Mapping[str, Series]]
    starts: Mapping[str, Series]
    traces: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A figure that was promised, and how it came out.

    Attributes:
        promise: What was promised.
        limit: The most it may be.
        median: Of the medians.
        least: Of the minima, where a busy machine disturbs less.
        unit: Of the three.
    """

    promise: str
    limit: float
    median: float
    least: float
    unit: str

    @property
    def met(self) -> bool:
        """Whether the medians keep the promise."""
        return self.median <= self.limit


def verdicts(results: Results) -> tuple[Verdict, ...]:
    """The promises that this run can judge."""
    runs = results.runs
    found: list[Verdict] = []
    for name in (ENGINE_INSIDE, PLAIN):
        one, bare = runs[name]["apply"], runs[_YARDSTICKS[name]]["apply"]
        promise = f"{name}: at most 1.2 times the {_YARDSTICKS[name]}"
        found.append(
            Verdict(promise, 1.2, one.median / bare.median, one.least / bare.least, "times")
        )
    one, bare = runs[PLAIN]["nothing"], runs[BARE]["nothing"]
    found.append(_above(f"{PLAIN}, nothing pending: at most 0.2 s above", 0.2, one, bare))
    if FLOW in runs:
        one, bare = runs[FLOW]["apply"], runs[BARE]["apply"]
        found.append(_above(f"{FLOW}: at most 3 s above", 3.0, one, bare))
    if HELP in results.starts:
        took = results.starts[HELP]
        promise = f"{HELP}: near 0.15 s (no more than 0.18)"
        found.append(Verdict(promise, 0.18, took.median, took.least, "s"))
    return tuple(found)


def _above(promise: str, limit: float, one: Series, bare: Series) -> Verdict:
    return Verdict(
        f"{promise} the {BARE}", limit, one.median - bare.median, one.least - bare.least, "s"
    )


def documents(results: Results) -> tuple[Document, ...]:
    """Everything, a document a table."""
    number = results.migrations
    return (
        Document("The machine", (Facts(tuple(results.machine.items())),)),
        _promised(results),
        Document(
            f"{number} small migrations on a new database",
            (_runs(results, "apply"), Paragraph(_HOW)),
        ),
        Document("Nothing pending", (_runs(results, "nothing"),)),
        Document("Starting", (_starts(results.starts),)),
        Document(
            f"Where the time goes, {number} migrations, milliseconds",
            (_traces(results.traces), Paragraph(_TRACED)),
        ),
    )


_HOW = (
    "Seconds. A whole process from its start to its end, unless in-process: there the clock "
    "starts when everything is imported. The ratio is to the bare loop measured the same way, "
    "of medians and of minima. All write through to the disk before they go on."
)
_TRACED = (
    "The least disturbed of several runs. A label does not contain those inside it: an import "
    "counts apart from whoever asked for it, apply is mostly waiting for the server, and the "
    "stopwatch itself costs some milliseconds."
)


def _promised(results: Results) -> Document:
    rows = tuple(
        (
            each.promise,
            f"{each.median:.2f} {each.unit}",
            f"{each.least:.2f} {each.unit}",
            "met" if each.met else "NOT MET",
        )
        for each in verdicts(results)
    )
    return Document("Promised", (Table(("promise", "by medians", "by minima", ""), rows),))


def _runs(results: Results, figure: str) -> Table:
    rows: list[tuple[str, ...]] = []
    for name, yardstick in _YARDSTICKS.items():
        if name not in results.runs:
            continue
        one, bare = results.runs[name][figure], results.runs[yardstick][figure]
        ratios = f"{one.median / bare.median:.2f}", f"{one.least / bare.least:.2f}"
        rows.append((name, *_seconds(one), *(("1", "1") if name == yardstick else ratios)))
    return Table(("", "min", "median", "max", "ratio", "of minima"), tuple(rows))


def _starts(starts: Mapping[str, Series]) -> Table:
    rows = tuple((name, *_seconds(series)) for name, series in starts.items())
    return Table(("", "min", "median", "max"), rows)


def _seconds(series: Series) -> tuple[str, str, str]:
    return f"{series.least:.3f}", f"{series.median:.3f}", f"{series.most:.3f}"


def _traces(traces: Mapping[str, Mapping[str, float]]) -> Table:
    seen = {label for seconds in traces.values() for label in seconds}
    labels = [label for label in _LABELS if label in seen]
    labels[-1:-1] = sorted(seen.difference(labels))
    rows = tuple(
        (
            label or "whole run",
            *(f"{each[label] * 1000:.0f}" if label in each else "" for each in traces.values()),
        )
        for label in labels
    )
    return Table(("", *traces), rows)


def as_json(results: Results) -> dict[str, Any]:
    """Everything, every round's figure."""
    return {
        "migrations": results.migrations,
        "rounds": results.rounds,
        "machine": dict(results.machine),
        "runs": {
            name: {figure: each.seconds for figure, each in figures.items()}
            for name, figures in results.runs.items()
        },
        "starts": {name: each.seconds for name, each in results.starts.items()},
        "traces": {name: dict(seconds) for name, seconds in results.traces.items()},
        "promises": [
            {
                "promise": each.promise,
                "limit": each.limit,
                "median": each.median,
                "least": each.least,
                "met": each.met,
            }
            for each in verdicts(results)
        ],
    }
