"""Every command of docs/guides/adopting.md, run on the shop it speaks of, says what it shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from confiture_flows.migrations.adoption import all_tools
from tests.foreign_ledgers import ITEMS, ORDERS, SCHEMA, SHOPS, USERS, pairs
from tests.pages.blocks import REPOSITORY
from tests.pages.walkthrough import Reader, normalised

GUIDE = REPOSITORY / "docs" / "guides" / "adopting.md"
FLAT = {"1_users.sql": USERS, "2_orders.sql": ORDERS, "3_items.sql": ITEMS}
# Section -> what is in the database, what is in the directory, and the command before the first.
SECTIONS: dict[str, tuple[str, dict[str, str], str]] = {
    "Plain SQL": (SCHEMA, FLAT, ""),
    "fraiseql-confiture": (
        SCHEMA,
        pairs("0001", "0002", "0003"),
        "confiture-flows baseline --to 0002",
    ),
    "Writing a directory out as pairs": (SHOPS["goose"].sql, SHOPS["goose"].files, ""),
    **{
        {"flyway": "Flyway"}.get(tool, tool): (shop.sql, shop.files, "")
        for tool, shop in SHOPS.items()
    },
}


@dataclass(frozen=True)
class Step:
    """A command, and the lines that the guide shows below it."""

    command: str
    shown: str


def sections() -> dict[str, list[Step]]:
    parts = re.split(r"^## (.+)\n", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found: dict[str, list[Step]] = {}
    for title, text in zip(parts[1::2], parts[2::2], strict=True):
        for block in re.findall(r"^```console\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
            for command, shown in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
                found.setdefault(title, []).append(Step(command, shown))
    return found


Shell = Callable[[str], str]


@pytest.fixture
def shell(reader: Reader, conn: psycopg.Connection) -> Shell:
    """Runs commands as the guide's reader would, in a pipe."""

    def type_command(command: str) -> str:
        if psql := re.fullmatch(r"psql -c '(.+)'", command):
            # psql may not be there; what it would do is.
            return conn.execute(psql[1].encode()).statusmessage or ""
        return reader.type(command)[1]

    return type_command


def test_every_tool_has_its_section() -> None:
    assert {title.lower() for title in sections()} >= {tool.name for tool in all_tools()}
    assert set(sections()) == set(SECTIONS)


@pytest.mark.parametrize("title", SECTIONS)
def test_section_does_what_it_shows(
    title: str, shell: Shell, conn: psycopg.Connection, write: Callable[..., Path]
) -> None:
    database, files, before = SECTIONS[title]
    conn.execute(sql.SQL(database))  # pyright: ignore[reportArgumentType]
    write(files)
    if before:
        shell(before)
    for step in sections()[title]:
        assert normalised(shell(step.command)) == normalised(step.shown), step.command


def test_ledger_of_the_old_files_calls_the_imported_ones_edited(
    shell: Shell, conn: psycopg.Connection, write: Callable[..., Path]
) -> None:
    """What the guide warns of, and the way out that it gives."""
    write(SHOPS["goose"].files)
    conn.execute(sql.SQL(SHOPS["goose"].sql))  # pyright: ignore[reportArgumentType]
    shell("confiture-flows baseline --yes")
    shell("confiture-flows migrate --plain")
    shell("confiture-flows import db/migrations --into db/pairs")
    assert "00001_users was edited" in shell("confiture-flows migrate --plain --dir db/pairs")

    for step in sections()["Writing a directory out as pairs"][-2:]:
        shell(step.command)

    assert "nothing to apply" in shell("confiture-flows migrate --plain --dir db/pairs")
    assert "3 applied, 0 pending" in shell("confiture-flows status --dir db/pairs")
