"""`V1_2__description.sql`, `U1_2__...` for the way down, `R__...` repeatable: Flyway.

Found in sub-folders too, as Flyway scans them. Identity and order: the version's numbers, so
that 1, 1.0 and 01 are one version; written with dots, as Flyway's own history table has it.
A `.conf` file beside a script says how that script runs.
Source: Flyway's documentation, Migrations and Script Configuration; ResourceNameParser and
MigrationVersion in its source.
"""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_flows.errors import MigrationFileError
from confiture_flows.migrations.layouts import Found, Layout, Reading
from confiture_flows.migrations.layouts._files import files, misnamed, without_up
from confiture_flows.migrations.layouts._repeatable import is_repeatable, repeatable
from confiture_flows.migrations.migration import Script
from confiture_flows.report.finding import Finding, Location, Severity
from confiture_flows.sql.script import TransactionMode
from confiture_flows.sql.source import read_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    Key = tuple[int, ...]

_NAME = re.compile(
    r"^(?P<kind>[VUB])(?P<version>\d+(?:[._]\d+)*)(?:__(?P<description>.*))?\.sql$", re.ASCII
)
_EXPECTED = "V1_2__description.sql, U1_2__description.sql or R__description.sql"
_CALLBACK = re.compile(r"^(?:before|after|create)[A-Z]\w*\.sql$")
# Flyway runs classes and scripts of these names, too.
_OTHER_LANGUAGE = re.compile(
    r"^[VUBR]\d*\w*?__.+\.(?:java|class|kt|groovy|py|sh|bash|ps1|bat|cmd)$"
)
_TRUTH = {"true": True, "false": False}


def _detect(directory: Path) -> bool:
    here = [path.name for path in files(directory)]
    if any(_is_versioned(name) for name in here):
        return True
    if any(name[0].isdigit() for name in here):
        return False  # whatever lies in its sub-folders
    scripts = [path for path in _scan(directory) if path.suffix == ".sql"]
    return any(_is_versioned(path.name) for path in scripts) or (
        bool(scripts) and all(is_repeatable(path) for path in scripts)
    )


def _is_versioned(name: str) -> bool:
    match = _NAME.match(name)
    return match is not None and match["kind"] != "U"


def _scan(directory: Path) -> Iterator[Path]:
    """The visible files of a folder and its visible sub-folders."""
    for folder, subfolders, names in os.walk(directory):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(names) if not name.startswith("."))


def _key(version: str) -> Key:
    """The numbers of a version without the zeros at its end, which mean nothing to Flyway."""
    numbers = [int(part) for part in re.split(r"[._]", version)]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _read(directory: Path) -> Reading:
    findings: list[Finding] = []
    found: list[Found] = []
    named: dict[str, list[tuple[Key, re.Match[str], Path]]] = {"V": [], "U": [], "B": []}
    for path in _scan(directory):
        if match := _NAME.match(path.name):
            named[match["kind"]].append((_key(match["version"]), match, path))
        elif is_repeatable(path):
            found.append(repeatable(_script(path, findings)))
        elif finding := _not_run(path):
            findings.append(finding)
    undo: dict[Key, Path] = {}
    for key, match, path in named["U"]:
        if key in undo:
            findings.append(_second_undo(path, undo[key], match["version"]))
        else:
            undo[key] = path
    for key, match, path in named["V"]:
        down = undo.get(key)
        found.append(
            Found(
                version=match["version"].replace("_", "."),
                name=match["description"] or "",
                key=key,
                up=_script(path, findings),
                down=_script(down, findings) if down else None,
            )
        )
    versions = {key for key, _, _ in named["V"]}
    findings += [
        without_up(path, match["version"]) for key, match, path in named["U"] if key not in versions
    ]
    findings += [_baseline(key, match, path, versions) for key, match, path in named["B"]]
    return Reading(tuple(found), tuple(findings))


