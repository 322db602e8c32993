"""Directory in any layout -> the same migrations written out as pairs.

Versions, order, statements and their transactions stay what they were: what is written is
read again and compared before it is put in place. Refuses what no pair layout can hold, and
to write where migrations are already.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from confiture_flows.errors import ConfigError, HistoryError, MigrationFileError
from confiture_flows.migrations.checksum import file_checksum
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.migration import Script
from confiture_flows.migrations.validate import stop_at_gate, unrunnable_script
from confiture_flows.report.finding import Finding, Severity
from confiture_flows.sql.script import TransactionMode
from confiture_flows.sql.source import read_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.migrations.migration import Migration

# In the order of preference; whether the name is the version, since versions may repeat.
_LAYOUTS = (
    ("pairs", False),
    ("pairs-by-name", True),
    ("pairs-as-text", False),
    ("pairs-by-name-as-text", True),
)
_ANNOTATION = re.compile(r"^[ \t]*--[ \t]*(?:\+goose\b|migrate:(?:up|down)\b)", re.IGNORECASE)
_EMPTY = {
    "up": "-- Nothing to do.\n",
    "down": "-- Nothing to take back.\n",
    "verify": "-- Nothing to check.\n",
}
# How a script may have to be written so that it runs as it did: without the other tool's
# annotations or, where one stands inside a statement, with them; then without a marker of
# ours, or with the first that makes it so.
_WAYS = tuple(product((True, False), (None, *TransactionMode)))


@dataclass(frozen=True, slots=True)
class Import:
    """What an import wrote.

    Attributes:
        directory: Where.
        layout: The pair layout that keeps identity and order.
        files: Those written, by migration.
        migrations: How many.
        changed: Versions whose up script is not the original file byte for byte, so that its
            checksum is another.
        findings: What was left behind in the original directory, and scripts that could be run
            neither there nor here.
    """

    directory: Path
    layout: str
    files: tuple[Path, ...]
    migrations: int
    changed: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


def import_directory(source: Directory, into: Path) -> Import:
    """Write the migrations of a directory as pairs.

    Args:
        source: As discovered, in any layout.
        into: A folder without migrations; created if it does not exist.

    Raises:
        GateError: The source has migrations that cannot be read.
        HistoryError: A version stands twice, or no pair layout keeps versions and order.
        MigrationFileError: A script cannot be written so that it runs as it did.
        ConfigError: There is something in `into`, or it cannot be written to.
    """
    stop_at_gate(source.findings, Severity.ERROR)
    _refuse_python(source)
    _refuse_migrations_in(into)
    try:
        with TemporaryDirectory(prefix="confiture-import-") as scratch:
            layout, written = _write(source, Path(scratch))
            files = _put_in_place(Path(scratch), into)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or into} cannot be written: {error.strerror}.",
            next_step="Name another directory with --into.",
        ) from error
    changed = tuple(
        old.version
        for old, new in zip(source.migrations, written, strict=True)
        if old.checksum != new.checksum
    )
    findings = (*source.findings, *_unrunnable(source))
    return Import(into, layout, files, len(written), changed, findings)


def _refuse_python(source: Directory) -> None:
    for migration in source.migrations:
        if not isinstance(migration.up, Script):
            raise MigrationFileError(
                f"{migration.label} is written in {migration.language}, not in SQL.",
                version=migration.version,
                file=migration.up.path,
                next_step="Import the directory without it, and copy it there afterwards.",
            )


def _unrunnable(source: Directory) -> Iterator[Finding]:
    for migration in source.migrations:
        for _, script in _scripts(migration):
            if finding := unrunnable_script(migration, script, Severity.WARNING):
                yield finding


def _refuse_migrations_in(into: Path) -> None:
    if not into.is_dir():
        if into.exists():
            raise ConfigError(f"{into} is not a directory.", next_step="Name another with --into.")
        return
    taken = next((path for path in sorted(into.rglob("*.sql"))), None)
    if taken:
        raise ConfigError(
            f"There are migrations in {into} already ({taken.relative_to(into)}).",
            next_step="Name a directory without any with --into.",
        )


def _write(source: Directory, scratch: Path) -> tuple[str, tuple[Migration, ...]]:
    """Write into an empty folder; gives the layout and what it reads there."""
    reasons: list[str] = []
    for layout, name_is_version in _LAYOUTS:
        folder = scratch / layout
        folder.mkdir()
        reason = _write_names(source, folder, layout, name_is_version=name_is_version)
        if reason is None:
            written = _make_them_run_alike(source, folder, layout)
            folder.rename(scratch / "chosen")
            return layout, written
        reasons.append(f"{layout} {reason}")
    raise HistoryError(
        f"No pair layout keeps the versions and the order of {source.path}: {'; '.join(reasons)}.",
        next_step=f"Keep the directory as it is; its layout ({source.layout}) runs without import.",
    )


def _write_names(
    source: Directory, folder: Path, layout: str, *, name_is_version: bool
) -> str | None:
    """Write all scripts in the first way; gives why the layout will not do."""
    for migration in source.migrations:
        stem = _stem(migration, name_is_version=name_is_version)
        for kind, script in _scripts(migration):
            path = folder / (f"{stem}.sql" if migration.repeatable else f"{stem}.{kind}.sql")
            if path.exists() or path.parent != folder:
                return f"has no file name of its own for {migration.version}"
            path.write_bytes(_content(script, kind, *_WAYS[0]))
    found = discover(folder, layout=layout, may_be_empty=True)
    pairs = zip(source.migrations, found.migrations, strict=False)
    for old, new in pairs:
        if old.version != new.version and new.version in {m.version for m in source.migrations}:
            return f"would run {new.version} where {old.version} runs"
        if old.version != new.version:
            return f"would call {old.version} {new.version}"
        if [kind for kind, _ in _scripts(old)] != [kind for kind, _ in _scripts(new)]:
            return f"would lose a script of {old.version}"
    if len(found.migrations) != len(source.migrations):
        return f"would find {len(found.migrations)} of {len(source.migrations)} migrations"
    return None


def _make_them_run_alike(source: Directory, folder: Path, layout: str) -> tuple[Migration, ...]:
    """Rewrite the scripts that would run otherwise, in one way after another."""
    wanted = [
        (script, kind, _runs_as(script))
        for migration in source.migrations
        for kind, script in _scripts(migration)
    ]
    for way in (*_WAYS[1:], None):
        found = discover(folder, layout=layout, may_be_empty=True).migrations
        there = [script for migration in found for _, script in _scripts(migration)]
        differing = [
            (script, kind, new.path)
            for (script, kind, manner), new in zip(wanted, there, strict=True)
            if _runs_as(new) != manner
        ]
        if not differing:
            return found
        if way is None:
            script, _, path = differing[0]
            raise MigrationFileError(
                f"This script cannot be written as {path.name} so that it runs as it does here.",
                file=script.path,
                line=script.lines[0] if script.lines else None,
                next_step="Split it, or keep the directory as it is; it runs without import.",
            )
        for script, kind, path in differing:
            path.write_bytes(_content(script, kind, *way))
    raise AssertionError  # the last round returns or raises


def _stem(migration: Migration, *, name_is_version: bool) -> str:
    if name_is_version or migration.repeatable or not migration.name:
        return migration.version
    return f"{migration.version}_{migration.name}"


def _scripts(migration: Migration) -> list[tuple[str, Script]]:
    named = (("up", migration.up), ("down", migration.down), ("verify", migration.verify))
    return [(kind, script) for kind, script in named if isinstance(script, Script)]


def _content(script: Script, kind: str, clean: bool, mode: TransactionMode | None) -> bytes:
    marker = f"-- confiture: transaction={mode}\n".encode() if mode else b""
    if script.lines is None:
        content = script.path.read_bytes()
        return marker + content.removeprefix(BOM_UTF8) if marker else content
    first, last = script.lines
    lines = read_source(script.path).split("\n")
    # What stands above the first section are comments on the migration.
    above = lines[: first - 1] if kind == "up" and not _has_section(lines[: first - 1]) else []
    kept = [line for line in above if not _ANNOTATION.match(line)]
    kept += [line for line in lines[first:last] if not (clean and _ANNOTATION.match(line))]
    text = "\n".join(kept).strip("\r\n")
    return marker + (text + "\n" if text.strip() else _EMPTY[kind]).encode()


def _has_section(lines: list[str]) -> bool:
    return any(
        re.search(r"\+goose\s+(?:up|down)\b|migrate:(?:up|down)\b", line, re.IGNORECASE)
        for line in lines
        if _ANNOTATION.match(line)
    )


def _runs_as(script: Script) -> object:
    """All that decides what the server sees, as a value to compare."""
    try:
        batches = script.batches()
    except MigrationFileError as error:
        return error.message  # it cannot be run there either, for the same reason
    return [
        (
            batch.transactional,
            batch.opening,
            batch.keep,
            [(s.sql, s.copy_data, s.forbids_transaction, s.may_commit) for s in batch.statements],
        )
        for batch in batches
    ]


def _put_in_place(scratch: Path, into: Path) -> tuple[Path, ...]:
    """Copy the files; never over one that is there, and all of them or none."""
    into.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    try:
        for path in sorted((scratch / "chosen").iterdir()):
            target = into / path.name
            with target.open("xb") as file:
                written.append(target)
                file.write(path.read_bytes())
            if file_checksum(target) != file_checksum(path):
                raise OSError(5, "what was written is not what is read", str(target))
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return tuple(written)
