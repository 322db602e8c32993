"""What serves runs of deployments, and ways to ask the Prefect server what it was told."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events.worker import EventsWorker
from prefect.flow_runs import resume_flow_run
from prefect.logging.handlers import APILogHandler

from confiture_flows.cli.prefect_server import TemporaryServer
from tests.browser import open_browser, why_not
from tests.support import eventually, serving


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


@dataclass(frozen=True)
class Served:
    """The deployments of deployments/serve.py, run in a folder; one run at a time.

    Attributes:
        folder: Where runs start; what a test writes there is there for the next one, too.
        process: That serves.
    """

    folder: Path
    process: subprocess.Popen[bytes]

    def configure(self, text: str) -> None:
        """Write confiture.toml, which each run reads anew."""
        (self.folder / "confiture.toml").write_text(text)

    def run(self, client: SyncPrefectClient, flow: str = "migrate", **parameters: Any) -> UUID:
        """Create a run, and do not wait for it."""
        deployment = client.read_deployment_by_name(f"{flow}/{flow}")
        return client.create_flow_run_from_deployment(deployment.id, parameters=parameters).id


@pytest.fixture(scope="session")
def served(
    tmp_path_factory: pytest.TempPathFactory, prefect_server: TemporaryServer
) -> Iterator[Served]:
    """One such process for all tests, since each takes seconds to start."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "confiture.toml").write_text("")

    def known() -> set[str]:
        with get_client(sync_client=True) as client:
            return {each.name for each in client.read_deployments()}

    with serving(folder, prefect_server.environment()) as process:
        eventually(known, lambda names: {"migrate", "rollback", "anonymize"} <= names, seconds=240)
        yield Served(folder, process)


@pytest.fixture(scope="session")
def one_browser(prefect_server: TemporaryServer) -> Iterator[Any]:
    """The browser of the session, since it takes seconds to start."""
    if reason := why_not():
        pytest.skip(reason)
    with open_browser(prefect_server.url) as look:
        yield look


@pytest.fixture
def browser(one_browser: Any) -> Iterator[Any]:
    """A browser for the server's pages; see tests/browser.py."""
    yield one_browser
    one_browser(lambda pages: pages.leave())


@pytest.fixture
def resume(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Approve the plan of a run that waits: in the browser, where there is one."""

    def approve(run_id: UUID, *, name: str, note: str) -> None:
        if why_not():
            resume_flow_run(run_id, run_input={"approve": True, "name": name, "note": note})
            return
        look = request.getfixturevalue("browser")
        asked = look(lambda shown: shown.open_form_of_approval(run_id).inner_text())
        assert "Approve 1 migration on shop?" in asked
        look(lambda shown: shown.send_approval(name=name, note=note))
        look(lambda shown: shown.leave())

    return approve
