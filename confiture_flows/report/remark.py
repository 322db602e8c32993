"""Remark: a finding with what machines want to know of it, for their formats. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.report.finding import Severity


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark on a line of a file.

    Attributes:
        code: Of the rule.
        name: Of the rule.
        title: What the rule demands.
        severity: How bad it is.
        message: What is true.
        next_step: What to do.
        file: Relative to the working directory where it lies below it.
        line: 1-based.
        fingerprint: What it is known by from run to run.
    """

    code: str
    name: str
    title: str
    severity: Severity
    message: str
    next_step: str
    file: Path
    line: int
    fingerprint: str
