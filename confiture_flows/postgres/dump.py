"""DSN -> the SQL that makes its schema again, by a pg_dump of at least the server's major version.

Refuses to go on without such a pg_dump.
"""

from __future__ import annotations

import re
import subprocess
from typing import Literal

from confiture_flows.errors import EmbeddedServerError
from confiture_flows.postgres.clients import client_access, find_clients

# psql's own, by which it is asked to obey nothing else of its kind.
_RESTRICT = re.compile(r"^\\(?:un)?restrict .*$", re.MULTILINE)

Section = Literal["pre-data", "post-data"]


def dump_schema(dsn: str, major: int, *, owners: bool) -> str:
    """The schema as SQL that can be sent in one go.

    Args:
        dsn: Of the database.
        major: The server's major version.
        owners: Whether owners and rights are in it; their roles have to be there then.

    Raises:
        EmbeddedServerError: There is no such pg_dump here, or it fails.
    """
    return _dumped(dsn, major, ["--schema-only"], owners=owners)


def dump_section(dsn: str, major: int, section: Section, *, owners: bool, snapshot: str) -> str:
    """What comes before the rows of a database, or after them, as SQL.

    Args:
        dsn: Of the database.
        major: The server's major version.
        section: Tables and functions; or indexes, keys, triggers, policies, and the filling of
            materialized views.
        owners: Whether owners and rights are in it; their roles have to be there then.
        snapshot: An exported snapshot to look at.

    Raises:
        EmbeddedServerError: There is no such pg_dump here, or it fails.
    """
    arguments = [f"--section={section}", f"--snapshot={snapshot}", "--no-publications"]
    return _dumped(dsn, major, arguments, owners=owners)


def _dumped(dsn: str, major: int, arguments: list[str], *, owners: bool) -> str:
    program = find_clients(major, "pg_dump") / "pg_dump"
    database, environment = client_access(dsn)
    command = [program, *arguments, "--no-subscriptions", "--no-tablespaces"]
    command += [] if owners else ["--no-owner", "--no-privileges"]
    # A table that is locked now would make pg_dump, and all who come after it, wait.
    command += ["--lock-wait-timeout=2000", f"--dbname={database}"]
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
