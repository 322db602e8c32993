"""Settings of Prefect that are ours, for a worker: PREFECT_INTEGRATIONS_CONFITURE_FLOWS_*."""

from __future__ import annotations

from prefect.settings.base import PrefectBaseSettings, build_settings_config
from pydantic import Field


class ConfitureFlowsSettings(PrefectBaseSettings):
    """What a worker, or any process that runs flows, may set.

    As environment variables; in `prefect.toml` below `[integrations.confiture_flows]`; or in
    `pyproject.toml` below `[tool.prefect.integrations.confiture_flows]`.
    """

    model_config = build_settings_config(("integrations", "confiture_flows"))

    project: str | None = Field(
        default=None,
        min_length=1,
        description="The MigrationProject block of runs of deployments that name none.",
    )
    stage_retries: int = Field(
        default=3, ge=0, description="How often a stage is tried again whose error may pass."
    )
    stage_retry_delay_seconds: float = Field(
        default=2,
        ge=0,
        description="Before the first of these tries; each next waits twice as long.",
    )
