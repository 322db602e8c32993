"""What a failed run has applied -> undone again, plainly or as a flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.runs import quiet_prefect

if TYPE_CHECKING:
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.lifecycle import Request
    from confiture_flows.migrations.observer import Observer
    from confiture_flows.target import Target


def take_back_plainly(
    target: Target,
    request: Request,
    done: tuple[LedgerRow, ...],
    half_done: str | None,
    watch: Observer,
) -> None:
    """Undo it on one connection, without Prefect.

    Args:
        target: The database.
        request: Of the run that failed.
        done: What it has applied, in order; none of it repeatable.
        half_done: The version that it was stopped in.
        watch: Hears of it.

    Raises:
        ConfitureFlowsError: It failed; what was undone before stays undone.
    """
    from confiture_flows.migrations.lookout import another_connection
    from confiture_flows.migrations.plain import discover_for
    from confiture_flows.migrations.take_back import take_back
    from confiture_flows.target import connect

    migrations = discover_for(request, target).migrations
    with connect(target, "roll back") as conn:
        take_back(
            conn,
            target,
            migrations,
            done,
            half_done=half_done,
            observer=watch,
            another=another_connection(target),
        )


def take_back_by_flow(
    target: Target,
    request: Request,
    done: tuple[LedgerRow, ...],
    half_done: str | None,
    watch: Observer,
) -> None:
    """The same as a flow of Prefect's, on the server of its current profile; it may ask somebody.

    Raises:
        ConfitureFlowsError: It failed, or nobody has approved it.
        ConfigError: The Prefect server cannot be reached.
    """
    quiet_prefect()
    from confiture_flows.flows.run import take_back_as_flow
    from confiture_flows.migrations.observer import watched_by

    versions = tuple(row.version for row in done)
    with watched_by(watch):
        take_back_as_flow(target, request, versions, half_done, watch.said)
