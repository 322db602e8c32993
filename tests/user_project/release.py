"""A flow of a team's own, of our tasks, flows and blocks."""

from __future__ import annotations

from pathlib import Path

from prefect import flow

from confiture_flows import ConfitureFlowsError, Target, migrate_flow, rollback_flow, tasks
from confiture_flows.blocks import PostgresTarget
from confiture_flows.flows import dry_run_flow, lint_flow


@flow
def release(name: str, directory: str) -> tuple[str, ...]:
    """Lint, dry-run, migrate; and back again when it fails."""
    lint_flow(directory=directory)
    report = dry_run_flow(target=name, directory=directory)
    if report.table_locks > 100:
        raise RuntimeError("that many locks want a maintenance window")
    try:
        done = migrate_flow(target=name, directory=directory)
    except ConfitureFlowsError as error:
        print(error.message, error.next_step, error.exit_code)
        rollback_flow(target=name, directory=directory)
        raise
    return tuple(row.version for row in done.done or ())


@flow
def apply_by_hand(block: str, directory: str) -> int:
    """The stages one by one."""
    loaded = PostgresTarget.load(block)
    assert isinstance(loaded, PostgresTarget)
    target: Target = loaded.to_target(block)
    found = tasks.discover_migrations(Path(directory))
    rows = tasks.read_ledger(target)
    plan = tasks.plan_migrations(found, rows)
    return len(tasks.apply_plan(target, plan))
