"""DSN -> the SQL that makes its schema again, by a pg_dump of at least the server's major version.

Refuses to go on without such a pg_dump.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from confiture_flows.errors import EmbeddedServerError
from confiture_flows.postgres.clients import client_access, find_clients

if TYPE_CHECKING:
    from pathlib import Path

# psql's own, by which it is asked to obey nothing else of its kind.
_RESTRICT = re.compile(r"^\\(?:un)?restrict .*$", re.MULTILINE)


def dump_schema(dsn: str, major: int, *, owners: bool) -> str:
    """The schema as SQL that can be sent in one go.

    Args:
        dsn: Of the database.
        major: The server's major version.
        owners: Whether owners and rights are in it; their roles have to be there then.

    Raises:
        EmbeddedServerError: There is no such pg_dump here, or it fails.
    """
    folder = find_clients(major, "pg_dump")
    return _text(_dumped(folder, dsn, ["--schema-only"], owners=owners))


def dump_sections(dsn: str, major: int, *, owners: bool, snapshot: str) -> tuple[str, str]:
    """What comes before the rows of a database, and after them, as SQL.

    The database is asked once: pg_dump writes an archive, of which pg_restore writes out both.

    Args:
        dsn: Of the database.
        major: The server's major version.
        owners: Whether owners and rights are in it; their roles have to be there then.
        snapshot: An exported snapshot to look at.

    Returns:
        Tables and functions; and indexes, keys, triggers, policies, and the filling of
        materialized views.

    Raises:
        EmbeddedServerError: There are no such programs here, or they fail.
    """
    folder = find_clients(major, "pg_dump", "pg_restore")
    # Not --schema-only, which leaves the filling of materialized views out.
    sections = ["--section=pre-data", "--section=post-data", "--no-publications"]
    form = ["--format=custom", "--compress=0", f"--snapshot={snapshot}"]
    archive = _dumped(folder, dsn, [*sections, *form], owners=owners)
    before, after = (_section(folder, archive, each, owners) for each in ("pre-data", "post-data"))
    return before, after


def _section(folder: Path, archive: bytes, section: str, owners: bool) -> str:
    # An archive has owners and tablespaces whatever pg_dump is told.
    command = [folder / "pg_restore", "--file=-", f"--section={section}", *_left_out(owners=owners)]
    return _text(_output(command, None, archive))


def _left_out(*, owners: bool) -> list[str]:
    return ["--no-tablespaces", *([] if owners else ["--no-owner", "--no-privileges"])]


def _dumped(folder: Path, dsn: str, arguments: list[str], *, owners: bool) -> bytes:
    database, environment = client_access(dsn)
    command = [folder / "pg_dump", *arguments, "--no-subscriptions", *_left_out(owners=owners)]
    # A table that is locked now would make pg_dump, and all who come after it, wait.
    command += ["--lock-wait-timeout=2000", "--encoding=UTF8", f"--dbname={database}"]
    return _output(command, environment)


def _output(
    command: list[Path | str], environment: dict[str, str] | None, given: bytes = b""
) -> bytes:
    done = subprocess.run(command, input=given, capture_output=True, env=environment, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise EmbeddedServerError(
            f"The schema cannot be read: {said[0]}",  # it begins with the program's name
            next_step="Check the rights of the user of this target, and whether a table is locked.",
        )
    return done.stdout


def _text(script: bytes) -> str:
    # What is no UTF-8 is of a SQL_ASCII database, whose bytes nothing converts.
    return _RESTRICT.sub("", script.decode(errors="replace"))
