"""Finding, Severity, Location: what validation, lint and dry run all return. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Severity(IntEnum):
    """How much a finding matters; ordered, so that a gate is a comparison."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        """The lower-case word people and JSON see."""
        return self.name.lower()

    @classmethod
    def of(cls, label: str) -> Severity:
        """The severity with that label.

        Raises:
            KeyError: There is none.
        """
        return cls[label.upper()]


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file; `line` is 1-based."""

    file: Path
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else str(self.file)

    @property
    def short(self) -> str:
        """The file's name and the line, for tables: a whole path pushes other columns away."""
        return f"{self.file.name}:{self.line}" if self.line else self.file.name


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that somebody should know before going on.

    Attributes:
        code: Stable and dotted, such as "history.edited"; what a person searches for.
        severity: Compared with the gate.
        message: What is true.
        next_step: What to do about it.
        version: The migration concerned.
        location: Where it stands.
        diff: What has changed, as a unified diff without passwords.
    """

    code: str
    severity: Severity
    message: str
    next_step: str | None = None
    version: str | None = None
    location: Location | None = None
    diff: str | None = None
