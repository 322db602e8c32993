"""[anonymization] of the configuration as frozen values; patterns and options are not read yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from confiture_flows._config_schema import AnonymizationTable

OnUnfit = Literal["stop", "null", "redact"]
Unlisted = Literal["copy", "deny"]
Trust = Literal["trusted", "untrusted"]

_SECRETS = ("secret", "secret_file", "secret_block", "random")


@dataclass(frozen=True, slots=True)
class ColumnRuleConfig:
    """One entry of [anonymization.columns]; see `ColumnRule`."""

    strategy: str
    config: Mapping[str, Any] = field(default_factory=dict)
    domain: str | None = None
    on_unfit: OnUnfit = "stop"


@dataclass(frozen=True, slots=True)
class TableRuleConfig:
    """One entry of [anonymization.tables]; see `TableRule`."""

    rows: bool = True
    where: str | None = None
    sample: float | None = None


@dataclass(frozen=True, slots=True)
class ModuleConfig:
    """One entry of [anonymization.modules]; see `Isolation`."""

    trust: Trust
    require: Literal["seccomp", "landlock"] | None = None
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class ProofConfig:
    """[anonymization.proof]; see `ProofOptions`."""

    mode: Literal["full", "quick", "off"] = "full"
    on_leak: Literal["keep", "drop"] = "keep"
    quasi_identifiers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    k: int = 5
    accept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DetectionConfig:
    """[anonymization.detection].

    Attributes:
        samples: How many rows of each table a plan looks at for personal columns without a rule;
            0 judges by names alone.
    """

    samples: int = 100


@dataclass(frozen=True, slots=True)
class AnonymizationConfig:
    """The [anonymization] table.

    Attributes:
        secret: What keys are made from; ${NAME} in it stands for an environment variable.
        secret_file: The file that holds it; relative to the configuration.
        secret_block: The Prefect Secret block that holds it.
        random: Whether each run makes a secret of its own, so that no pseudonym comes again.
        unlisted: Whether columns without a rule are copied, or stop the run.
        strategies: Modules that register strategies.
        modules: Whose code is trusted; without an entry it is.
        columns: What becomes of columns, by pattern.
        tables: How much is copied of tables, by pattern.
        only: Tables whose rows are copied at all, as "schema.table", by a plan file; None is all.
        subset: The rows that a subset starts from: SQL conditions by table.
        allow: Patterns of columns that look personal and may be copied as they are.
        proof: What is proven of a copy.
        detection: How personal columns without a rule are looked for.
    """

    secret: str | None = field(default=None, repr=False)
    secret_file: Path | None = None
    secret_block: str | None = None
    random: bool = False
    unlisted: Unlisted = "copy"
    strategies: tuple[str, ...] = ()
    modules: Mapping[str, ModuleConfig] = field(default_factory=dict)
    columns: Mapping[str, ColumnRuleConfig] = field(default_factory=dict)
    tables: Mapping[str, TableRuleConfig] = field(default_factory=dict)
    only: tuple[str, ...] | None = None
    subset: Mapping[str, str] = field(default_factory=dict)
    allow: tuple[str, ...] = ()
    proof: ProofConfig = ProofConfig()
    detection: DetectionConfig = DetectionConfig()


def anonymization_config(said: AnonymizationTable, path: Path) -> AnonymizationConfig:
    """What the table of a file says.

    Raises:
        ConfigError: It names two secrets, or an untrusted module that would be imported.
    """
    given = [name for name in _SECRETS if getattr(said, name)]
    if len(given) > 1:
        raise ConfigError(
            f"anonymization: {' and '.join(given)} exclude one another.",
            file=path,
            next_step="Leave one of them.",
        )
    return AnonymizationConfig(
        said.secret,
        path.parent / said.secret_file if said.secret_file else None,
        said.secret_block,
        said.random,
        said.default,
        tuple(said.strategies),
        _modules(said, path),
        {
            pattern: ColumnRuleConfig(each)
            if isinstance(each, str)
            else ColumnRuleConfig(**each.model_dump())
            for pattern, each in said.columns.items()
        },
        {pattern: TableRuleConfig(**each.model_dump()) for pattern, each in said.tables.items()},
        None,
        said.subset,
        tuple(said.allow),
        ProofConfig(
            said.proof.mode,
            said.proof.on_leak,
            {name: tuple(each) for name, each in said.proof.quasi_identifiers.items()},
            said.proof.k,
            tuple(said.proof.accept),
        ),
        DetectionConfig(said.detection.samples),
    )


def _modules(said: AnonymizationTable, path: Path) -> dict[str, ModuleConfig]:
    found = {name: ModuleConfig(**each.model_dump()) for name, each in said.modules.items()}
    for name in (name for name, each in found.items() if each.trust == "untrusted"):
        if not name.isidentifier():
            raise ConfigError(
                f"anonymization.modules: {name!r} is no top module or package.",
                file=path,
                next_step=f"Name the whole package: {name.partition('.')[0]!r}.",
            )
        if any(each.partition(".")[0] == name for each in said.strategies):
            raise ConfigError(
                f"anonymization: the module {name} is untrusted, and cannot register strategies.",
                file=path,
                next_step=f"Leave it out of `strategies`, and name {name}:Class in the rules.",
            )
    return found
