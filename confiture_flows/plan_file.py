"""wizard-plan.toml -> PlanFile, and back: what the wizard was told, to run again without a person.

It holds references only: the name of a target or of a block, or "env:NAME". Unknown keys, a plan
of a newer program and connection strings are refused, with file and line.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from confiture_flows._anonymization_config import ColumnRuleConfig
from confiture_flows._config_schema import ColumnRuleTable
from confiture_flows._files import write_whole
from confiture_flows.config import DryRunName, GateName
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.config import Project
    from confiture_flows.target import Target

PLAN_NAME = "wizard-plan.toml"
PLAN_VERSION = 1

_HEADER = re.compile(r"^\s*\[+\s*(?P<name>[^\]]*?)\s*\]")
_BARE = re.compile(r"^[A-Za-z0-9_-]+$")

WizardPath = Literal["migrate", "copy", "migrate-and-copy"]


def refuse_connection_string(text: str) -> str:
    """A reference as it stands.

    Raises:
        ValueError: It is no reference. The message does not repeat it: it may hold a password.
    """
    if "://" in text or "=" in text or any(each.isspace() for each in text):
        raise ValueError("a connection string is not kept; name a target, a block or env:NAME")
    return text


Reference = Annotated[str, Field(min_length=1), AfterValidator(refuse_connection_string)]


class _Part(BaseModel):
    # The input is hidden since it may be a DSN with its password.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class PlanColumnRule(ColumnRuleTable):
    """What becomes of a column, as [anonymization.columns] writes it; a string is its strategy."""

    @model_validator(mode="before")
    @classmethod
    def _in_short(cls, said: object) -> object:
        return {"strategy": said} if isinstance(said, str) else said


class PlanMigrations(_Part):
    """[migrations] of a plan.

    Attributes:
        directory: Relative to the plan; None is the project's.
        layout: None is the project's.
        to: The last version to apply; None is all.
        dry_run: How far a dry run goes first; None is as the target says.
    """

    directory: str | None = Field(default=None, min_length=1)
    layout: str | None = Field(default=None, min_length=1)
    to: str | None = Field(default=None, min_length=1)
    dry_run: DryRunName | None = None


class PlanAnonymization(_Part):
    """[anonymization] of a plan, which comes before that of the configuration.

    Attributes:
        tables: Whose rows are copied, as "schema.table"; None is all. The others stay empty.
        allow: Columns that look personal and may be copied as they are.
        columns: What becomes of columns, by pattern.
        replace: Whether a target may be replaced that no earlier copy has made.
    """

    tables: tuple[str, ...] | None = None
    allow: tuple[str, ...] = ()
    columns: dict[str, PlanColumnRule] = {}
    replace: bool = False


class PlanFile(_Part):
    """The whole file.

    Attributes:
        version: Of the form of the file.
        path: "migrate" applies migrations to `target`; "copy" makes it an anonymized copy of
            `source`; "migrate-and-copy" does both, the copy first.
        target: The database that is changed.
        source: The database that is copied; it is only read.
        fail_on: The severity at which findings stop the run; None is as the target says.
        plain: Whether it runs without Prefect.
        migrations: What is applied.
        anonymization: What is copied.
    """

    version: Literal[1] = PLAN_VERSION
    path: WizardPath
    target: Reference
    source: Reference | None = None
    fail_on: GateName | None = None
    plain: bool = False
    migrations: PlanMigrations = PlanMigrations()
    anonymization: PlanAnonymization = PlanAnonymization()

    @model_validator(mode="after")
    def _source_is_there(self) -> PlanFile:
        if self.copies and self.source is None:
            raise ValueError(f"the path {self.path!r} needs a source")
        return self

    @property
    def migrates(self) -> bool:
        """Whether migrations are applied."""
        return self.path != "copy"

    @property
    def copies(self) -> bool:
        """Whether an anonymized copy is made."""
        return self.path != "migrate"

    def applied_to(self, project: Project, folder: Path) -> Project:
        """The project with what the plan says put before it.

        Args:
            project: What the configuration says.
            folder: Of the plan.
        """
        said, before = self.anonymization, project.anonymization
        columns = {
            pattern: ColumnRuleConfig(**each.model_dump()) for pattern, each in said.columns.items()
        }
        migrations = self.migrations
        return replace(
            project,
            directory=folder / migrations.directory if migrations.directory else project.directory,
            layout=migrations.layout or project.layout,
            anonymization=replace(
                before,
                columns={**before.columns, **columns},
                allow=tuple(dict.fromkeys((*before.allow, *said.allow))),
                only=before.only if said.tables is None else said.tables,
            ),
        )

    def applied_to_target(self, target: Target) -> Target:
        """The target with what the plan says of it put before what it says itself."""
        return replace(
            target,
            fail_on=self.fail_on or target.fail_on,
            dry_run=self.migrations.dry_run or target.dry_run,
        )

    def require(self, command: Literal["migrate", "anonymize"], file: Path) -> None:
        """Refuse a plan that is not about a command.

        Raises:
            ConfigError: It is for the other one.
        """
        fits, other = self.migrates, "anonymize"
        if command == "anonymize":
            fits, other = self.copies, "migrate"
        if not fits:
            raise ConfigError(
                f"The path of this plan is {self.path!r}: there is nothing to {command}.",
                file=file,
                next_step=f"Run: confiture-flows {other} --plan-file {file}",
            )


def read_plan_file(path: Path) -> PlanFile:
    """Read a plan.

    Raises:
        ConfigError: It cannot be read, is of a newer version, or says something wrong; with the
            line where there is one.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError("This is not TOML: it is not written in UTF-8.", file=path) from None
    except OSError as error:
        raise ConfigError(
            f"The plan cannot be read: {error.strerror}.",
            file=path,
            next_step=f"The last screen of confiture-flows wizard saves one as {PLAN_NAME}.",
        ) from None
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise ConfigError(
            f"This is not TOML: {error}.", file=path, line=int(line[1]) if line else None
        ) from None
    version = said.get("version")
    if isinstance(version, int) and version > PLAN_VERSION:
        raise ConfigError(
            f"This plan has version {version}, and this program knows {PLAN_VERSION}.",
            file=path,
            line=_line_of(text, ("version",)),
            next_step="Install a newer confiture-flows, or make the plan again with its wizard.",
        )
    try:
        return PlanFile.model_validate(said)
    except ValidationError as error:
        raise _wrong(error, text, path) from None


