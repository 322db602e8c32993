"""confiture.toml (or [tool.confiture-flows] in pyproject.toml) -> Project.

Refuses unknown keys, wrong values and environment variables that are not set,
naming the file and the key.
"""

from __future__ import annotations

import os
import re
import tomllib
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from confiture_flows._anonymization_config import AnonymizationConfig, anonymization_config
from confiture_flows._deployment_config import DeploymentConfig, deployment_configs
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confiture_flows._config_schema import HookTable, TargetTable

FILE_NAME = "confiture.toml"
PLACEHOLDER_VARIABLE = "CONFITURE_PLACEHOLDER_"  # followed by a placeholder's name in capitals
DEFAULT_DIRECTORY = Path("db/migrations")

_VARIABLE = re.compile(r"\$\{(\w+)\}")


GateName = Literal["info", "warning", "error"]
OutOfOrder = Literal["refuse", "apply"]
VerifyName = Literal["off", "scripts", "replay"]
DryRunName = Literal["off", "static", "scratch"]
DRY_RUNS: tuple[DryRunName, ...] = ("off", "static", "scratch")  # each goes further than the last
FlushName = Literal["commit", "run"]
OnError = Literal["keep", "rollback"]
ApproveName = Literal["never", "always", "above:info", "above:warning", "above:error"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a run waits, and for what.

    Attributes:
        lock_timeout_ms: How long a statement of a migration queues for a table before the
            migration is rolled back and tried again; everyone else queues behind it. Grows up to
            tenfold while ever different transactions are in the way.
        statement_timeout_ms: The longest a statement may take; 0 is no limit.
        lock_patience: Seconds to wait for another run on the same target to end.
        busy_patience: Seconds to go on retrying a migration that meets a busy table.
    """

    lock_timeout_ms: int = 100
    statement_timeout_ms: int = 0
    lock_patience: float = 60.0
    busy_patience: float = 120.0


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class TargetConfig:
    """One [targets.NAME] table.

    Attributes:
        dsn: Connection string; ${NAME} stands for an environment variable.
        production: Makes policies strict.
        fail_on: The severity at which findings stop a run.
        ledger: Name of the ledger table; may be qualified by a schema.
        limits: How long a run waits.
        out_of_order: What becomes of a migration that is pending although a later one is
            applied; None refuses it where `production` is set, and warns elsewhere.
        placeholders: The target's own values, which come before the project's.
        verify: What is checked after an apply.
        scratch: A server to replay migrations on; ${NAME} stands for an environment variable.
        dry_run: How far a dry run goes before every apply, whose findings may stop it.
        flush: What waits for the disk: each commit, or a run before it tells of any.
        on_error: Whether a failed run's migrations are kept or rolled back.
        approve: When a person has to approve a plan before it runs.
        approve_timeout: Seconds that a run waits for that.
    """

    dsn: str = field(repr=False)
    production: bool = False
    fail_on: GateName = "error"
    ledger: str = "tb_confiture"
    limits: Limits = DEFAULT_LIMITS
    out_of_order: OutOfOrder | None = None
    placeholders: Mapping[str, str] = field(default_factory=dict, repr=False)
    verify: VerifyName = "scripts"
    scratch: str | None = field(default=None, repr=False)
    dry_run: DryRunName = "off"
    flush: FlushName = "commit"
    on_error: OnError = "keep"
    approve: ApproveName = "never"
    approve_timeout: float = 86_400.0


@dataclass(frozen=True, slots=True)
class HookConfig:
    """One [[hooks]] table; what is None, a decorator says, or the default.

    Attributes:
        use: A built-in hook, an entry point of the group confiture_flows.hooks, "module:function",
            or a "module" whose decorated functions are hooks.
        points: Where it fires.
        name: What people call it.
        targets: The targets that it is for; empty is all.
        each: Whether it fires once a migration.
        direction: "up", "down" or "both".
        transaction: "none", "own" or "migration".
        on_failure: "abort", "warn" or "rollback".
        timeout: Seconds; 0 is no limit.
        retries: How often it is tried again.
        priority: Lower is earlier.
        after: The hooks of the same point that come before it.
        options: For a built-in hook.
    """

    use: str
    points: tuple[str, ...] = ()
    name: str | None = None
    targets: tuple[str, ...] = ()
    each: bool | None = None
    direction: str | None = None
    transaction: str | None = None
    on_failure: str | None = None
    timeout: float | None = None
    retries: int | None = None
    priority: int | None = None
    after: tuple[str, ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class LintConfig:
    """The [lint] table.

    Attributes:
        rules: The severity of rules, by code or name; "off" switches one off.
        exclude: Patterns of files that are history and have no findings.
        baseline: A file with findings that are known; relative to the configuration.
        gate: Whether migrate lints what is pending and stops at the target's `fail_on`.
        names: Regular expressions for the names of objects, by kind.
        style: Whether sqlfluff's own rules run too.
        statistics: A file with the sizes of tables; relative to the configuration.
    """

    rules: Mapping[str, str] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    baseline: Path | None = None
    gate: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    style: bool = False
    statistics: Path | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """What confiture.toml says.

    Attributes:
        directory: Where the migrations are; relative paths start at the file.
        layout: The layout's name; None detects it.
        as_written: Whether files may hold their own BEGIN and COMMIT.
        targets: By name.
        placeholders: Values for ${name} in scripts; ${NAME} in them stands for an environment
            variable.
        replace_placeholders: Whether scripts have placeholders; None is where somebody gives
            values, and where the layout has them.
        hooks: In the order of the file.
        lint: What linting is told.
        anonymization: What an anonymized copy does.
        deployments: What `confiture-flows deploy` makes, in the order of the file.
        source: The file this was read from; None when there is none.
        fail_on: The severity at which findings stop a run, where a target is less strict; from a
            MigrationProject block.
        dry_run: How far a dry run goes before an apply, where a target goes less far; likewise.
        checked_out: Whether the file comes from a repository that was checked out for the run.
    """

    directory: Path = DEFAULT_DIRECTORY
    layout: str | None = None
    as_written: bool = False
    targets: Mapping[str, TargetConfig] = field(default_factory=dict)
    placeholders: Mapping[str, str] = field(default_factory=dict, repr=False)
    replace_placeholders: bool | None = None
    hooks: tuple[HookConfig, ...] = ()
    lint: LintConfig = field(default_factory=LintConfig)
    anonymization: AnonymizationConfig = field(default_factory=AnonymizationConfig)
    deployments: tuple[DeploymentConfig, ...] = ()
    source: Path | None = None
    fail_on: GateName | None = None
    dry_run: DryRunName | None = None
    checked_out: bool = False

    def include_root(self, directory: Path) -> Path | None:
        """The folder whose files may be included by scripts of a directory: the project's.

        Returns:
            None when the directory is not in a project.
        """
        root = self.source.parent.resolve() if self.source else None
        return root if root and directory.resolve().is_relative_to(root) else None


_in_force: ContextVar[Project | None] = ContextVar("project_in_force", default=None)


@contextmanager
def project_in_force(project: Project) -> Iterator[None]:
    """Let `load_project()` give this project in the block: that of a MigrationProject block."""
    token = _in_force.set(project)
    try:
        yield
    finally:
        _in_force.reset(token)


def load_project(start: Path | None = None) -> Project:
    """Read the configuration of the nearest folder at or above `start` that has one.

    Args:
        start: Where to look first; the working directory by default, unless a project is in force.

    Raises:
        ConfigError: The file cannot be read or says something wrong.
    """
    if start is None and (project := _in_force.get()) is not None:
        return project
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        found = read_project(folder)
        if found.source is not None:
            return found
    return Project()


def read_project(folder: Path) -> Project:
    """Read the configuration of one folder; its `source` is None where there is none.

    Raises:
        ConfigError: The file cannot be read or says something wrong.
    """
    own = folder / FILE_NAME
    if own.is_file():
        return _project(_load(own), own)
    shared = folder / "pyproject.toml"
    if shared.is_file():
        table = _load(shared).get("tool", {}).get("confiture-flows")
        if table is not None:
            return _project(table, shared)
    return Project()


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"This is not TOML: {error}.", file=path) from None
    except OSError as error:
        raise ConfigError(f"It cannot be read: {error.strerror}.", file=path) from None


def _project(table: dict[str, Any], path: Path) -> Project:
    # pydantic takes 0.1 s to import, and most directories have no configuration file.
    from confiture_flows._config_schema import parse

    said = parse(table, path)
    for given in (said.placeholders, *(each.placeholders for each in said.targets.values())):
        _refuse_one_placeholder_twice(given, path)
    return Project(
        directory=path.parent / said.migrations.directory,
        layout=said.migrations.layout,
        as_written=said.migrations.transaction == "as-written",
        targets={name: _target(said_of_it) for name, said_of_it in said.targets.items()},
        placeholders=said.placeholders,
        replace_placeholders=said.migrations.placeholders,
        hooks=tuple(_hook(each) for each in said.hooks),
        lint=LintConfig(
            said.lint.rules,
            tuple(said.lint.exclude),
            path.parent / said.lint.baseline if said.lint.baseline else None,
            said.lint.gate,
            said.lint.names,
            said.lint.style,
            path.parent / said.lint.statistics if said.lint.statistics else None,
        ),
        anonymization=anonymization_config(said.anonymization, path),
        deployments=deployment_configs(said.deployments, path),
        source=path,
    )


def _refuse_one_placeholder_twice(given: Mapping[str, str], path: Path) -> None:
    names: dict[str, str] = {}
    for name in given:
        other = names.setdefault(placeholder_key(name), name)
        if other != name:
            raise ConfigError(
                f"{other} and {name} are one placeholder: case and punctuation do not count.",
                file=path,
                next_step="Take one of them out.",
            )


def _target(said: TargetTable) -> TargetConfig:
    values = said.model_dump(exclude_unset=True)
    limits = {name: values.pop(name) for name in Limits.__slots__ if name in values}
    return TargetConfig(**values, limits=Limits(**limits))


def _hook(said: HookTable) -> HookConfig:
    values = said.model_dump(exclude_unset=True)
    point = values.pop("point", ())
    for name in ("targets", "after"):
        if name in values:
            values[name] = tuple(values[name])
    return HookConfig(points=(point,) if isinstance(point, str) else tuple(point), **values)


def placeholder_key(name: str) -> str:
    """What two names of one placeholder share: case and punctuation make no difference."""
    return re.sub(r"\W", "_", name).lower()


def placeholder_values(project: Project, target: str | None = None) -> dict[str, str]:
    """The values that a project gives to placeholders, by key: the target's own come first.

    Args:
        project: The configuration.
        target: The name of one of its targets.

    Raises:
        ConfigError: A value asks for an environment variable that is not set.
    """
    own = project.targets[target].placeholders if target else {}
    return {
        placeholder_key(name): expand_variables(value, file=project.source)
        for given in (project.placeholders, own)
        for name, value in given.items()
    }


def placeholder_variables() -> dict[str, str]:
    """The values that the environment gives to placeholders, by key."""
    return {
        placeholder_key(name.removeprefix(PLACEHOLDER_VARIABLE)): value
        for name, value in os.environ.items()
        if name.startswith(PLACEHOLDER_VARIABLE)
    }


def expand_variables(text: str, *, file: Path | None = None) -> str:
    """Replace each ${NAME} by the environment variable of that name.

    Raises:
        ConfigError: One of them is not set.
    """

    def value(match: re.Match[str]) -> str:
        try:
            return os.environ[match[1]]
        except KeyError:
            raise ConfigError(
                f"The environment variable {match[1]} is not set.",
                file=file,
                next_step=f"Set it: export {match[1]}=...",
            ) from None

    return _VARIABLE.sub(value, text)
