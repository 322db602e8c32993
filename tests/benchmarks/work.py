"""A number -> that many small migrations: pairs, and the same SQL for dbmate and for alembic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_TABLE = (
    """\
CREATE TABLE bench_{n} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    amount_cents integer NOT NULL DEFAULT 0 CHECK (amount_cents >= 0),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX bench_{n}_name_idx ON bench_{n} (name);
""",
    "DROP TABLE bench_{n};\n",
)
_COLUMN = (
    """\
-- What the first release left out.
ALTER TABLE bench_{n} ADD COLUMN note text NOT NULL DEFAULT '';
""",
    "ALTER TABLE bench_{n} DROP COLUMN note;\n",
)
_ROWS = (
    """\
INSERT INTO bench_{n} (name, amount_cents) VALUES
    ('first', 100),
    ('second; with a semicolon', 200),
    ('third', 300);
""",
    "DELETE FROM bench_{n};\n",
)
_FUNCTION = (
    """\
CREATE FUNCTION bench_{n}_total() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(sum(amount_cents), 0) FROM bench_{n});
END;
$$;
""",
    "DROP FUNCTION bench_{n}_total();\n",
)
# Four migrations to a table, in this order.
_KINDS = (
    ("create_table", _TABLE),
    ("add_column", _COLUMN),
    ("insert_rows", _ROWS),
    ("create_function", _FUNCTION),
)


_ALEMBIC_INI = "[alembic]\nscript_location = {folder}\npath_separator = os\n"
# As alembic's own template for it, less logging; a transaction a migration, as all others do.
_ALEMBIC_ENV = """\
import os
from alembic import context
from sqlalchemy import create_engine, pool

url = os.environ["DATABASE_URL"].replace("postgres://", "postgresql+psycopg://", 1)
with create_engine(url, poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
_ALEMBIC_REVISION = """\
from alembic import op

revision = {version!r}
down_revision = {before!r}


def upgrade():
    op.get_bind().exec_driver_sql({up!r})


def downgrade():
    op.get_bind().exec_driver_sql({down!r})
"""


@dataclass(frozen=True, slots=True)
class Work:
    """The same migrations, written down three times.

    Attributes:
        pairs: Folder of `V_name.up.sql` and `.down.sql`.
        dbmate: Folder of `V_name.sql` with `-- migrate:up` and `-- migrate:down`.
        alembic: The alembic.ini beside its revisions.
        tables: How many tables there are once all are applied.
    """

    pairs: Path
    dbmate: Path
    alembic: Path
    tables: int


def write_work(folder: Path, migrations: int) -> Work:
    """Write that many migrations, a quarter each CREATE TABLE with index, ALTER, INSERT, function.

    Args:
        folder: Where; three folders are made in it.
        migrations: How many.
    """
    pairs, dbmate, alembic = (folder / name for name in ("pairs", "dbmate", "alembic"))
    for each in (pairs, dbmate, alembic / "versions"):
        each.mkdir(parents=True)
    (alembic / "env.py").write_text(_ALEMBIC_ENV)
    (alembic / "alembic.ini").write_text(_ALEMBIC_INI.format(folder=alembic))
    before = None
    for number in range(migrations):
        table = number // len(_KINDS) + 1
        name, (up, down) = _KINDS[number % len(_KINDS)]
        version = f"{number + 1:04}"
        stem = f"{version}_{name}_{table}"
        up, down = up.format(n=table), down.format(n=table)
        (pairs / f"{stem}.up.sql").write_text(up)
        (pairs / f"{stem}.down.sql").write_text(down)
        (dbmate / f"{stem}.sql").write_text(f"-- migrate:up\n{up}\n-- migrate:down\n{down}")
        (alembic / "versions" / f"{stem}.py").write_text(
            _ALEMBIC_REVISION.format(version=version, before=before, up=up, down=down)
        )
        before = version
    tables = (migrations + len(_KINDS) - 1) // len(_KINDS)
    return Work(pairs, dbmate, alembic / "alembic.ini", tables)