def _wrong(error: ValidationError, text: str, path: Path) -> ConfigError:
    first = error.errors(include_url=False, include_input=False)[0]
    keys = tuple(str(part) for part in first["loc"])
    name = ".".join(key if _BARE.match(key) else json.dumps(key) for key in keys)
    said = first["msg"].removeprefix("Value error, ")
    message = {
        "extra_forbidden": f"Unknown key {name}.",
        "missing": f"The key {name} is missing.",
    }.get(first["type"], f"{name}: {said}." if name else f"{said[:1].upper()}{said[1:]}.")
    next_step = "See the plan file in docs/guides/interactive-wizard.md."
    return ConfigError(message, file=path, line=_line_of(text, keys), next_step=next_step)


def _line_of(text: str, keys: tuple[str, ...]) -> int | None:
    """The 1-based line of a key, or of the nearest table above it that is written."""
    found, within = None, ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            within = _parts(header["name"])
            here = within
        else:
            here = (*within, *_parts(line.partition("=")[0])) if "=" in line else ()
        if here and here == keys[: len(here)] and (found is None or len(here) >= found[1]):
            found = (number, len(here))
    return found[0] if found else None


def _parts(name: str) -> tuple[str, ...]:
    """A dotted key of TOML in its parts."""
    return tuple(quoted or bare for quoted, bare in re.findall(r'"([^"]*)"|([A-Za-z0-9_-]+)', name))


def write_plan_file(plan: PlanFile, path: Path) -> None:
    """Write a plan, whole or not at all.

    Raises:
        ConfigError: It cannot be written.
    """
    try:
        write_whole(path, plan_text(plan).encode())
    except OSError as error:
        raise ConfigError(
            f"The plan cannot be written: {error.strerror}.",
            file=path,
            next_step="Name a file in a folder that you may write to.",
        ) from None


def plan_text(plan: PlanFile) -> str:
    """The plan as TOML, with a word on each thing that it says."""
    commands = [
        f"# {command} --plan-file {PLAN_NAME}"
        for command, applies in (
            ("confiture-flows anonymize", plan.copies),
            ("confiture-flows migrate", plan.migrates),
        )
        if applies
    ]
    lines = [
        "# What was chosen in confiture-flows wizard. It names databases and holds no password.",
        "# Run it again without a person:",
        *commands,
        "",
        f"version = {PLAN_VERSION}",
        *_entry("path", plan.path, '"migrate", "copy", or "migrate-and-copy" (the copy first)'),
        *_entry("target", plan.target, 'is changed: a target, a block, or "env:NAME"'),
        *_entry("source", plan.source, "is copied, and only read"),
        *_entry("fail_on", plan.fail_on, "findings of this severity stop the run"),
        *_entry("plain", plan.plain or None, "without Prefect"),
    ]
    said = plan.migrations
    part = [
        *_entry("directory", said.directory, "relative to this file"),
        *_entry("layout", said.layout),
        *_entry("to", said.to, "the last version to apply"),
        *_entry("dry_run", said.dry_run, "before anything is applied: off, static or scratch"),
    ]
    lines += ["", "[migrations]", *part] if part and plan.migrates else []
    return "\n".join([*lines, *(_anonymization(plan) if plan.copies else ())]) + "\n"


def _anonymization(plan: PlanFile) -> list[str]:
    said = plan.anonymization
    lines = [
        *_entry("replace", said.replace or None, "a target that no earlier copy has made"),
        *_entry("tables", said.tables, "whose rows are copied; others stay empty"),
        *_entry("allow", said.allow or None, "look personal, and are copied as they are"),
    ]
    if lines:
        lines = ["", "[anonymization]", *lines]
    if said.columns:
        lines += ["", "# These come before the rules of confiture.toml."]
        lines += ["[anonymization.columns]"]
    for pattern, rule in said.columns.items():
        more = rule.model_dump(exclude_defaults=True)
        lines.append(f"{_key(pattern)} = {_toml(more if len(more) > 1 else rule.strategy)}")
    return lines


def _entry(key: str, value: Any, word: str = "") -> list[str]:
    if value is None:
        return []
    said = _toml(value)
    if "\n" in said:
        return [f"# {word}", f"{key} = {said}"] if word else [f"{key} = {said}"]
    return [f"{key} = {said}" + (f"  # {word}" if word else "")]


def _key(name: str) -> str:
    return name if _BARE.match(name) else json.dumps(name, ensure_ascii=False)


def _toml(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case dict():
            pairs = ", ".join(f"{_key(key)} = {_toml(each)}" for key, each in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case list() | tuple():
            texts = [_toml(each) for each in value]
            if len(texts) < 4:
                return f"[{', '.join(texts)}]"
            return "[\n" + "".join(f"    {each},\n" for each in texts) + "]"
        case _:
            return repr(value)  # an int or a float
