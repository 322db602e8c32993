"""`Path` -> `Directory`: the migrations in their layout's order. No database.

Refuses a folder that does not exist or whose layout nobody can tell; what is odd
about single files comes back as findings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from confiture_flows.errors import ConfigError
from confiture_flows.migrations.checksum import script_checksum
from confiture_flows.migrations.layouts import Found, Layout, all_layouts
from confiture_flows.migrations.migration import Migration, Script
from confiture_flows.migrations.texts import NO_TEXTS, Texts, fitting
from confiture_flows.report.finding import Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from confiture_flows.migrations.migration import Runnable


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory of migrations, read.

    Attributes:
        path: The folder.
        layout: The name of its layout.
        migrations: In the order in which they run, repeatable ones last. Versions may still
            repeat.
        findings: What the layout could make nothing of.
    """

    path: Path
    layout: str
    migrations: tuple[Migration, ...]
    findings: tuple[Finding, ...] = ()


def discover(
    path: Path,
    *,
    layout: str | None = None,
    as_written: bool = False,
    may_be_empty: bool = False,
    texts: Texts = NO_TEXTS,
) -> Directory:
    """Find the migrations of a directory.

    Args:
        path: The folder.
        layout: A layout's name; None detects it.
        as_written: Whether files may hold their own BEGIN and COMMIT.
        may_be_empty: Whether a folder without migrations is fine (scaffolding starts so).
        texts: What the scripts may refer to.

    Raises:
        ConfigError: No such folder, no such layout, nothing in it, or no layout fits.
    """
    if not path.is_dir():
        raise ConfigError(
            f"There is no directory {path}.",
            next_step="Name it with --dir, or create it with: confiture-flows new NAME",
        )
    chosen = _named(layout) if layout else _detected(path, may_be_empty=may_be_empty)
    reading = chosen.read(path)
    if not reading.found and not may_be_empty:
        raise ConfigError(
            f"There are no migrations in {path} (layout {chosen.name}: {chosen.summary}).",
            next_step="Write the first with: confiture-flows new NAME, or name another "
            "directory with --dir or another layout with --layout.",
        )
    migrations: list[Migration] = []
    findings = list(reading.findings)
    fit = fitting(texts, path, chosen, as_written=as_written)
    for found in sorted(reading.found, key=_place_in_order):
        try:
            migrations.append(_migration(found, fit))
        except OSError as error:
            findings.append(
                Finding(
                    "file.unreadable",
                    Severity.ERROR,
                    f"{found.up.path.name} cannot be read: {error.strerror}.",
                    next_step="Check that you may read it.",
                    version=found.version,
                    location=Location(found.up.path),
                )
            )
    findings += _duplicates(reading.found, chosen)
    return Directory(path, chosen.name, tuple(migrations), tuple(findings))


def _named(name: str) -> Layout:
    for layout in all_layouts():
        if layout.name == name:
            return layout
    known = "\n".join(f"  {layout.name}: {layout.summary}" for layout in all_layouts())
    raise ConfigError(f"There is no layout {name!r}.", next_step=f"Layouts are:\n{known}")


def _detected(path: Path, *, may_be_empty: bool) -> Layout:
    for layout in all_layouts():
        if layout.detect(path):
            return layout
    visible = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith("."))
    if not visible or may_be_empty:
        return _named("pairs")
    seen = ", ".join(visible[:3]) + (", ..." if len(visible) > 3 else "")
    known = "\n".join(f"  {layout.name}: {layout.summary}" for layout in all_layouts())
    raise ConfigError(
        f"No layout fits what is in {path} ({seen}).",
        next_step=f"Name the directory of the migrations with --dir. Layouts are:\n{known}",
    )


def _place_in_order(found: Found) -> tuple[bool, tuple[int | str, ...], str]:
    return found.repeatable, found.key, found.up.path.name


def _migration(found: Found, fit: Callable[[Script], Script]) -> Migration:
    up = _fitted(found.up, fit)
    return Migration(
        version=found.version,
        name=found.name,
        up=up,
        checksum=script_checksum(up, repeatable=found.repeatable),
        down=_fitted(found.down, fit) if found.down else None,
        verify=replace(fit(found.verify), as_written=False) if found.verify else None,
        repeatable=found.repeatable,
        title=found.title,
    )


def _fitted(script: Runnable, fit: Callable[[Script], Script]) -> Runnable:
    return fit(script) if isinstance(script, Script) else script


def _duplicates(found: tuple[Found, ...], layout: Layout) -> list[Finding]:
    # The layout's tool may sort by more than the version, which is the ledger's identity.
    by_key: dict[tuple[bool, tuple[int | str, ...]], list[Found]] = {}
    key_of = {each.version: (each.repeatable, each.key) for each in found}
    for each in found:
        by_key.setdefault(key_of[each.version], []).append(each)
    hint = ", or set the layout to pairs-by-name" if layout.name == "pairs" else ""
    return [
        Finding(
            "history.duplicate",
            Severity.ERROR,
            f"{'' if same[0].repeatable else 'Version '}{same[0].version} stands twice: "
            + " and ".join(_places([each.up.path for each in same])),
            next_step=f"Give one of them a {'name' if same[0].repeatable else 'version'} of its "
            f"own{hint}.",
            version=same[0].version,
            location=Location(same[-1].up.path),
        )
        for same in by_key.values()
        if len(same) > 1
    ]


def _places(paths: list[Path]) -> list[str]:
    # In layouts with a folder a migration every file has the same name.
    same = len({path.name for path in paths}) < len(paths)
    return sorted(f"{path.parent.name}/{path.name}" if same else path.name for path in paths)
