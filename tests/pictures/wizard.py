"""Make the pictures of docs/guides/interactive-wizard.md anew, each from a screen of a real run.

`uv run python -m tests.pictures.wizard`; a test tells when they are no longer what is shown.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from confiture_flows.postgres import provide_server
from tests.wizard.room import Folder, Shells, Typist, make_shop

IMAGES = Path(__file__).parents[2] / "docs" / "images" / "wizard"
COLUMNS, ROWS = 92, 34
# rich asks a server for its font; a picture should ask nobody.
_FONT = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)
# rich cuts off what hangs below the last line, as the tail of a g does.
_CLIP = re.compile(r'(clip-terminal">\s*<rect [^>]*?height=")([\d.]+)')
_BELOW = 6
# What differs from machine to machine.
_ALIKE: tuple[tuple[re.Pattern[str], Any], ...] = (
    (re.compile(r"wizard_production_\d+"), "shop"),
    (re.compile(r"wizard_(staging|wide|spare)_\d+"), r"shop_\1"),
    (re.compile(r"PostgreSQL [\d.]+, [\d.]+ [kMG]B"), "PostgreSQL 17.6, 7.8 MB"),
    (re.compile(r"(Step \d) of \d"), r"\1 of 7"),
    (re.compile(r"PostgreSQL [\d.]+ \([^)]*\)"), "PostgreSQL 17.6"),
    (re.compile(r"(?<!for) +\d+ ms"), lambda found: "2 ms".rjust(len(found[0]))),
    (re.compile(r"\d+\.\d+ s\b"), "0.1 s"),
    (re.compile(r"those of \d{4}-\d\d-\d\d"), "those of 2026-11-28"),
)


_MIGRATIONS = {
    "0001_customers.up.sql": "CREATE TABLE customers (id bigint PRIMARY KEY);\n",
    "0001_customers.down.sql": "DROP TABLE customers;\n",
    "0001_customers.verify.sql": "SELECT true AS customers_are_there FROM customers HAVING true;\n",
    "0002_orders.up.sql": "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric);\n"
    "SELECT pg_sleep(60);\n",
    "0002_orders.down.sql": "DROP TABLE orders;\n",
}


def screens(typist: Typist, folder: Path, spare: str) -> Iterator[tuple[str, list[str]]]:
    """Walk through the steps; a name and the lines for each picture.

    Args:
        typist: In a project about the shop.
        folder: For a project about the spare database.
        spare: Its DSN.
    """
    typist.resize(COLUMNS, ROWS)
    yield from _choosing(typist)
    (folder / "db" / "migrations").mkdir(parents=True)
    for name, text in _MIGRATIONS.items():
        (folder / "db" / "migrations" / name).write_text(text)
    (folder / "confiture.toml").write_text(f"[targets.staging]\ndsn = {json.dumps(spare)}\n")
    typist.begin(folder)
    yield from _running(typist, folder)


def _shot(typist: Typist, heading: str) -> list[str]:
    lines = typist.image.coloured()
    plain = [Text.from_ansi(each).plain for each in lines]
    start = max(n for n, each in enumerate(plain) if heading in each)
    while lines and not Text.from_ansi(lines[-1]).plain.strip():
        lines.pop()
    return lines[start:]


def _running(typist: Typist, folder: Path) -> Iterator[tuple[str, list[str]]]:
    typist.wizard("--plain")
    typist.answers("What do you want to do?", "enter")
    typist.answers("Which database is migrated?", "enter")
    typist.answers("For this run:", "down", "enter")
    typist.answers("At which findings", "enter")
    typist.answers("How far does a dry run go", "down", "enter")
    typist.answers("How far?", "enter")
    typist.asked("to staging now?")
    typist.see("» No")
    yield "review", _shot(typist, "Review")
    typist.press("down", "enter")
    typist.asked("2 statements in one transaction")
    typist.press("ctrl-c")
    typist.asked("What now?")
    typist.see("Leave it, and resume later")
    yield "execute", _shot(typist, "of 7: Run")
    (folder / "db" / "migrations" / "0002_orders.up.sql").write_text(
        _MIGRATIONS["0002_orders.up.sql"].partition("\n")[0]
    )
    typist.press("enter")
    typist.answers("Also replay the history", "enter")
    typist.answers("Save what was chosen", "enter")
    typist.see("Without a person it runs by:")
    typist.ended(0)
    yield "verify", [each for each in _shot(typist, "Checks") if "[exit 0]" not in each]


def _choosing(typist: Typist) -> Iterator[tuple[str, list[str]]]:
    def shot(heading: str) -> list[str]:
        return _shot(typist, heading)

    typist.wizard("--plain")
    typist.answers("What do you want to do?", "enter")
    typist.answers("Which database is migrated?", "enter")
    typist.answers("Type its name to go on", "prod", "enter")
    typist.see("It is called production.")
    yield "environment", shot("Environment")
    typist.press("ctrl-c")
    typist.ended(130)

    typist.wizard("--plain")
    typist.answers("A wizard was left after", "down", "enter")
    typist.answers("What do you want to do?", "down", "enter")
    typist.answers("Which database is copied?", "enter")
    typist.asked("Which database becomes the copy?")
    typist.see("Another, by its connection string")
    yield "database", shot("Database")
    typist.press("enter")
    typist.answers("For this run:", "enter")
    typist.asked("Whose rows are copied?")
    typist.press("ctrl-a", "space", "down", "space", "down")
    typist.see("2 ticked")
    typist.see(" » [ ] public.orders")
    yield "tables", shot("Tables")
    typist.press("enter")
    typist.answers("What they refer to:", "enter")
    typist.asked("These rules:")
    typist.see("Copy all of them as they are")
    yield "rules", shot("Rules")
    typist.press("ctrl-c")
    typist.ended(130)


def picture(lines: list[str]) -> str:
    """The SVG of a screen."""
    out = Console(record=True, width=COLUMNS, force_terminal=True, file=io.StringIO())
    for line in lines:
        for pattern, instead in _ALIKE:
            line = pattern.sub(instead, line)
        out.print(Text.from_ansi(line), overflow="crop", no_wrap=True)
    form = _FONT.sub("", CONSOLE_SVG_FORMAT)
    svg = out.export_svg(title="confiture-flows wizard", code_format=form, unique_id="wizard")
    return _CLIP.sub(lambda found: f"{found[1]}{float(found[2]) + _BELOW:.1f}", svg)


def texts(svg: str) -> list[str]:
    """What is written in a picture."""
    found = re.findall(r"<text[^>]*>(.*?)</text>", svg)
    # A table is as wide as the time in it, which differs from run to run.
    return [re.sub("(?:&#160;)+", " ", re.sub("─+", "─", each)) for each in found]


def main(keep: Callable[[str, str], object]) -> None:
    """Run the wizard and give each picture."""
    with tempfile.TemporaryDirectory() as home, provide_server() as server:
        shells = Shells(Path(home))
        try:
            with make_shop(server.dsn) as shop:
                folder = Folder(Path(home))
                (folder.path / "confiture.toml").write_text(shop.configuration)
                typist = Typist(shells.take())
                typist.begin(folder.path)
                for name, lines in screens(typist, Path(home) / "staging", shop.spare):
                    keep(name, picture(lines))
        finally:
            shells.drop()


if __name__ == "__main__":
    main(lambda name, svg: (IMAGES / f"{name}.svg").write_text(svg, encoding="utf-8"))
