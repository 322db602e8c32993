"""A real Prefect server for the session, and ways to ask it what it was told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogHandler

from confiture_flows.cli.prefect_server import TemporaryServer
from tests.support import eventually


@pytest.fixture
def prefect_client(prefect_server: TemporaryServer) -> Iterator[SyncPrefectClient]:
    with get_client(sync_client=True) as client:
        yield client


@pytest.fixture
def ask(prefect_client: SyncPrefectClient) -> Callable[[str, dict[str, Any]], Any]:
    """POST to the server's API: `ask("/artifacts/filter", {...})`."""

    def post(path: str, body: dict[str, Any]) -> Any:
        response = prefect_client._client.post(path, json=body)
        response.raise_for_status()
        return response.json()

    return post


@pytest.fixture
def told() -> Callable[[], None]:
    """Wait until all logs and events of this process have reached the server."""

    def flush() -> None:
        APILogHandler().flush()
        EventsWorker.drain_all(timeout=10)

    return flush


@pytest.fixture
def latest_run(
    prefect_client: SyncPrefectClient, ask: Callable[[str, dict[str, Any]], Any]
) -> Callable[[], Any]:
    """The flow run that was to begin last, of those that a schedule has not put off."""

    def find() -> Any:
        until_now = {"expected_start_time": {"before_": datetime.now(UTC).isoformat()}}
        wanted = {"flow_runs": until_now, "sort": "EXPECTED_START_TIME_DESC", "limit": 1}
        runs = ask("/flow_runs/filter", wanted)
        return prefect_client.read_flow_run(UUID(runs[0]["id"]))

    return find


@pytest.fixture
def run_events(ask: Callable[..., Any], told: Callable[[], None]) -> Callable[..., list[Any]]:
    """The events of a run that are ours or of assets, in order; waits for the last."""

    def read(run_id: Any) -> list[Any]:
        told()
        about = {"id": [f"prefect.flow-run.{run_id}"]}
        kinds = {"prefix": ["confiture.", "prefect.asset."]}
        wanted = {"filter": {"event": kinds, "related": about, "order": "ASC"}, "limit": 50}
        # The server keeps events some seconds after it has got them.
        return eventually(
            lambda: ask("/events/filter", wanted)["events"],
            lambda found: any(each["event"].startswith("confiture.run.") for each in found),
            seconds=60,
        )

    return read
