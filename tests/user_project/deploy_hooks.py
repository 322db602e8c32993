"""Hooks as a team would write them, against the package's public names."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from confiture_flows.plugins import (
    HookContext,
    HookPoint,
    HookResult,
    HookSummary,
    hook,
    report_progress,
)


@hook(HookPoint.BEFORE_APPLY, timeout=30, retries=1)
def freeze_deploys(context: HookContext) -> HookResult:
    planned = [step.migration.version for step in context.plan.steps] if context.plan else []
    report_progress(1.0, "frozen")
    return HookResult(message=f"frozen for {context.target}", data={"migrations": len(planned)})


@hook("after_apply", transaction="own", on_failure="rollback")
def still_answers(context: HookContext, conn: Connection[Any]) -> str:
    row = conn.execute("SELECT 1").fetchone()
    if row is None:
        raise RuntimeError("no answer")
    return f"answered after {context.elapsed:.1f} s"


def line_of(summary: HookSummary) -> str:
    return f"{summary.target}: {', '.join(summary.done)}"
