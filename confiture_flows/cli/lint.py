"""`confiture-flows lint`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path  # noqa: TC003 - cyclopts reads the annotations
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from confiture_flows.cli._frame import DirectoryOptions, Options, Outcome, Work, framed

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_flows.lint.report import LintReport
    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.target import Target

Format = Literal["text", "json", "sarif", "github", "gitlab", "junit", "markdown"]
Gate = Literal["info", "warning", "error"]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class LintChoice:
    """Which migrations, and what becomes of the findings."""

    live: Annotated[
        str | None,
        Parameter(help="A target: what it holds decides, and drift is told."),
    ] = None
    all: Annotated[bool, Parameter(help="All migrations, also applied ones.", negative="")] = False
    pending: Annotated[
        bool, Parameter(help="Those not applied; the default with --live.", negative="")
    ] = False
    since: Annotated[
        str | None, Parameter(help="Those whose files changed since a revision of git.")
    ] = None
    catalog: Annotated[
        bool, Parameter(help="With --live, judge the database itself too.", negative="")
    ] = False
    cache: Annotated[bool, Parameter(help="Take what has not changed from the user's cache.")] = (
        True
    )
    style: Annotated[
        bool | None, Parameter(help="Run sqlfluff's own rules too, as the project has set them.")
    ] = None
    fix: Annotated[bool, Parameter(help="Mend what a program can mend.", negative="")] = False
    baseline: Annotated[
        Path | None, Parameter(help="Leave out the findings that this file lists.")
    ] = None
    write_baseline: Annotated[
        Path | None, Parameter(help="Write all findings into this file as known.")
    ] = None
    write_statistics: Annotated[
        Path | None,
        Parameter(help="With --live, write the sizes of its tables into this file, and no more."),
    ] = None


_PASSES = 5
_DEFAULTS, _CHOICE = DirectoryOptions(), LintChoice()


def lint(
    *,
    options: DirectoryOptions = _DEFAULTS,
    choice: LintChoice = _CHOICE,
    format: Format = "text",  # noqa: A002 - the option's name
    fail_on: Gate = "error",
) -> int:
    """Judge migrations by rules that know the history. Changes nothing, but with --fix.

    Exits 4 when findings reach --fail-on.

    Args:
        options: Which directory.
        choice: Which migrations.
        format: How to print what is found.
        fail_on: The severity that fails.
    """
    wanted: Format = "json" if options.json else format
    options = replace(options, json=wanted == "json")
    return framed("lint", options, lambda work: _run(work, choice, wanted, fail_on))


def _run(work: Work, choice: LintChoice, wanted: Format, fail_on: Gate) -> Outcome:
    from confiture_flows.errors import ConfigError
    from confiture_flows.lint.baseline import without_known, write_baseline
    from confiture_flows.lint.report import gate_error
    from confiture_flows.report.document import Document
    from confiture_flows.report.finding import Severity

    if sum((choice.all, choice.pending, choice.since is not None)) > 1:
        raise ConfigError("--all, --pending and --since exclude one another.")
    if (choice.pending or choice.catalog or choice.write_statistics) and not choice.live:
        raise ConfigError(
            "What is pending, and what is there, a database knows.", next_step="Add --live TARGET."
        )
    if choice.write_statistics:
        return _statistics(work, choice, choice.write_statistics)
    judge = _live_judge(work, choice) if choice.live else _judge(work, choice)
    directory, report = judge()
    mended = 0
    # What one rule writes another may mend; of edits that overlap only the first is made.
    for _ in range(_PASSES if choice.fix else 0):
        if not (done := _mend(report, directory)):
            break
        mended += done
        directory, report = judge()
    if mended:
        said = f"Mended: {mended}. Read what it did before it runs."
        report = replace(report, notes=(said, *report.notes))
    if choice.write_baseline:
        known, gone = write_baseline(report, choice.write_baseline)
        out = f" Gone from it: {gone}, which nothing matched." if gone else ""
        said = f"Written: {known} findings into {choice.write_baseline}.{out}"
        done = {"baseline": choice.write_baseline, "known": known, "gone": gone}
        return Outcome(done, Document(said))
    baseline = choice.baseline or work.project.lint.baseline
    if baseline:
        report = without_known(report, baseline)
    error = gate_error(report, Severity.of(fail_on))
    if wanted not in ("text", "json"):
        _print_as(report, wanted, str(directory.path))
        return Outcome(error=error)
    result = {**report.json(), "mended": mended}
    shown = report.document(str(directory.path))
    return Outcome(result, shown, report.plain, error, report.plain)


def _judge(work: Work, choice: LintChoice) -> Callable[[], tuple[Directory, LintReport]]:
    """What judges the files alone, each time as they are then."""
    from confiture_flows.lint.cache import user_cache
    from confiture_flows.lint.history import judge_history
    from confiture_flows.lint.judging import judge_migrations
    from confiture_flows.lint.settings import settings_of
    from confiture_flows.migrations.discovery import discover

    request = work.request()
    settings = settings_of(work.project, style=choice.style)
    cache = user_cache() if choice.cache else None

    def judged() -> tuple[Directory, LintReport]:
        directory = discover(
            request.directory, layout=request.layout, as_written=request.as_written
        )
        only = _changed(directory, choice)
        report = judge_migrations(
            directory.migrations,
            settings=settings,
            only=only,
            together=only is not None,
            cache=cache,
        )
        return directory, report.beside(judge_history(directory, settings, only=only))

    return judged


def _changed(directory: Directory, choice: LintChoice) -> frozenset[str] | None:
    """What --since chooses; None when it is not said."""
    from confiture_flows.lint.selection import changed_versions

    if choice.since is None:
        return None
    return changed_versions(directory.path, directory.migrations, choice.since)


def _live_judge(work: Work, choice: LintChoice) -> Callable[[], tuple[Directory, LintReport]]:
    """What judges the files by what a database holds, which is read once."""
    from confiture_flows.lint.cache import user_cache
    from confiture_flows.lint.catalog_judging import judge_catalog
    from confiture_flows.lint.history import judge_history
    from confiture_flows.lint.live import read_live
    from confiture_flows.lint.pending import judge_all, judge_pending
    from confiture_flows.lint.settings import settings_of
    from confiture_flows.migrations.edits import with_edits
    from confiture_flows.migrations.ledger import read_ledger
    from confiture_flows.migrations.plain import discover_for
    from confiture_flows.target import connect

    request = work.request()
    settings = settings_of(work.project, style=choice.style)
    cache = user_cache() if choice.cache else None
    target = _live(work, choice)
    with connect(target, "lint") as conn:
        rows = read_ledger(conn, target.ledger)
        live = read_live(conn, target.ledger)
        found = judge_catalog(conn, settings.severities, target.ledger) if choice.catalog else ()
        downs = with_edits(conn, target.ledger, discover_for(request, target), ())

    def judged() -> tuple[Directory, LintReport]:
        directory = discover_for(request, target)
        if choice.all:
            report = judge_all(directory, rows, live, settings, cache=cache)
        else:
            changed = _changed(directory, choice)
            report = judge_pending(directory, rows, live, settings, changed=changed, cache=cache)
        history = judge_history(directory, settings, rows=rows, target=target, more=downs)
        return directory, replace(report.beside(history), database=(*report.database, *found))

    return judged


def _statistics(work: Work, choice: LintChoice, path: Path) -> Outcome:
    """Write the sizes of the tables of a database, for builds that have none."""
    from confiture_flows.lint.live import read_sizes
    from confiture_flows.lint.statistics import write_statistics
    from confiture_flows.report.document import Document
    from confiture_flows.target import connect

    target = _live(work, choice)
    with connect(target, "lint") as conn:
        count = write_statistics(read_sizes(conn, target.ledger), path)
    said = f"Written: {count} tables into {path}."
    return Outcome({"statistics": path, "tables": count}, Document(said))


def _live(work: Work, choice: LintChoice) -> Target:
    """The target that --live names."""
    live = Work(Options(target=choice.live))
    target = live.target()
    work.target_name = target.name
    return target


def _mend(report: LintReport, directory: Directory) -> int:
    """Write what can be mended into the files, or into a migration of its own."""
    from datetime import UTC, datetime

    from confiture_flows.lint.fixes import (
        added_statements,
        mend_files,
        write_mended,
        write_migration,
    )

    mended = mend_files(report.findings)
    for path, text in mended.items():
        write_mended(path, text)
    added = added_statements(report.findings)
    if added:
        write_migration(directory, added, datetime.now(UTC))
    return sum(each.mendable for each in report.findings)


def _print_as(report: LintReport, wanted: Format, where: str) -> None:
    from importlib.metadata import version

    from confiture_flows.report import ci
    from confiture_flows.report.markdown import render_markdown
    from confiture_flows.report.sarif import render_sarif

    match wanted:
        case "sarif":
            print(render_sarif(report.remarks, version("confiture-flows")))
        case "github":
            print(ci.render_github(report.remarks))
        case "gitlab":
            print(ci.render_gitlab(report.remarks))
        case "junit":
            print(ci.render_junit(report.remarks))
        case _:
            print(render_markdown(report.document(where)))
