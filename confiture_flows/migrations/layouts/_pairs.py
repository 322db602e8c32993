"""Folder of `V_name.up.sql`, `.down.sql`, `.verify.sql` -> Found values, for both pair layouts.

`V_name.py` beside them is a migration in Python.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_flows.migrations.layouts import Found, Reading
from confiture_flows.migrations.layouts._files import (
    file_names,
    foreign_steps,
    lines_of,
    misnamed,
    version_keys,
    without_up,
)
from confiture_flows.migrations.layouts._repeatable import (
    REPEATABLE_NAME,
    is_repeatable,
    repeatable,
)
from confiture_flows.migrations.migration import REPEATABLE_PREFIX, Script
from confiture_flows.migrations.python_script import PythonScript, promised
from confiture_flows.report.finding import Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.migrations.migration import Runnable

_NAME = re.compile(
    r"^(?P<stem>(?P<version>[^_.]+)(?:_(?P<name>.+?))?)\.(?P<kind>up|down|verify)\.sql$"
)
# A name that Python programs have too, such as conftest.py, is none.
_PYTHON_NAME = re.compile(r"^(?P<stem>(?P<version>\d[^_.]*)_(?P<name>[^.]+))\.py$")
_PYTHON_MARK = re.compile(rb"^(?:async\s+)?def\s+up\b|^(?:from|import)\s+confiture\b")
# sqlx reads this from the first line of a file.
_SQLX_NO_TRANSACTION = "-- no-transaction"


@dataclass
class _Parts:
    version: str
    name: str
    stem: str
    paths: dict[str, Path] = field(default_factory=dict)


def is_pairs(directory: Path) -> bool:
    """Whether a folder holds up scripts."""
    if any(_NAME.match(name) for name in file_names(directory, ".up.sql")):
        return True
    python = [name for name in file_names(directory, ".py") if _PYTHON_NAME.match(name)]
    return any(
        _PYTHON_MARK.search(line)
        for name in python[:20]
        for line in lines_of(Path(directory, name))
    )


def read_pairs(directory: Path, *, identity_is_stem: bool, order_as_text: bool = False) -> Reading:
    """Read a folder of pairs.

    The order is that of versions by value where all are numbers, unless it is that of their text.
    A down or verify script belongs to the up script of its name; failing that, to
    the only up script of its version (golang-migrate pairs by version alone).
    """
    findings: list[Finding] = []
    parts: dict[str, _Parts] = {}
    again: list[Found] = []
    for name in file_names(directory):
        path = Path(directory, name)
        if name.startswith(REPEATABLE_PREFIX):
            if is_repeatable(path):
                again.append(repeatable(_script(path)))
            else:
                findings.append(misnamed(path, REPEATABLE_NAME))
            continue
        if not (match := _NAME.match(name)):
            findings.append(misnamed(path, "VERSION_name.up.sql or .down.sql"))
            continue
        stem = match["stem"]
        part = parts.setdefault(stem, _Parts(match["version"], match["name"] or "", stem))
        part.paths[match["kind"]] = path
    for name in file_names(directory, ".py"):
        if match := _PYTHON_NAME.match(name):
            path = Path(directory, name)
            # Beside an up script of the same name it is a migration of its own: a duplicate.
            place = match["stem"] if "up" not in _paths(parts, match["stem"]) else name
            part = parts.setdefault(place, _Parts(match["version"], match["name"], match["stem"]))
            part.paths["up"] = path
    findings += _adopt_orphans(parts)
    findings += foreign_steps(directory, but=_PYTHON_NAME)
    ups = [part for part in parts.values() if "up" in part.paths]
    keys = version_keys(part.version for part in ups)

    def key(part: _Parts) -> tuple[int | str, ...]:
        if order_as_text:
            return (part.stem if identity_is_stem else part.version,)
        return (*keys[part.version], part.stem) if identity_is_stem else keys[part.version]

    found: list[Found] = []
    for part in ups:
        up, down, title = _ways(part)
        if down and "down" in part.paths and down.path != part.paths["down"]:
            findings.append(_second_down(part.paths["down"], part))
        found.append(
            Found(
                version=part.stem if identity_is_stem else part.version,
                name=part.stem if identity_is_stem else part.name,
                key=key(part),
                up=up,
                down=down,
                verify=Script(part.paths["verify"]) if "verify" in part.paths else None,
                title=title,
            )
        )
    return Reading((*found, *again), tuple(findings))


def _paths(parts: dict[str, _Parts], stem: str) -> dict[str, Path]:
    return parts[stem].paths if stem in parts else {}


def _ways(part: _Parts) -> tuple[Runnable, Runnable | None, str]:
    """The way up, the way down, and what a Python migration says of itself."""
    path = part.paths["up"]
    down = _script(part.paths["down"]) if "down" in part.paths else None
    if path.suffix != ".py":
        return _script(path), down, ""
    promise = promised(path)
    if promise and "down" in promise.lines:
        down = PythonScript(path, "down")
    return PythonScript(path), down, promise.title if promise else ""


def _second_down(path: Path, part: _Parts) -> Finding:
    return Finding(
        "file.without_up",
        Severity.WARNING,
        f"{path.name} is not run: {part.paths['up'].name} has a down() itself.",
        next_step="Remove one of them.",
        version=part.version,
        location=Location(path),
    )


def scaffold_pair(version: str, slug: str) -> dict[str, str]:
    """An empty pair."""
    return {
        f"{version}_{slug}.up.sql": f"-- {slug.replace('_', ' ')}\n",
        f"{version}_{slug}.down.sql": "-- Takes back what the up script does.\n",
    }


def _adopt_orphans(parts: dict[str, _Parts]) -> Iterator[Finding]:
    ups: dict[str, list[_Parts]] = {}
    for part in parts.values():
        if "up" in part.paths:
            ups.setdefault(part.version, []).append(part)
    for part in list(parts.values()):
        if "up" in part.paths:
            continue
        candidates = ups.get(part.version, [])
        for kind, path in part.paths.items():
            if len(candidates) == 1 and kind not in candidates[0].paths:
                candidates[0].paths[kind] = path
            else:
                yield without_up(path, part.version)


def _script(path: Path) -> Script:
    return Script(path, none_if_starts=_SQLX_NO_TRANSACTION)
