"""Plan -> a name of the flow run that says what it does: "migrate prod 0042..0047"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.logging import get_run_logger

from confiture_flows.blocks._asking import NO_ANSWER

if TYPE_CHECKING:
    from confiture_flows.migrations.plan import Plan


def name_run(plan: Plan, target: str) -> None:
    """Put the versions of a plan behind the run's name, where that is its flow and its target.

    A name that somebody has given to the run stays, and so does that of a run with nothing to do.
    """
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    flow = context.flow if context else None
    if run is None or flow is None or run.name != f"{flow.name} {target}" or not plan.steps:
        return
    name = f"{run.name} {plan.span}"
    try:
        with get_client(sync_client=True) as client:
            client.set_flow_run_name(run.id, name)
    except NO_ANSWER as error:
        get_run_logger().warning("The run could not be renamed to %r: %s", name, error)
    else:
        run.name = name
