"""`TIMESTAMP_name/migration.sql`: prisma, forward only.

Identity and order: the folder's whole name, since timestamps repeat in real projects.
A `down.sql` beside it, which some teams generate with `prisma migrate diff`, is the way down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.migrations.layouts import Found, Layout, Reading
from confiture_flows.migrations.layouts._files import folders_with
from confiture_flows.migrations.migration import Script

if TYPE_CHECKING:
    from pathlib import Path


def _detect(directory: Path) -> bool:
    return bool(folders_with(directory, "migration.sql"))


def _read(directory: Path) -> Reading:
    return Reading(
        tuple(
            Found(
                folder.name,
                folder.name,
                (folder.name,),
                up=Script(folder / "migration.sql"),
                down=Script(down) if (down := folder / "down.sql").is_file() else None,
            )
            for folder in folders_with(directory, "migration.sql")
        )
    )


def _scaffold(version: str, slug: str) -> dict[str, str]:
    return {f"{version}_{slug}/migration.sql": f"-- {slug.replace('_', ' ')}\n"}


LAYOUT = Layout(
    name="prisma",
    summary="TIMESTAMP_name/migration.sql",
    rank=10,
    detect=_detect,
    read=_read,
    scaffold=_scaffold,
)
