"""`confiture-flows detect`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - cyclopts reads the annotations
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from confiture_flows.cli._frame import Options, Outcome, Work, framed

if TYPE_CHECKING:
    from confiture_flows.anonymization.detection_report import DetectionReport


def detect(
    target: str | None = None,
    /,
    *,
    dsn: str | None = None,
    sample: int = 200,
    samples: bool = True,
    min_score: float = 0.5,
    write: Annotated[bool, Parameter(negative="")] = False,
    into: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Find columns that look personal, and propose column rules. Only reads; shows no value.

    Args:
        target: A target of confiture.toml, or a PostgresTarget block.
        dsn: Connection string instead of a target; also in CONFITURE_DSN.
        sample: How many rows of each table to look at.
        samples: Whether to look at rows at all; --no-samples judges by names and types.
        min_score: From which score on, 0 to 1, a column is reported.
        write: Add the rules to confiture.toml; what is there stays as it is.
        into: Add them to this file instead.
        json: Print one JSON object.
    """
    options = Options(target=target, dsn=dsn, json=json)
    rows = sample if samples else 0
    return framed("detect", options, lambda work: _run(work, rows, min_score, into, write=write))


def _run(work: Work, rows: int, least: float, into: Path | None, *, write: bool) -> Outcome:
    from dataclasses import replace

    from confiture_flows.anonymization.proposal import write_rules
    from confiture_flows.errors import ConfigError

    if rows < 0 or not 0 <= least <= 1:
        raise ConfigError("--sample is 0 or more, and --min-score between 0 and 1.")
    path = into or (work.project.source if write else None)
    if write and path is None:
        raise ConfigError(
            "There is no confiture.toml to write into.", next_step="Say where: --into FILE."
        )
    report = _found(work, rows, least)
    if path and report.rules:
        write_rules(report.rules, path)
        report = replace(report, written=path)
    return Outcome(report.json(), report.document(str(work.target_name)))


def _found(work: Work, rows: int, least: float) -> DetectionReport:
    from confiture_flows.anonymization.detection import detect_personal
    from confiture_flows.anonymization.detection_report import DetectionReport
    from confiture_flows.anonymization.proposal import is_covered, proposed_rules
    from confiture_flows.anonymization.rules import rules_of
    from confiture_flows.anonymization.sampling import SampleLimits, sample_source
    from confiture_flows.anonymization.source import read_source
    from confiture_flows.target import connect

    rules = rules_of(work.project)
    with connect(work.target(), "detect") as conn:
        # Even the size of a table waits for who has locked it.
        conn.execute("SET lock_timeout = '10s'")
        sampled = sample_source(conn, read_source(conn), SampleLimits(rows=rows))
    found = detect_personal(sampled.columns, least=least)
    bare = tuple(each for each in found if not is_covered(rules, each.column))
    covered = len({each.column for each in found}) - len({each.column for each in bare})
    return DetectionReport(
        len(sampled.columns), sampled.rows, bare, covered, proposed_rules(bare), sampled.unread
    )
