"""What confiture.toml may say, as pydantic models. Apart from config.py for its import time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


# A name that can stand in ${...}.
PlaceholderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.:-]*$")]


class _Table(BaseModel):
    # The input is hidden since it may be a DSN with its password.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class MigrationsTable(_Table):
    """[migrations]."""

    directory: str = "db/migrations"
    layout: str | None = None
    transaction: Literal["auto", "as-written"] = "auto"
    placeholders: bool | None = None


class TargetTable(_Table):
    """[targets.NAME]."""

    dsn: str
    production: bool = False
    fail_on: Literal["info", "warning", "error"] = "error"
    ledger: str = Field(default="tb_confiture", min_length=1)
    lock_timeout_ms: int = Field(default=100, ge=0)
    statement_timeout_ms: int = Field(default=0, ge=0)
    lock_patience: float = Field(default=60.0, ge=0)
    busy_patience: float = Field(default=120.0, ge=0)
    out_of_order: Literal["refuse", "apply"] | None = None
    placeholders: dict[PlaceholderName, str] = {}
    verify: Literal["off", "scripts", "replay"] = "scripts"
    scratch: str | None = Field(default=None, min_length=1)
    dry_run: Literal["off", "static", "scratch"] = "off"
    flush: Literal["commit", "run"] = "commit"
    on_error: Literal["keep", "rollback"] = "keep"
    approve: Literal["never", "always", "above:info", "above:warning", "above:error"] = "never"
    approve_timeout: float = Field(default=86_400.0, gt=0)


HookPointName = Literal["before_validate", "before_apply", "after_apply", "on_error"]


class HookTable(_Table):
    """[[hooks]]."""

    use: str = Field(min_length=1)
    point: HookPointName | list[HookPointName] = Field(default_factory=list)
    name: str = Field(default="", min_length=1)
    targets: list[str] = []
    each: bool = False
    direction: Literal["up", "down", "both"] = "up"
    transaction: Literal["none", "own", "migration"] = "none"
    on_failure: Literal["abort", "warn", "rollback"] = "abort"
    timeout: float = Field(default=0, ge=0)
    retries: int = Field(default=0, ge=0, le=10)
    priority: int = 100
    after: list[str] = []
    options: dict[str, Any] = {}


class LintTable(_Table):
    """[lint]."""

    rules: dict[str, Literal["off", "info", "warning", "error"]] = {}
    exclude: list[str] = []
    baseline: str | None = Field(default=None, min_length=1)
    statistics: str | None = Field(default=None, min_length=1)
    gate: bool = False
    style: bool = False
    names: dict[str, str] = {}


class ColumnRuleTable(_Table):
    """A value of [anonymization.columns]; a string is its strategy."""

    strategy: str = Field(min_length=1)
    config: dict[str, Any] = {}
    domain: str | None = Field(default=None, min_length=1)
    on_unfit: Literal["stop", "null", "redact"] = "stop"


class TableRuleTable(_Table):
    """A value of [anonymization.tables]."""

    rows: bool = True
    where: str | None = Field(default=None, min_length=1)
    sample: float | None = Field(default=None, gt=0, le=1)


class ModuleTable(_Table):
    """A value of [anonymization.modules]; a string is its trust."""

    trust: Literal["trusted", "untrusted"]
    require: Literal["seccomp", "landlock"] | None = None
    timeout: float = Field(default=10.0, gt=0, le=300)

    @model_validator(mode="before")
    @classmethod
    def _in_short(cls, said: object) -> object:
        return {"trust": said} if isinstance(said, str) else said


class ProofTable(_Table):
    """[anonymization.proof]; a string is its mode."""

    mode: Literal["full", "quick", "off"] = "full"
    on_leak: Literal["keep", "drop"] = "keep"
    quasi_identifiers: dict[str, list[str]] = {}
    k: int = Field(default=5, ge=2)
    accept: list[str] = []

    @model_validator(mode="before")
    @classmethod
    def _in_short(cls, said: object) -> object:
        return {"mode": said} if isinstance(said, str) else said


class DetectionTable(_Table):
    """[anonymization.detection]."""

    samples: int = Field(default=100, ge=0, le=10_000)


class AnonymizationTable(_Table):
    """[anonymization]."""

    secret: str | None = Field(default=None, min_length=1)
    secret_file: str | None = Field(default=None, min_length=1)
    secret_block: str | None = Field(default=None, min_length=1)
    random: bool = False
    default: Literal["copy", "deny"] = "copy"
    strategies: list[str] = []
    modules: dict[str, ModuleTable] = {}
    columns: dict[str, str | ColumnRuleTable] = {}
    tables: dict[str, TableRuleTable] = {}
    subset: dict[str, str] = {}
    allow: list[str] = []
    proof: ProofTable = ProofTable()
    detection: DetectionTable = DetectionTable()


class ScheduleTable(_Table):
    """The schedule of a deployment."""

    cron: str | None = Field(default=None, min_length=1)
    interval: float | None = Field(default=None, ge=1)
    timezone: str = Field(default="UTC", min_length=1)


class DeploymentTable(_Table):
    """[deployments.NAME]."""

    flow: Literal["migrate", "rollback", "dry-run", "lint", "anonymize", "drift"]
    parameters: dict[str, Any] = {}
    work_pool: str | None = Field(default=None, min_length=1)
    schedule: ScheduleTable | None = None
    on_collision: Literal["enqueue", "cancel-new", "allow"] | None = None
    tags: list[str] = []
    description: str = ""
    folder: str | None = Field(default=None, min_length=1)


class ConfigurationFile(_Table):
    """The whole file."""

    migrations: MigrationsTable = MigrationsTable()
    targets: dict[str, TargetTable] = {}
    hooks: list[HookTable] = []
    placeholders: dict[PlaceholderName, str] = {}
    lint: LintTable = LintTable()
    anonymization: AnonymizationTable = AnonymizationTable()
    deployments: dict[str, DeploymentTable] = {}


def parse(table: dict[str, Any], path: Path) -> ConfigurationFile:
    """Check what a configuration file says.

    Raises:
        ConfigError: A key is unknown or a value is wrong.
    """
    try:
        return ConfigurationFile.model_validate(table)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        # Of a value that may be of several types, pydantic also names the type it tried.
        key = ".".join(str(part) for part in first["loc"] if "[" not in str(part))
        unknown = first["type"] == "extra_forbidden"
        message = f"Unknown key {key}." if unknown else f"{key}: {first['msg']}."
        raise ConfigError(message, file=path, next_step="See docs/configuration.md.") from None
