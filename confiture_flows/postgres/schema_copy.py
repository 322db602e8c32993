"""A database -> its schema again in a scratch database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from confiture_flows.errors import EmbeddedServerError
from confiture_flows.postgres.dump import dump_schema
from confiture_flows.postgres.scratch import ScratchUnavailable

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.postgres.likeness import Likeness
    from confiture_flows.postgres.scratch import Scratch


def copy_schema(
    scratch: Connection,
    place: Scratch,
    dsn: str,
    likeness: Likeness,
    *,
    whose: Literal["source", "target"],
) -> None:
    """Make the schema of a database again; the session's settings are the usual ones after.

    Args:
        scratch: A session in `place`, in autocommit.
        place: An empty scratch database.
        dsn: Of the database; pg_dump connects by itself.
        likeness: Of the database.
        whose: What messages call it.

    Raises:
        ScratchUnavailable: The schema cannot be dumped, or not be made again.
    """
    import psycopg

    try:
        schema = dump_schema(dsn, likeness.major, owners=place.private)
        scratch.execute(schema.encode())
    except EmbeddedServerError as error:
        raise ScratchUnavailable(error.message, error.next_step) from None
    except psycopg.Error as error:
        said = error.diag.message_primary or str(error)
        raise ScratchUnavailable(
            f"The {whose}'s schema cannot be made again in {place.place}: {said}."
        ) from None
    scratch.execute("RESET ALL")
