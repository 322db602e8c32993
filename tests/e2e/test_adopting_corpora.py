"""Real projects change over from the tool that they use, by the commands of the guide."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from confiture_flows.migrations.apply import apply_plan
from confiture_flows.migrations.discovery import Directory, discover
from confiture_flows.migrations.migration import Migration
from confiture_flows.migrations.plan import plan_forward
from confiture_flows.target import Target, connect
from tests.foreign_ledgers import SHOPS, crc32, sha256, sha384
from tests.pages.walkthrough import Reader
from tests.support import in_sql

PENDING = 3  # the last ones, which the other tool has not applied yet

Write = Callable[[Directory, Path], Path]
Rows = Callable[[tuple[Migration, ...]], list[tuple[object, ...]]]


def text_of(migration: Migration) -> str:
    return in_sql(migration.up).path.read_text(encoding="utf-8")


def way_back(migration: Migration) -> str:
    return in_sql(migration.down).text() if migration.down else ""


def as_dbmate(found: Directory, folder: Path) -> Path:
    for each in found.migrations:
        text = f"-- migrate:up\n{in_sql(each.up).text()}\n-- migrate:down\n{way_back(each)}\n"
        (folder / f"{each.version}_{each.name}.sql").write_text(text)
    return folder


def as_flyway(found: Directory, folder: Path) -> Path:
    for each in found.migrations:
        (folder / f"V{each.version}__{each.name}.sql").write_text(text_of(each))
        (folder / f"U{each.version}__{each.name}.sql").write_text(way_back(each))
    return folder


@dataclass(frozen=True)
class Project:
    """A corpus, and what the tool that it is for keeps of it.

    Attributes:
        corpus: Its folder.
        columns: Of the ledger, as far as they have no default.
        rows: Of the ledger, for what is applied.
        write: Writes the corpus down as this tool has it, where the project uses another.
        settings: What confiture.toml has to say.
        through: It has no ledger that is known, so a person says what is applied.
    """

    corpus: str
    columns: str = ""
    rows: Rows = lambda _: []
    write: Write | None = None
    settings: str = ""
    through: bool = False


def versions(applied: tuple[Migration, ...]) -> list[tuple[object, ...]]:
    return [(each.version,) for each in applied]


AS_WRITTEN = 'transaction = "as-written"\n'
PROJECTS = {
    "golang-migrate": Project(
        "neosync", "version, dirty", lambda all_: [(all_[-1].version, False)]
    ),
    "diesel": Project("crates_io", "version", versions),
    "goose": Project(
        "e2b",
        "version_id, is_applied",
        lambda all_: [(0, True), *((each.version, True) for each in all_)],
        settings=AS_WRITTEN,
    ),
    "prisma": Project(
        "langfuse",
        "id, checksum, finished_at, migration_name, applied_steps_count",
        lambda all_: [
            (str(place), sha256(text_of(each)), "2026-01-01Z", each.version, 1)
            for place, each in enumerate(all_)
        ],
        settings=AS_WRITTEN,
    ),
    "sqlx": Project(
        "svix",
        "version, description, success, checksum, execution_time",
        lambda all_: [
            (each.version, each.name, True, bytes.fromhex(sha384(text_of(each))), 7)
            for each in all_
        ],
    ),
    "dbmate": Project("svix", "version", versions, as_dbmate),
    "flyway": Project(
        "svix",
        "installed_rank, version, description, type, script, checksum, installed_by,"
        " execution_time, success",
        lambda all_: [
            (rank, each.version, each.name, "SQL", each.name, crc32(text_of(each)), "ada", 7, True)
            for rank, each in enumerate(all_, 1)
        ],
        as_flyway,
    ),
    "alembic": Project("svix", "version_num", lambda all_: [(all_[-1].version,)]),
    # Concourse applies its own files, and keeps a table that no other tool has.
    "none": Project("concourse", settings='layout = "pairs-by-name"\n', through=True),
}


@pytest.mark.usefixtures("shared_roles")
@pytest.mark.parametrize("tool", PROJECTS)
def test_project_changes_over(
    tool: str,
    corpora: Path,
    reader: Reader,
    target: Target,
    conn: psycopg.Connection,
    tmp_path: Path,
) -> None:
    project = PROJECTS[tool]
    source = corpora / project.corpus / "migrations"
    named = "pairs-by-name" if "layout" in project.settings else None
    as_written = project.settings == AS_WRITTEN
    (tmp_path / "written").mkdir()
    if project.write:
        source = project.write(discover(source), tmp_path / "written")
    (tmp_path / "confiture.toml").write_text(
        f"[migrations]\ndirectory = {json.dumps(str(source))}\n{project.settings}"
    )
    migrations = discover(source, layout=named, as_written=as_written).migrations
    applied = migrations[:-PENDING]
    with connect(target, "test") as session:
        # As the other tool has left it: its tables, and none of ours.
        apply_plan(session, plan_forward(applied, ()), limits=target.limits, ledger="of_the_test")
    if not project.through:
        shop = SHOPS[tool]
        conn.execute(shop.create.encode())
        with conn.cursor() as cursor:
            rows = project.rows(applied)
            places = ", ".join(["%s"] * len(rows[0]))
            insert = f"INSERT INTO {shop.table} ({project.columns}) VALUES ({places})"
            cursor.executemany(insert.encode(), rows)

    def says(command: str, wanted: str) -> None:
        code, said = reader.type(command)
        assert code == 0, said
        assert wanted in said
        assert "[history." not in said

    to = f" --to {applied[-1].version}" if project.through else " --yes"
    says(f"confiture-flows baseline{to}", f"{len(applied)} migrations marked as applied")
    says("confiture-flows status", f"{len(applied)} applied, {PENDING} pending")
    says("confiture-flows migrate --plain", f"{PENDING} migrations applied")
    says("confiture-flows migrate --plain", "nothing to apply")
    marked = conn.execute("SELECT version FROM tb_confiture ORDER BY pk_confiture").fetchall()
    assert [row[0] for row in marked] == [each.version for each in migrations]
