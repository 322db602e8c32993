"""WizardState: what was answered so far, and its file, which only its owner can read.

Databases are kept as references: the name of a target or of a block, or "env:NAME" for a
connection string in an environment variable. A connection string itself is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from confiture_flows._files import write_whole
from confiture_flows.errors import ConfigError
from confiture_flows.plan_file import Reference, WizardPath

IN_VARIABLE = "env:"
_VERSION = 1


class _Frozen(BaseModel):
    # The input is hidden since it may be a DSN with its password.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ColumnRuleText(_Frozen):
    """A column rule as [anonymization.columns] writes it.

    Attributes:
        column: "schema.table.column", as patterns are written.
        strategy: The strategy's name.
        config: Its options.
        domain: As in `ColumnRule`.
        on_unfit: As in `ColumnRule`.
    """

    column: str
    strategy: str
    config: dict[str, Any] = {}
    domain: str | None = None
    on_unfit: Literal["stop", "null", "redact"] = "stop"


class WizardState(_Frozen):
    """What was answered so far.

    Attributes:
        path: "migrate" applies migrations to `target`; "copy" makes `target` an anonymized copy
            of `source`; "migrate-and-copy" makes the copy and then applies the migrations to it.
        target: Reference of the database that is changed; None until it is chosen.
        source: Reference of the database that is copied, which is only read; None for "migrate".
        confirmed_name: The name that was typed for a production target.
        directory: Of the migrations; None is the project's.
        layout: Of the directory; None detects it.
        to: The version to reach; None is all of them.
        tables: Whose rows are copied, as "schema.table"; None is all.
        rules: Chosen in the wizard; they come before those of the configuration.
        allow: Columns, as patterns, that look personal and are copied as they are by choice.
        gate: The severity at which findings stop the run; None is the target's own.
        dry_run: How far a dry run goes before the apply; None is the target's own.
        plain: Whether it runs without Prefect.
        replace: Whether the target may be replaced by a copy although none has made it.
        copied: "source -> target" of the copy that was made, where migrations follow.
        run_id: Of the flow run that was started.
        done: Names of the steps gone through.
    """

    path: WizardPath = "migrate"
    target: Reference | None = None
    source: Reference | None = None
    confirmed_name: str | None = None
    directory: str | None = None
    layout: str | None = None
    to: str | None = None
    tables: tuple[str, ...] | None = None
    rules: tuple[ColumnRuleText, ...] = ()
    allow: tuple[str, ...] = ()
    gate: Literal["info", "warning", "error"] | None = None
    dry_run: Literal["off", "static", "scratch"] | None = None
    plain: bool = False
    replace: bool = False
    copied: str | None = None
    run_id: str | None = None
    done: tuple[str, ...] = ()

    @property
    def migrates(self) -> bool:
        """Whether migrations are applied."""
        return self.path != "copy"

    @property
    def copies(self) -> bool:
        """Whether an anonymized copy is made."""
        return self.path != "migrate"

    def but(self, **changes: Any) -> WizardState:
        """The same with other values, which are checked.

        Raises:
            ValidationError: A value is wrong.
        """
        return WizardState.model_validate({**self.model_dump(), **changes})


def state_file(folder: Path) -> Path:
    """Where the wizard of a project keeps its state: in the user's own folder for states.

    Args:
        folder: Of the project: of its configuration, or the working directory.
    """
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    return Path(base) / "confiture-flows" / f"wizard-{name}.json"


def save_state(state: WizardState, path: Path) -> None:
    """Write it whole or not at all, with mode 0600.

    Raises:
        ConfigError: It cannot be written.
    """
    said = {"version": _VERSION, **state.model_dump(mode="json", exclude_defaults=True)}
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, json.dumps(said, indent=2).encode(), 0o600)
    except OSError as error:
        raise ConfigError(
            f"The wizard's answers cannot be kept: {error.strerror}.",
            file=path,
            next_step="Set XDG_STATE_HOME to a folder that can be written.",
        ) from None


def load_state(path: Path) -> WizardState | None:
    """What an earlier wizard has kept, or None when there is nothing.

    Raises:
        ConfigError: The file is not one of this version's.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(said, dict) or said.pop("version", None) != _VERSION:
            raise ValueError
        return WizardState.model_validate(said)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, ValidationError):
        raise ConfigError(
            "What an earlier wizard has kept cannot be read.",
            file=path,
            next_step="Start anew without --resume.",
        ) from None
