"""`confiture-flows anonymize`."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path  # noqa: TC003 - cyclopts reads it
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from confiture_flows.cli._frame import DirectoryOptions, Outcome, Work, framed, quiet_prefect
from confiture_flows.config import GateName  # noqa: TC001 - cyclopts reads it
from confiture_flows.errors import ConfigError, ConfitureFlowsError

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.anonymization.copying.values import CopyOptions
    from confiture_flows.anonymization.planning import Planned
    from confiture_flows.anonymization.preview import Preview
    from confiture_flows.report.document import Document
    from confiture_flows.report.finding import Finding, Severity
    from confiture_flows.target import Target

Engine = Literal["auto", "sql", "python"]
ProofMode = Literal["full", "quick", "off"]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class CopyChoice:
    """What is copied where, and how."""

    source: Annotated[
        str | None,
        Parameter(name="--from", help="The target or block to copy; it is only read."),
    ] = None
    target: Annotated[
        str | None, Parameter(name="--to", help="The target or block to become the copy.")
    ] = None
    into: Annotated[Path | None, Parameter(help="A folder for files of COPY, instead of --to.")] = (
        None
    )
    dry_run: Annotated[
        bool,
        Parameter(
            help="Check everything, and show rows before and after; nothing is copied.", negative=""
        ),
    ] = False
    table: Annotated[
        tuple[str, ...],
        Parameter(
            help="Show rows of this table only (schema.table); may be repeated.", negative=""
        ),
    ] = ()
    rows: Annotated[int, Parameter(help="How many rows a table a dry run shows [default: 10].")] = (
        10
    )
    plain: Annotated[
        bool | None,
        Parameter(help="The same without Prefect; --no-plain overrides a plan file that says so."),
    ] = None
    workers: Annotated[int, Parameter(help="How many chunks are copied at once [default: 2].")] = 2
    engine: Annotated[
        Engine,
        Parameter(
            help="Where values are masked: the source's SQL, Python, or the cheaper "
            "[default: auto]."
        ),
    ] = "auto"
    replace: Annotated[
        bool, Parameter(help="Replace a target that no earlier copy has made.", negative="")
    ] = False
    end_sessions: Annotated[
        bool,
        Parameter(help="End sessions on the target when the copy takes its name.", negative=""),
    ] = False
    owners: Annotated[
        bool,
        Parameter(help="Copy owners and rights too; their roles have to be there.", negative=""),
    ] = False
    fail_on: Annotated[
        GateName | None,
        Parameter(help="The severity at which findings stop the copy, instead of the target's."),
    ] = None
    in_place: Annotated[
        bool,
        Parameter(
            help="Load the target's own tables, all of them empty, in one transaction.", negative=""
        ),
    ] = False
    proof: Annotated[
        ProofMode | None,
        Parameter(
            help="How the copy is looked at before it takes the target's name, instead of the "
            'configuration\'s "full".'
        ),
    ] = None
    plan_file: Annotated[
        Path | None,
        Parameter(help="What the wizard has saved; options given here come before it."),
    ] = None


_NOTHING = CopyChoice()


def anonymize(
    *,
    choice: CopyChoice = _NOTHING,
    json: Annotated[bool, Parameter(help="Print one JSON object.", negative="")] = False,
) -> int:
    """Copy a database, anonymized by the rules of confiture.toml, as a flow run.

    The copy is loaded beside the target and takes its name at the very end;
    --in-place loads the target's own tables. Exits 2 when rules are wrong, and
    4 when findings reach the gate; nothing is copied then. Exits 4 also when the
    proof finds a leak in the loaded copy; the target stays what it was.

    Args:
        choice: What is copied where, and how.
        json: Print one JSON object.
    """
    return framed("anonymize", DirectoryOptions(json=json), lambda work: _run(work, choice))


def _run(work: Work, asked: CopyChoice) -> Outcome:
    if asked.plan_file is None:
        return _copy(work, asked)
    from confiture_flows.cli._plan_file import follow

    found = follow(work, asked.plan_file, "anonymize")
    said, plan = found.plan.anonymization, found.plan
    asked = replace(
        asked,
        source=found.option("--from", asked.source, plan.source),
        target=found.option("--to", asked.target, plan.target) if asked.into is None else None,
        fail_on=found.option("--fail-on", asked.fail_on, plan.fail_on),
        plain=found.switch("plain", asked.plain, said=plan.plain),
        replace=asked.replace or (said.replace and asked.target is None and asked.into is None),
    )
    if asked.into is not None:
        found.option("--into", asked.into, plan.target)
    found.tell(work)
    return found.told_in(work, _copy(work, asked))


def _copy(work: Work, asked: CopyChoice) -> Outcome:
    _check(asked)
    source, place = _target(work, str(asked.source)), _place(work, asked)
    work.target_name = getattr(place, "name", str(place))
    from confiture_flows.anonymization.prepare import refuse_target

    refuse_target(source, place)  # before anybody waits for a Prefect server
    if asked.dry_run:
        return _dry_run(work, asked, source, place)
    from confiture_flows.runs.copy_progress import CopyProgress
    from confiture_flows.runs.copying import copy_as_flow, copy_plainly

    options = _options(work, asked)
    error: BaseException | None = None
    with (
        CopyProgress(sys.stderr, quiet=work.options.json) as progress,
        contextlib.redirect_stdout(sys.stderr),
    ):
        try:
            run = copy_plainly if asked.plain else copy_as_flow
            gate = asked.fail_on
            run(work.project, source, place, progress, options, fail_on=gate, proof=asked.proof)
        except ConfitureFlowsError as raised:
            error = raised
    found = progress.plan.findings if progress.plan else ()
    if progress.report is None:
        leaks = progress.proof
        return Outcome(
            {"proof": leaks.json()} if leaks else None,
            findings=_beside(error, found, work),
            error=error,
        )
    return Outcome(progress.report.json(), progress.report.document(), found, error)


def _beside(
    error: BaseException | None, findings: tuple[Finding, ...], work: Work
) -> tuple[Finding, ...]:
    """What is told beside an error.

    A person reads the end of a screen: there stands what stopped the copy, and what else could be
    better is told by a copy that succeeds and by a dry run. A program gets all.
    """
    return findings if work.options.json or error is None else ()


def _options(work: Work, asked: CopyChoice) -> CopyOptions:
    from confiture_flows.anonymization.copying.values import CopyOptions

    return CopyOptions(
        engine=asked.engine,
        workers=asked.workers,
        replace=asked.replace,
        end_sessions=asked.end_sessions,
        owners=asked.owners,
        modules=work.project.anonymization.strategies,
        in_place=asked.in_place,
    )


def _dry_run(work: Work, asked: CopyChoice, source: Target, place: Target | Path) -> Outcome:
    from confiture_flows.anonymization.copying.in_place import check_in_place
    from confiture_flows.anonymization.copying.refusals import database_to_load
    from confiture_flows.anonymization.keys import secret_of
    from confiture_flows.anonymization.outlook import plan_document, plan_json
    from confiture_flows.anonymization.plan import stop_if_refused
    from confiture_flows.anonymization.prepare import prepared
    from confiture_flows.runs.copying import refuse_block

    refuse_block(work.project)
    with prepared(work.project, source, place, secret_of(work.project)) as (conn, planned):
        if asked.in_place and not planned.plan.errors:
            check_in_place(conn, database_to_load(place, _options(work, asked)), planned.plan)
        previews = tuple(_previews(conn, planned, asked))
    gate = _gate(asked, place)
    error: BaseException | None = None
    try:
        stop_if_refused(planned.plan, gate)
    except ConfitureFlowsError as refused:
        error = refused
    name = getattr(place, "name", str(place))
    document = plan_document(planned.plan, source.name, name, gate=gate, findings=False)
    result = {**plan_json(planned.plan), "previews": [each.json() for each in previews]}
    return Outcome(result, _with_previews(document, previews), planned.findings, error)


def _previews(conn: Connection, planned: Planned, asked: CopyChoice) -> list[Preview]:
    from confiture_flows.anonymization.preview import preview_table

    names = {str(each.table): each for each in planned.tables}
    if unknown := [each for each in asked.table if each not in names]:
        raise ConfigError(
            f"No rows of {', '.join(unknown)} are copied.",
            next_step=f"Name one of: {', '.join(names)}.",
        )
    chosen = asked.table or [name for name, each in names.items() if each.changed]
    # What is wrong with a rule leaves nothing to show of its table.
    return [
        preview_table(conn, planned, name, asked.rows)
        for name in chosen
        if len(names[name].strategies) == len(names[name].rules)
    ]


def _with_previews(document: Document, previews: tuple[Preview, ...]) -> Document:
    """The plan, with rows below it; what the source holds goes to a terminal and nowhere else."""
    from confiture_flows.report.document import Paragraph

    hide = not sys.stdout.isatty()  # the log of a CI run, most likely
    blocks = list(document.blocks)
    for each in previews:
        shown = each.hidden_document() if hide else each.document()
        blocks += [Paragraph(f"{each.table}, before and after:"), *shown.blocks]
    return replace(document, blocks=tuple(blocks))


def _gate(asked: CopyChoice, place: Target | Path) -> Severity:
    from confiture_flows.report.finding import Severity

    return Severity.of(asked.fail_on or getattr(place, "fail_on", "error"))


def _check(asked: CopyChoice) -> None:
    wrong = {
        "Nothing says what to copy (--from, or --plan-file).": asked.source is None,
        "--from is empty.": asked.source == "",
        "--to is empty.": asked.target == "",
        "A copy goes to a target (--to) or into a folder (--into).": (asked.target is None)
        == (asked.into is None),
        "--in-place loads tables of a database: it excludes --into, --replace, --end-sessions and "
        "--owners.": asked.in_place
        and (asked.into is not None or asked.replace or asked.end_sessions or asked.owners),
        "--workers is a number of processes.": asked.workers < 1,
        "--rows is a number of rows.": asked.rows < 1,
        "--table is about what --dry-run shows.": bool(asked.table) and not asked.dry_run,
    }
    for message, is_so in wrong.items():
        if is_so:
            raise ConfigError(message, next_step="See anonymize --help.")


def _target(work: Work, name: str) -> Target:
    from confiture_flows.target import configured_target

    found = configured_target(work.project, name)
    if found is None:
        quiet_prefect()
        from confiture_flows.blocks.target import load_target

        found = load_target(name, work.project)
    return found


def _place(work: Work, asked: CopyChoice) -> Target | Path:
    return asked.into if asked.into is not None else _target(work, str(asked.target))
