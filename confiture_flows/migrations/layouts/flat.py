"""`VERSION_name.sql`, forward only, ordered by VERSION. Identity: VERSION."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confiture_flows.migrations.layouts import Found, Layout, Reading
from confiture_flows.migrations.layouts._files import files, foreign_steps, misnamed, version_keys
from confiture_flows.migrations.migration import Script

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r"^(?P<version>[^_.]*\d[^_.]*)(?:_(?P<name>.+))?\.sql$")


def _detect(directory: Path) -> bool:
    return any(_NAME.match(path.name) for path in files(directory))


def _read(directory: Path) -> Reading:
    matches = [(path, _NAME.match(path.name)) for path in files(directory)]
    named = [(path, match) for path, match in matches if match]
    keys = version_keys(match["version"] for _, match in named)
    return Reading(
        tuple(
            Found(match["version"], match["name"] or "", keys[match["version"]], up=Script(path))
            for path, match in named
        ),
        (
            *(misnamed(path, "VERSION_name.sql") for path, match in matches if not match),
            *foreign_steps(directory),
        ),
    )


def _scaffold(version: str, slug: str) -> dict[str, str]:
    return {f"{version}_{slug}.sql": f"-- {slug.replace('_', ' ')}\n"}


LAYOUT = Layout(
    name="flat",
    summary="VERSION_name.sql, no way down",
    rank=60,
    detect=_detect,
    read=_read,
    scaffold=_scaffold,
)
