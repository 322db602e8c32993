"""confiture.toml (or [tool.confiture-flows] in pyproject.toml) -> Project.

Refuses unknown keys, wrong values and environment variables that are not set,
naming the file and the key.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confiture_flows._config_schema import TargetTable

FILE_NAME = "confiture.toml"
DEFAULT_DIRECTORY = Path("db/migrations")

_VARIABLE = re.compile(r"\$\{(\w+)\}")


GateName = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a run waits, and for what.

    Attributes:
        lock_timeout_ms: How long a statement of a migration queues for a table before the
            migration is rolled back and tried again; everyone else queues behind it.
        statement_timeout_ms: The longest a statement may take; 0 is no limit.
        lock_patience: Seconds to wait for another run on the same target to end.
        busy_patience: Seconds to go on retrying a migration that meets a busy table.
    """

    lock_timeout_ms: int = 1000
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
    """

    dsn: str = field(repr=False)
    production: bool = False
    fail_on: GateName = "error"
    ledger: str = "tb_confiture"
    limits: Limits = DEFAULT_LIMITS


@dataclass(frozen=True, slots=True)
class Project:
    """What confiture.toml says.

    Attributes:
        directory: Where the migrations are; relative paths start at the file.
        layout: The layout's name; None detects it.
        as_written: Whether files may hold their own BEGIN and COMMIT.
        targets: By name.
        source: The file this was read from; None when there is none.
    """

    directory: Path = DEFAULT_DIRECTORY
    layout: str | None = None
    as_written: bool = False
    targets: Mapping[str, TargetConfig] = field(default_factory=dict)
    source: Path | None = None


def load_project(start: Path | None = None) -> Project:
    """Read the configuration of the nearest folder at or above `start` that has one.

    Args:
        start: Where to look first; the working directory by default.

    Raises:
        ConfigError: The file cannot be read or says something wrong.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
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
    return Project(
        directory=path.parent / said.migrations.directory,
        layout=said.migrations.layout,
        as_written=said.migrations.transaction == "as-written",
        targets={name: _target(said_of_it) for name, said_of_it in said.targets.items()},
        source=path,
    )


def _target(said: TargetTable) -> TargetConfig:
    values = said.model_dump(exclude_unset=True)
    limits = {name: values.pop(name) for name in Limits.__slots__ if name in values}
    return TargetConfig(**values, limits=Limits(**limits))


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
