"""What to judge: all migrations, those that are pending, or those that changed since a revision."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.migration import Migration


def pending_versions(directory: Directory, rows: tuple[LedgerRow, ...]) -> frozenset[str]:
    """The migrations that the ledger does not have."""
    applied = {row.version for row in rows}
    return frozenset(each.version for each in directory.migrations if each.version not in applied)


def changed_versions(
    folder: Path, migrations: Iterable[Migration], revision: str
) -> frozenset[str]:
    """The migrations whose files differ from a revision of git, or are not in it.

    Args:
        folder: Their directory.
        migrations: Those to choose from.
        revision: A commit, branch or tag.

    Raises:
        ConfigError: Git does not know the revision, or the folder is in no repository.
    """
    if revision.startswith("-"):
        raise ConfigError(f"{revision} is no revision.", next_step="Name a commit or branch.")
    changed = _git(folder, "diff", "--name-only", "-z", "--relative", revision, "--", ".")
    new = _git(folder, "ls-files", "--others", "--exclude-standard", "-z")
    paths = {(folder / name).resolve() for name in (*changed, *new)}
    return frozenset(
        each.version
        for each in migrations
        if {script.path.resolve() for script in (each.up, each.down) if script} & paths
    )


def _git(folder: Path, *arguments: str) -> list[str]:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=True)
    except FileNotFoundError:
        raise ConfigError("git is not installed.", next_step="Leave --since out.") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise ConfigError(
            f"git cannot tell what changed: {said}.",
            next_step="Name a revision that this repository has, or leave --since out.",
        ) from None
    # A name need not be UTF-8.
    return [os.fsdecode(name) for name in done.stdout.split(b"\0") if name]
