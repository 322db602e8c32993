"""Who is retried, how often, and how tasks are labelled: the same for every stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from confiture_flows.blocks.settings import ConfitureFlowsSettings
from confiture_flows.errors import ConfitureFlowsError

if TYPE_CHECKING:
    from prefect import Task
    from prefect.client.schemas.objects import State, TaskRun

TAG = "confiture"


def worth_a_retry(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether the error that failed a task run says that another try may succeed."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, ConfitureFlowsError) and error.retryable


_settings = ConfitureFlowsSettings()
# A stage that touches the database: three more tries over about 15 s, unless the settings differ.
RETRIED: dict[str, Any] = {
    "retries": _settings.stage_retries,
    "retry_delay_seconds": exponential_backoff(_settings.stage_retry_delay_seconds),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": worth_a_retry,
    "cache_policy": NO_CACHE,
    "tags": [TAG],
}
# A stage that computes. The cache would hash its arguments for nothing, and a result that is
# kept would keep the values of placeholders, which may be secrets.
COMPUTED: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False, "tags": [TAG]}
