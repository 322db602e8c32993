"""[anonymization] of the configuration -> Rules. Pure.

A rule names a column as schema.table.column, each part of which may hold * and ?; [*], [?] and [[]
are those signs themselves. The most specific rule wins; assignment.py says which one is a column's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from confiture_flows.anonymization.trust import strategy_name
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from confiture_flows._anonymization_config import OnUnfit, Unlisted
    from confiture_flows.config import Project

_PART = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')


@dataclass(frozen=True, slots=True)
class Pattern:
    """The name of a column or a table, each part of which may be a pattern.

    Attributes:
        parts: Schema and table, and the column.
        text: As it was written.
    """

    parts: tuple[str, ...]
    text: str

    @classmethod
    def read(cls, text: str, parts: int) -> Pattern:
        """Read a name; a part with a dot in it stands in double quotes.

        Args:
            text: Such as "public.users.email" or '*.*."e.mail"'.
            parts: How many it has to have.

        Raises:
            ConfigError: It has another number of parts.
        """
        found: list[str] = []
        place = 0
        while match := _PART.match(text, place):
            found.append(match[1].replace('""', '"') if match[1] else match[2].strip())
            place = match.end() + 1
            if match.end() == len(text) or text[match.end()] != ".":
                break
        if len(found) != parts or place != len(text) + 1:
            form = "schema.table.column" if parts == 3 else "schema.table"
            raise ConfigError(
                f"{text!r} is not written as {form}.",
                next_step=f"Name it as {form}; * stands for any name, and a name with a dot "
                "in it stands in double quotes.",
            )
        return cls(tuple(found), text)

    def matches(self, *names: str) -> bool:
        """Whether it names an object."""
        return all(map(fnmatchcase, names, self.parts))

    @property
    def exact(self) -> bool:
        """Whether it is the name of one object, without wildcards."""
        return not any(map(_is_wild, self.parts))

    @property
    def rank(self) -> tuple[int, ...]:
        """How general it is: parts with wildcards count, and the shorter a part the more."""
        wild = list(filter(_is_wild, self.parts))
        return (len(wild), -sum(len(part.strip("*?")) for part in wild))


def _is_wild(part: str) -> bool:
    return any(sign in part for sign in "*?[")


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """What becomes of the columns that a pattern names.

    Attributes:
        pattern: Which.
        strategy: The strategy's name.
        config: Its options.
        domain: Equal values of one domain become equal; the strategy's name by default.
        on_unfit: What becomes of a value that the strategy cannot anonymize.
    """

    pattern: Pattern
    strategy: str
    config: Mapping[str, Any] = field(default_factory=dict, hash=False)
    domain: str | None = None
    on_unfit: OnUnfit = "stop"

    @property
    def sameness(self) -> tuple[object, ...]:
        """Rules that agree in it make the same of equal values."""
        said = repr(sorted(self.config.items()))
        return (self.strategy, said, self.domain or self.strategy)


@dataclass(frozen=True, slots=True)
class TableRule:
    """How much of the tables that a pattern names is copied.

    Attributes:
        pattern: Which.
        rows: Whether their rows are copied at all; the empty table always is.
        where: An SQL condition on the rows.
        sample: The share of the rows, above 0 and up to 1; the same rows each time.
    """

    pattern: Pattern
    rows: bool = True
    where: str | None = None
    sample: float | None = None


@dataclass(frozen=True, slots=True)
class SubsetSeed:
    """Rows from which a subset starts: those, what they refer to, and what refers to them.

    Attributes:
        pattern: The table.
        where: An SQL condition on its rows.
    """

    pattern: Pattern
    where: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What [anonymization] says.

    Attributes:
        columns: In the order of the file.
        tables: The same.
        only: Tables whose rows are copied at all; None is all.
        subset: Empty copies whole tables.
        unlisted: Whether columns without a rule are copied, or stop the run.
        allowed: Columns that look personal and may be copied as they are.
        source: The file it was read from.
    """

    columns: tuple[ColumnRule, ...] = ()
    tables: tuple[TableRule, ...] = ()
    only: tuple[Pattern, ...] | None = None
    subset: tuple[SubsetSeed, ...] = ()
    unlisted: Unlisted = "copy"
    allowed: tuple[Pattern, ...] = ()
    source: Path | None = None

    def allows(self, names: tuple[tuple[str, str], ...], column: str) -> bool:
        """Whether a column may be copied as it is.

        Args:
            names: Those that its table goes by: its own, and of what it is a part of.
            column: Its name.
        """
        return any(pattern.matches(*name, column) for pattern in self.allowed for name in names)


def rules_of(project: Project) -> Rules:
    """What a project says.

    Raises:
        ConfigError: A name is not written as one.
    """
    said = project.anonymization
    try:
        return Rules(
            tuple(
                ColumnRule(
                    Pattern.read(name, 3),
                    strategy_name(rule.strategy, project),
                    rule.config,
                    rule.domain,
                    rule.on_unfit,
                )
                for name, rule in said.columns.items()
            ),
            tuple(
                TableRule(Pattern.read(name, 2), rule.rows, rule.where, rule.sample)
                for name, rule in said.tables.items()
            ),
            None if said.only is None else tuple(Pattern.read(name, 2) for name in said.only),
            tuple(SubsetSeed(Pattern.read(name, 2), where) for name, where in said.subset.items()),
            said.unlisted,
            tuple(Pattern.read(name, 3) for name in said.allow),
            project.source,
        )
    except ConfigError as error:
        error.file = error.file or project.source
        raise
