"""Flow parameters + configuration -> Request."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from confiture_flows.config import DryRunName, GateName, OutOfOrder, load_project
from confiture_flows.migrations.lifecycle import Request

Transaction = Literal["auto", "as-written"]


def make_request(
    directory: str | None,
    layout: str | None,
    transaction: Transaction | None,
    to: str | None,
    out_of_order: OutOfOrder | None = None,
    *,
    single_transaction: bool = False,
    dry_run: DryRunName | None = None,
    fail_on: GateName | None = None,
) -> Request:
    """What a flow was asked to do; what it was not told, the configuration says.

    Raises:
        ConfigError: The configuration is wrong.
    """
    project = load_project()
    folder = Path(directory) if directory else project.directory
    return Request(
        directory=folder,
        layout=layout or project.layout,
        as_written=transaction == "as-written" if transaction else project.as_written,
        to=to,
        replaced=project.replace_placeholders,
        root=project.include_root(folder),
        out_of_order=out_of_order,
        single_transaction=single_transaction,
        dry_run=dry_run,
        fail_on=fail_on,
    )
