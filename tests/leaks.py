"""Where what had to stay secret was found: in what Prefect keeps, and in what was shown.

Secrets are those that tests have said to be one, by `secret("...")`.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

known: set[str] = set()


def secret(word: str) -> str:
    """Say that a word is secret; it has to be long enough to mean nothing else."""
    assert len(word) >= 8, word
    known.add(word)
    return word


# In the DSN of all databases of this process, whose server lets everyone in.
PASSWORD = secret(f"sesame-{secrets.token_hex(8)}")


def traces(word: str) -> list[bytes]:
    """How a word may stand in what is kept: plain, in JSON, in a URL, in base64 at any place."""
    encoded = [base64.b64encode(b"x" * shift + word.encode())[4:-4] for shift in range(3)]
    return sorted({word.encode(), quote(word).encode(), json.dumps(word)[1:-1].encode(), *encoded})


def leaks_in_text(text: str) -> list[str]:
    """The secrets that stand in a text, in the clear."""
    return sorted(word for word in known if word in text)


def leaks_in_folder(home: Path) -> list[str]:
    """Where the files of a Prefect server hold a secret: table and column, or file.

    Args:
        home: Its PREFECT_HOME.
    """
    wanted = re.compile(b"|".join(re.escape(each) for word in known for each in traces(word)))
    files = [path for path in home.rglob("*") if path.is_file()]
    # The bytes first: they hold what was deleted, too, and where they are clean so are the tables.
    dirty = [path for path in files if wanted.search(path.read_bytes())]
    found = [f"the file {path.relative_to(home)}" for path in dirty]
    for database in home.rglob("*.db"):
        if any(path.name.startswith(database.name) for path in dirty):
            found += _columns(database, wanted)
    return found


def _columns(database: Path, wanted: re.Pattern[bytes]) -> Iterator[str]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as conn:
        tables = conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            rows = conn.execute(f'SELECT * FROM "{table}"')
            names = [each[0] for each in rows.description]
            counts = dict.fromkeys(names, 0)
            of: dict[str, str] = {}
            for row in rows:
                for name, value in zip(names, row, strict=True):
                    as_bytes = value if isinstance(value, bytes) else str(value).encode()
                    if wanted.search(as_bytes):
                        counts[name] += 1
                        called = row[names.index("name")] if "name" in names else ""
                        of.setdefault(name, f" (of {called})" if called else "")
            for name, count in counts.items():
                if count:
                    yield f"{count} rows of the column {table}.{name}{of[name]}"
