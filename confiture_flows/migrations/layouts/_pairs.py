"""Folder of `V_name.up.sql`, `.down.sql`, `.verify.sql` -> Found values, for both pair layouts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_flows.migrations.layouts import Found, Reading
from confiture_flows.migrations.layouts._files import (
    file_names,
    foreign_steps,
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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.report.finding import Finding

_NAME = re.compile(
    r"^(?P<stem>(?P<version>[^_.]+)(?:_(?P<name>.+?))?)\.(?P<kind>up|down|verify)\.sql$"
)
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
    return any(_NAME.match(name) for name in file_names(directory, ".up.sql"))


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
    findings += _adopt_orphans(parts)
    findings += foreign_steps(directory)
    ups = [part for part in parts.values() if "up" in part.paths]
    keys = version_keys(part.version for part in ups)

    def key(part: _Parts) -> tuple[int | str, ...]:
        if order_as_text:
            return (part.stem if identity_is_stem else part.version,)
        return (*keys[part.version], part.stem) if identity_is_stem else keys[part.version]

    found = tuple(
        Found(
            version=part.stem if identity_is_stem else part.version,
            name=part.stem if identity_is_stem else part.name,
            key=key(part),
            up=_script(part.paths["up"]),
            down=_script(part.paths["down"]) if "down" in part.paths else None,
            verify=Script(part.paths["verify"]) if "verify" in part.paths else None,
        )
        for part in ups
    )
    return Reading((*found, *again), tuple(findings))


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
