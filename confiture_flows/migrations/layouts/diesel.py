"""`VERSION_name/up.sql` and `down.sql`, `metadata.toml`: diesel.

Identity and order: the part before the underscore without its dashes, compared as
text. Source: diesel_migrations, `version_from_string` and `MigrationVersion`.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from confiture_flows.migrations.layouts import Found, Layout, Reading
from confiture_flows.migrations.layouts._files import folders_with
from confiture_flows.migrations.migration import Script
from confiture_flows.report.finding import Finding, Location, Severity
from confiture_flows.sql.script import TransactionMode

if TYPE_CHECKING:
    from pathlib import Path


def _detect(directory: Path) -> bool:
    return bool(folders_with(directory, "up.sql"))


def _read(directory: Path) -> Reading:
    found: list[Found] = []
    findings: list[Finding] = []
    for folder in folders_with(directory, "up.sql"):
        try:
            mode = _transaction_mode(folder / "metadata.toml")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            findings.append(
                Finding(
                    "file.metadata",
                    Severity.ERROR,
                    f"metadata.toml cannot be read: {why}",
                    location=Location(folder / "metadata.toml"),
                )
            )
            mode = TransactionMode.AUTO
        prefix, _, name = folder.name.partition("_")
        version = prefix.replace("-", "")
        down = folder / "down.sql"
        found.append(
            Found(
                version,
                name,
                (version,),
                up=Script(folder / "up.sql", transaction=mode),
                down=Script(down, transaction=mode) if down.is_file() else None,
            )
        )
    return Reading(tuple(found), tuple(findings))


def _transaction_mode(metadata: Path) -> TransactionMode:
    if not metadata.is_file():
        return TransactionMode.AUTO
    declared = tomllib.loads(metadata.read_text(encoding="utf-8"))
    runs_in_one = declared.get("run_in_transaction", True)
    return TransactionMode.AUTO if runs_in_one else TransactionMode.NONE


def _scaffold(version: str, slug: str) -> dict[str, str]:
    # diesel writes 2026-11-23-101500 for 20261123101500
    dashed = version
    if len(version) == 14:
        dashed = f"{version[:4]}-{version[4:6]}-{version[6:8]}-{version[8:]}"
    return {
        f"{dashed}_{slug}/up.sql": f"-- {slug.replace('_', ' ')}\n",
        f"{dashed}_{slug}/down.sql": "-- Takes back what up.sql does.\n",
    }


LAYOUT = Layout(
    name="diesel",
    summary="VERSION_name/up.sql, down.sql, metadata.toml",
    rank=20,
    detect=_detect,
    read=_read,
    scaffold=_scaffold,
)
