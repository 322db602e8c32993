"""One file, as an editor has it -> its findings, with the history of the files beside it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from confiture_flows.config import load_project
from confiture_flows.errors import ConfigError, MigrationFileError
from confiture_flows.lint.cache import user_cache
from confiture_flows.lint.runner import lint_migrations, lint_text
from confiture_flows.lint.settings import settings_of
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.migration import Migration, Script
from confiture_flows.sql.source import read_source

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.lint.report import LintFinding
    from confiture_flows.lint.settings import LintSettings
    from confiture_flows.migrations.discovery import Directory

# How many folders of migrations one run is expected to touch.
_FOLDERS = 64


def findings_of(path: Path, text: str) -> tuple[LintFinding, ...]:
    """The findings of one file.

    Args:
        path: The file. Which migrations come before it, the configuration says, or its folder.
        text: What stands in it, which need not be on disk yet.

    Raises:
        ConfigError: The configuration says something wrong.
    """
    path = path.resolve()
    project = load_project(path.parent)
    settings = settings_of(project)
    directory = _directory_of(path)
    migration = _migration_of(directory, path) if directory else None
    if directory is None or migration is None:
        lone = Migration(path.stem, "", Script(path), "")
        return lint_text((), lone, text, settings=settings, alone=True)
    if _on_disk(path) == text:
        found = _all_findings(directory, _stamp(directory), _Hashed(settings))
    else:
        at = directory.migrations.index(migration)
        before, after = directory.migrations[:at], directory.migrations[at + 1 :]
        cache = user_cache()
        found = lint_text(before, migration, text, settings=settings, cache=cache, after=after)
    return tuple(each for each in found if each.path == migration.up.path)


class _Hashed:
    """Settings as the key of a cache: they hold a dict."""

    def __init__(self, settings: LintSettings) -> None:
        self.settings = settings
        self._key = settings.key

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hashed) and other._key == self._key


def _on_disk(path: Path) -> str | None:
    try:
        return read_source(path)
    except MigrationFileError:
        return None


def _stamp(directory: Directory) -> tuple[tuple[str, int, int], ...]:
    """What changes when a file of the directory does."""
    stamps = []
    for each in directory.migrations:
        for script in (each.up, each.down):
            if script:
                stat = script.path.stat()
                stamps.append((str(script.path), stat.st_mtime_ns, stat.st_size))
    return tuple(stamps)


@lru_cache(maxsize=_FOLDERS)
def _all_findings(
    directory: Directory, _stamp: tuple[tuple[str, int, int], ...], settings: _Hashed
) -> tuple[LintFinding, ...]:
    report = lint_migrations(directory.migrations, settings=settings.settings, cache=user_cache())
    return report.findings


def _directory_of(path: Path) -> Directory | None:
    """The directory of migrations that a file belongs to."""
    project = load_project(path.parent)
    candidates = [path.parent, path.parent.parent]
    layout = None
    if project.source and path.is_relative_to(project.directory.resolve()):
        candidates, layout = [project.directory.resolve()], project.layout
    for folder in candidates:
        directory = _discover(folder, layout, project.as_written, _names(folder))
        if directory and _migration_of(directory, path):
            return directory
    return None


def _names(folder: Path) -> tuple[tuple[str, int], ...]:
    """The names in a folder and when they changed, so that what was discovered is not stale."""
    # An editor's lock may be a link that leads nowhere.
    return tuple(sorted((each.name, each.lstat().st_mtime_ns) for each in folder.iterdir()))


@lru_cache(maxsize=_FOLDERS)
def _discover(
    folder: Path, layout: str | None, as_written: bool, _names: tuple[tuple[str, int], ...]
) -> Directory | None:
    try:
        return discover(folder, layout=layout, as_written=as_written)
    except ConfigError:
        return None


def _migration_of(directory: Directory, path: Path) -> Migration | None:
    for each in directory.migrations:
        if each.up.path == path:
            return each
    # Behind a symbolic link; asked last, since a look at each part of each path takes its time.
    named = (each for each in directory.migrations if each.up.path.name == path.name)
    return next((each for each in named if each.up.path.resolve() == path), None)
