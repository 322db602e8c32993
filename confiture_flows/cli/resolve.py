"""`confiture-flows resolve`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from confiture_flows.cli._frame import Options, Outcome, Work, framed

_DEFAULTS = Options()


def resolve(
    version: str | None = None,
    /,
    *,
    options: Options = _DEFAULTS,
    applied: Annotated[bool | None, Parameter(negative="--not-applied")] = None,
    all_: Annotated[bool, Parameter(name="--all", negative="")] = False,
) -> int:
    """Show which migrations are half done; or say how one stands, when only a person can tell.

    Args:
        version: The migration; all that are half done are shown when it is left out.
        options: Which database and directory.
        applied: Whether the statement that an earlier run was stopped in took effect.
        all_: Say it of the whole migration, whose rest was taken care of by hand.
    """
    return framed("resolve", options, lambda work: _run(work, version, applied, whole=all_))


def _run(work: Work, version: str | None, applied: bool | None, *, whole: bool) -> Outcome:
    from confiture_flows.errors import ConfigError
    from confiture_flows.migrations.report import unfinished_document, unfinished_json
    from confiture_flows.migrations.resolve import read_unfinished
    from confiture_flows.report.document import Document
    from confiture_flows.target import connect

    if applied is None and whole:
        raise ConfigError(
            "--all says nothing by itself.", next_step="Add --applied, or --not-applied."
        )
    if applied is not None and version is None:
        raise ConfigError(
            "Of which migration?", next_step="See which are half done: confiture-flows resolve"
        )
    target = work.target()
    if version is not None and applied is not None:
        return _settle(work, version, applied=applied, whole=whole)
    with connect(target, "resolve") as conn:
        found = read_unfinished(conn, target.ledger)
    if version is None:
        return Outcome(unfinished_json(found), unfinished_document(found, target.name))
    found = tuple(each for each in found if each.version == version)
    document = Document(f"{target.name}: {version} is not half done")
    return Outcome(
        unfinished_json(found), unfinished_document(found, target.name) if found else document
    )


def _settle(work: Work, version: str, *, applied: bool, whole: bool) -> Outcome:
    from confiture_flows.migrations.plain import discover_for
    from confiture_flows.migrations.resolve import resolve as settle
    from confiture_flows.report.document import Document
    from confiture_flows.target import connect

    target = work.target()
    migration = None
    if whole and applied:
        known = discover_for(work.request(), target).migrations
        migration = next((each for each in known if each.version == version), None)
    with connect(target, "resolve") as conn:
        outcome = settle(
            conn,
            version,
            applied=applied,
            migration=migration,
            whole=whole,
            limits=target.limits,
            ledger=target.ledger,
        )
    return Outcome({"version": version, "next": outcome}, Document(f"{version}: {outcome}"))
