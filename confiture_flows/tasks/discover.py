"""Task: directory -> migrations."""

from __future__ import annotations

from pathlib import Path

from prefect import task

from confiture_flows.migrations.discovery import Directory, discover
from confiture_flows.migrations.texts import NO_TEXTS, Texts
from confiture_flows.tasks._policy import COMPUTED


@task(name="discover migrations", task_run_name="discover {directory}", **COMPUTED)
def discover_migrations(
    directory: str | Path,
    *,
    layout: str | None = None,
    as_written: bool = False,
    texts: Texts = NO_TEXTS,
) -> Directory:
    """Find the migrations of a directory.

    Args:
        directory: The folder.
        layout: A layout's name; None detects it.
        as_written: Whether files may hold their own BEGIN and COMMIT.
        texts: What scripts may refer to: values for placeholders, and where to include from.

    Raises:
        ConfigError: No such folder, no such layout, nothing in it, or no layout fits.
    """
    return discover(Path(directory), layout=layout, as_written=as_written, texts=texts)
