"""The Prefect server of the current profile, for commands that cannot do without it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from httpx import HTTPError
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectException, PrefectHTTPStatusError
from prefect.settings import get_current_settings

from confiture_flows.errors import ConfitureFlowsError, PrefectUnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prefect.client.orchestration import SyncPrefectClient


@contextmanager
def prefect_server(beside: str = "") -> Iterator[SyncPrefectClient]:
    """A client of the configured server, for the length of a `with` block.

    Args:
        beside: What else to say when the server stops answering.

    Raises:
        PrefectUnreachableError: No server is configured, or it does not answer, or refuses.
    """
    if not get_current_settings().api.url:
        raise PrefectUnreachableError(
            "No Prefect server is configured, and a deployment lives on one.",
            next_step="Set PREFECT_API_URL, and PREFECT_API_KEY or PREFECT_API_AUTH_STRING where "
            "it asks for one.",
        )
    try:
        with get_client(sync_client=True) as client:
            yield client
    except ConfitureFlowsError:
        raise  # some of them are OSErrors too
    except (PrefectException, HTTPError, OSError) as error:
        raise PrefectUnreachableError(
            f"The Prefect server does not answer, or refuses: {error}",
            next_step=f"Check PREFECT_API_URL, its credentials and the server. {beside}".strip(),
        ) from None


def refusal(error: PrefectHTTPStatusError) -> str:
    """What the server says of a request that it refuses."""
    try:
        said = error.response.json()
    except ValueError:
        return str(error)
    return str(said.get("detail", said) if isinstance(said, dict) else said)