def _not_run(path: Path) -> Finding | None:
    if _CALLBACK.match(path.name.partition("__")[0].removesuffix(".sql") + ".sql"):
        what = "a callback of Flyway"
    elif _OTHER_LANGUAGE.match(path.name):
        what = "a migration in another language"
    else:
        return misnamed(path, _EXPECTED) if path.suffix == ".sql" else None
    return Finding(
        "file.unsupported",
        Severity.WARNING,
        f"{path.name} is {what} and is not run.",
        next_step="Write what it does to the schema as SQL in a V or R file, if it is needed.",
        location=Location(path),
    )


def _second_undo(path: Path, first: Path, version: str) -> Finding:
    return Finding(
        "history.duplicate",
        Severity.ERROR,
        f"Version {version} has two undo scripts: {first.name} and {path.name}",
        next_step="Take one of them out.",
        version=version,
        location=Location(path),
    )


def _baseline(key: Key, match: re.Match[str], path: Path, versions: set[Key]) -> Finding:
    """A baseline migration stands for all versions up to its own, on a database without history."""
    version = match["version"].replace("_", ".")
    if any(each <= key for each in versions):
        return Finding(
            "file.unsupported",
            Severity.WARNING,
            f"{path.name} is a baseline migration and is not run; the versions up to {version} "
            "run one by one instead.",
            next_step="Nothing, if the V files up to that version are all there.",
            version=version,
            location=Location(path),
        )
    return Finding(
        "file.invalid",
        Severity.ERROR,
        f"{path.name} is a baseline migration, which is not run, and the versions that it stands "
        "for are not here.",
        next_step=f"Rename it to V{path.name[1:]}, so that it is the first version.",
        version=version,
        location=Location(path),
    )


def _script(path: Path, findings: list[Finding]) -> Script:
    """A script as the `.conf` file beside it says; what it says wrong becomes a finding."""
    conf = path.with_name(path.name + ".conf")
    if not conf.is_file():
        return Script(path)
    try:
        said = _settings(conf)
    except MigrationFileError as error:
        findings.append(
            Finding(
                "file.metadata",
                Severity.ERROR,
                f"{conf.name}: {error.message}",
                next_step=error.next_step,
                location=Location(conf, error.line),
            )
        )
        return Script(path)
    mode = TransactionMode.AUTO if said.get("executeInTransaction", True) else TransactionMode.NONE
    return Script(path, transaction=mode, literal=not said.get("placeholderReplacement", True))


def _settings(conf: Path) -> dict[str, bool]:
    """What a script's configuration says.

    Raises:
        MigrationFileError: It says something that is not heeded.
    """
    said: dict[str, bool] = {}
    for number, line in enumerate(read_source(conf).splitlines(), 1):
        key, _, value = (part.strip() for part in line.partition("="))
        if not key or key.startswith(("#", "!")):
            continue
        truth = _TRUTH.get(value.lower())
        if key in ("executeInTransaction", "placeholderReplacement") and truth is not None:
            said[key] = truth
        elif (key, value.upper().replace("_", "-")) != ("encoding", "UTF-8") and (
            (key, truth) != ("shouldExecute", True)
        ):
            raise MigrationFileError(
                f"{line.strip()} is not supported.",
                file=conf,
                line=number,
                next_step="What is heeded: executeInTransaction and placeholderReplacement, "
                "true or false. Scripts are UTF-8.",
            )
    return said


def _placeholders(path: Path) -> dict[str, str]:
    """Those of Flyway's own that need no connection; the others can be given like any other."""
    return {
        "flyway:filename": path.name,
        # A repeatable migration with it runs every time, which is what people write it for.
        "flyway:timestamp": f"{datetime.now():%Y-%m-%d %H:%M:%S}",
    }


def _scaffold(version: str, slug: str) -> dict[str, str]:
    return {
        f"V{version}__{slug}.sql": f"-- {slug.replace('_', ' ')}\n",
        f"U{version}__{slug}.sql": "-- Takes back what the V script does.\n",
    }


LAYOUT = Layout(
    name="flyway",
    summary="V1_2__description.sql, U1_2__description.sql, R__description.sql",
    rank=55,
    detect=_detect,
    read=_read,
    scaffold=_scaffold,
    placeholders=_placeholders,
)
