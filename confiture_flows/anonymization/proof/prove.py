"""A loaded copy and its source -> LeakReport. Reads both; changes neither."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_flows.anonymization.proof.constraints import (
    check_anonymity,
    check_foreign_keys,
    refuse_unknown,
)
from confiture_flows.anonymization.proof.report import LeakCheck, LeakReport, ProofOptions
from confiture_flows.anonymization.proof.search import ValueSearch
from confiture_flows.anonymization.proof.selection import selection_of
from confiture_flows.anonymization.proof.sessions import open_sessions
from confiture_flows.anonymization.proof.tables import TableProof
from confiture_flows.anonymization.proof.workshop import open_workshop
from confiture_flows.anonymization.rules import Pattern
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from confiture_flows.anonymization.copying.values import CopyAccess
    from confiture_flows.anonymization.plan import CopyPlan, PlannedTable
    from confiture_flows.anonymization.proof.jobs import Job
    from confiture_flows.anonymization.proof.report import ProofMode
    from confiture_flows.anonymization.proof.selection import ComparedTable
    from confiture_flows.anonymization.proof.sessions import ProofSessions
    from confiture_flows.config import Project

# They are in one set a part, and columns in two: so many more may be in it.
_ORIGINALS_MORE = 4
_WORTH_PROCESSES = 32 << 20


def prove_copy(
    access: CopyAccess, plan: CopyPlan, rows: Mapping[str, int], options: ProofOptions
) -> LeakReport:
    """Compare a loaded copy with the source, as of the copy's snapshot.

    Args:
        access: Of the copy, whose snapshot is still held.
        plan: What was to be copied.
        rows: How many rows the copy has written, by table.
        options: What is proven.

    Returns:
        What was found; a failure is returned, not raised.

    Raises:
        CopyError: A statement failed, or the snapshot is gone.
        TargetError: A server does not answer.
    """
    started = time.monotonic()
    if options.mode == "off":
        checks: tuple[LeakCheck, ...] = (_unseen("proof", "the proof is switched off"),)
    elif isinstance(access.place, Path):
        checks = (_unseen("proof", "files cannot be queried; load them, and prove that copy"),)
    elif access.options.in_place:
        # They are in one transaction with the target's own tables, which hold our lock.
        unseen = "rows loaded in place are not committed yet, so that no other session sees them"
        checks = (_unseen("proof", unseen),)
    else:
        with open_sessions(access) as sessions:
            tables = {str(each): each for each in plan.tables}
            checks = tuple(
                _accepted(each, tables.get(each.table), options)
                for each in _checks(sessions, access, plan, rows, options)
            )
    return LeakReport(options.mode, checks, time.monotonic() - started)


def proof_options(project: Project, plan: CopyPlan, mode: ProofMode | None = None) -> ProofOptions:
    """What a project wants to be proven of a planned copy.

    Args:
        project: What the configuration says.
        plan: What is going to be copied.
        mode: Instead of the configuration's.

    Raises:
        ConfigError: It names what is not copied.
    """
    said = project.anonymization.proof
    try:
        accept = tuple(Pattern.read(each, 3) for each in said.accept)
        options = ProofOptions(
            mode or said.mode, said.on_leak, said.quasi_identifiers, said.k, accept
        )
        refuse_unknown(plan, options)
    except ConfigError as error:
        error.file = error.file or project.source
        raise
    return options


def _checks(
    sessions: ProofSessions,
    access: CopyAccess,
    plan: CopyPlan,
    rows: Mapping[str, int],
    options: ProofOptions,
) -> Iterator[LeakCheck]:
    quick = options.mode == "quick"
    tables = tuple(
        selection_of(each, access.secret, quick=quick) for each in plan.tables if each.copied
    )
    most, processes = _hashes_at_once(tables, rows), not quick and _is_much(tables)
    with open_workshop(access, sessions.sides, most, processes=processes) as workshop:
        search = ValueSearch(sessions, workshop, tables)
        proofs = [
            TableProof(
                sessions,
                workshop,
                each,
                rows.get(str(each.table), 0),
                () if quick else search.searched(each),
            )
            for each in tables
        ]
        workshop.run(_readings(proofs, None if quick else search))
        workshop.run(chain.from_iterable(each.comparisons() for each in proofs))
        for each in proofs:
            yield from each.checks()
            if not quick:
                search.gather(each)
        yield from check_foreign_keys(sessions, plan)
        yield from check_anonymity(sessions, plan, options)
        if quick:
            yield _unseen("column.elsewhere", "values of masked columns within all other columns")
            return
        yield from search.checks()


def _readings(
    proofs: list[TableProof], search: ValueSearch | None
) -> Iterator[tuple[Job, Callable[[Any], None]]]:
    """Everything that is read, the largest tables first: what ends last should be small."""
    for each in sorted(proofs, key=lambda each: -each.selected.table.size):
        yield from each.readings()
        if search:
            yield from search.scans(each.selected)


def _is_much(tables: tuple[ComparedTable, ...]) -> bool:
    """Whether processes are worth their start."""
    return sum(each.table.size for each in tables) >= _WORTH_PROCESSES


def _hashes_at_once(tables: tuple[ComparedTable, ...], rows: Mapping[str, int]) -> int:
    """How many hashes have to be parted: of a column, or of all that are looked for elsewhere."""
    originals = sum(
        rows.get(str(each.table), 0) * sum(masked.telling for masked in each.masked)
        for each in tables
    )
    return max(originals // _ORIGINALS_MORE, *rows.values(), 0)


def _unseen(code: str, said: str) -> LeakCheck:
    return LeakCheck(code, "not looked at", "the whole copy", "", said)


def _accepted(check: LeakCheck, table: PlannedTable | None, options: ProofOptions) -> LeakCheck:
    """A failure that the configuration accepts is a remark."""
    if check.verdict != "failed" or not check.column or table is None:
        return check
    names = (table.schema, table.name, check.column)
    if any(each.matches(*names) for each in options.accept):
        return replace(check, verdict="remark", said=f"{check.said}; accepted")
    return check
