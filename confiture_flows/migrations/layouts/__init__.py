"""How a directory writes migrations down: one module a layout, each with a `LAYOUT` value.

A layout turns a directory into `Found` values; identity and order are those of the
tool the layout belongs to. A new module in this folder is a new layout; nothing
else has to name it.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from confiture_flows.migrations.migration import Runnable, Script
    from confiture_flows.report.finding import Finding


@dataclass(frozen=True, slots=True)
class Found:
    """A migration as a layout sees it.

    Attributes:
        version: Identity, written as the ledger will hold it.
        name: The rest of the name.
        key: What the layout's tool sorts by; two migrations with one key, or one version, are
            duplicates. Keys of repeatable migrations are compared among themselves.
        up: The script that applies it.
        down: The script that takes it back.
        verify: The script that checks it.
        repeatable: Whether it runs after all others, again whenever it changes.
        title: What it says of itself, in a line.
    """

    version: str
    name: str
    key: tuple[int | str, ...]
    up: Runnable
    down: Runnable | None = None
    verify: Script | None = None
    repeatable: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a layout found in a directory, and what it could make nothing of."""

    found: tuple[Found, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """A way to write migrations down.

    Attributes:
        name: What `--layout` takes.
        summary: File names in it, for people.
        rank: Detection asks layouts with a lower rank first; the vaguer, the later.
        detect: Whether a directory is written this way.
        read: The migrations of a directory, in any order.
        scaffold: Version and slug of a new migration -> its files by relative name.
        placeholders: A script's file -> the values that the layout's tool gives to ${name} by
            itself; None where the tool knows no placeholders.
    """

    name: str
    summary: str
    rank: int
    detect: Callable[[Path], bool]
    read: Callable[[Path], Reading]
    scaffold: Callable[[str, str], dict[str, str]]
    placeholders: Callable[[Path], dict[str, str]] | None = None


@cache
def all_layouts() -> tuple[Layout, ...]:
    """Every layout, in the order in which detection asks them."""
    modules = (
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
        if not module.name.startswith("_")
    )
    return tuple(sorted((module.LAYOUT for module in modules), key=lambda layout: layout.rank))
