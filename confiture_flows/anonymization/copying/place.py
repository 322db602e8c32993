"""A target -> the place where rows go: a new database, a folder, or the tables that are there."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from confiture_flows.anonymization.copying.completing import complete
from confiture_flows.anonymization.copying.directory import (
    BEFORE,
    begin_folder,
    publish_folder,
    remove_folder,
)
from confiture_flows.anonymization.copying.in_place import tables_in_place
from confiture_flows.anonymization.copying.journal import create_journal, drop_journal
from confiture_flows.anonymization.copying.new_database import new_database
from confiture_flows.anonymization.copying.refusals import database_to_load
from confiture_flows.anonymization.copying.schema import (
    check_available,
    read_schema,
    run_script,
    sequences_script,
    set_sequences,
)
from confiture_flows.anonymization.copying.sessions import prepare_session, told_without_rows
from confiture_flows.anonymization.copying.way import Receiver
from confiture_flows.errors import CopyError
from confiture_flows.target import connect, describe_dsn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from confiture_flows.anonymization.copying.new_database import NewDatabase
    from confiture_flows.anonymization.copying.schema import Schema, Sequence
    from confiture_flows.anonymization.copying.source import Source
    from confiture_flows.anonymization.copying.values import ChunkResult, CopyOptions
    from confiture_flows.anonymization.plan import CopyPlan
    from confiture_flows.target import Target


class Place(Protocol):
    """Where rows go."""

    @property
    def where(self) -> Target | Path:
        """The database or the folder that chunks are written to."""
        ...

    @property
    def receiver(self) -> Receiver:
        """In which form it takes them."""
        ...

    def complete(self) -> None:
        """Make what comes after the rows."""
        ...

    def set_sequences(self, sequences: tuple[Sequence, ...]) -> None:
        """Let sequences go on where the source's stand."""
        ...

    def publish(self, source: str, results: Iterable[ChunkResult]) -> str:
        """Take the target's name, and say it."""
        ...

    def keep_aside(self) -> str | None:
        """Stay after a proof that failed, under a name of its own; None if it does not stay."""
        ...


@dataclass
class _DatabasePlace:
    """A new database."""

    database: NewDatabase
    schema: Schema
    receiver: Receiver
    workers: int
    size: int

    @property
    def where(self) -> Target:
        return self.database.target

    def begin(self) -> None:
        with connect(self.where, "copy schema") as conn:
            prepare_session(conn, writing=True)
            run_script(conn, self.schema.before, "Making the tables")
            create_journal(conn)

    def complete(self) -> None:
        with connect(self.where, "copy schema") as conn:
            prepare_session(conn, writing=True)
            with told_without_rows("Ending the load"):
                drop_journal(conn)
        complete(self.where, self.schema.after, self.workers, self.size)

    def set_sequences(self, sequences: tuple[Sequence, ...]) -> None:
        with connect(self.where, "copy schema") as conn, told_without_rows("Setting sequences"):
            prepare_session(conn, writing=True)
            set_sequences(conn, sequences)

    def publish(self, source: str, results: Iterable[ChunkResult]) -> str:
        return self.database.publish(source)

    def keep_aside(self) -> str:
        return self.database.keep_aside()


@dataclass
class _FolderPlace:
    """A folder beside the one that is wanted."""

    where: Path
    wanted: Path
    schema: Schema
    receiver: Receiver
    after: str = ""

    def complete(self) -> None:
        self.after = self.schema.after

    def set_sequences(self, sequences: tuple[Sequence, ...]) -> None:
        self.after += sequences_script(sequences)

    def publish(self, source: str, results: Iterable[ChunkResult]) -> str:
        publish_folder(self.where, self.wanted, source, results, self.after)
        return str(self.wanted)

    def keep_aside(self) -> None:
        return None


@contextmanager
def open_place(
    source: Source, plan: CopyPlan, target: Target | Path, number: int, options: CopyOptions
) -> Iterator[Place]:
    """Make the place, with tables in it; it is gone with the block unless it was published.

    Raises:
        CopyError: The target cannot become this copy.
        EmbeddedServerError: There is no fitting pg_dump for a new database, or it fails.
    """
    if options.in_place:
        wanted = database_to_load(target, options)
        with tables_in_place(source, wanted, plan, number) as tables:
            yield tables
        return
    schema = read_schema(source, owners=options.owners)
    if isinstance(target, Path):
        folder = begin_folder(target.absolute(), number, replace=options.replace)
        try:
            (folder / BEFORE).write_text(schema.before, "utf-8")
            yield _FolderPlace(folder, target.absolute(), schema, Receiver(0, options.format))
        finally:
            remove_folder(folder)
        return
    with new_database(
        source, target, number, replace=options.replace, ends=options.end_sessions
    ) as database:
        major = database.admin.info.server_version // 10_000
        if major < source.major:
            raise CopyError(
                f"{describe_dsn(target.dsn)} is PostgreSQL {major}, older than the source's "
                f"{source.major}.",
                next_step="Copy to a server of the same version, or a newer one.",
            )
        check_available(database.admin, schema, describe_dsn(target.dsn))
        database.create(source)
        size = sum(each.size for each in plan.tables if each.copied)
        place = _DatabasePlace(database, schema, Receiver(major), options.workers, size)
        place.begin()
        yield place
