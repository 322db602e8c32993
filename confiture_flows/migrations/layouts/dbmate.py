"""`VERSION_name.sql` with `-- migrate:up` and `-- migrate:down`: dbmate.

Identity: the digits a name starts with; order: the file name as text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confiture_flows.migrations.layouts import Layout, Reading
from confiture_flows.migrations.layouts._annotated import Annotation, read_annotated
from confiture_flows.migrations.layouts._files import some_file_says
from confiture_flows.sql.script import TransactionMode

if TYPE_CHECKING:
    from pathlib import Path

_UP = re.compile(rb"^--\s*migrate:up\b", re.M)
_ALONE = re.compile(r"\btransaction:\s*false\b")


def _transaction(_text: str, first_line: str) -> TransactionMode:
    return TransactionMode.NONE if _ALONE.search(first_line) else TransactionMode.AUTO


_ANNOTATION = Annotation(
    file_name=re.compile(r"^(?P<version>\d+)_?(?P<name>.*)\.sql$"),
    expected="VERSION_name.sql",
    up=re.compile(r"--\s*migrate:up\b"),
    down=re.compile(r"--\s*migrate:down\b"),
    transaction=_transaction,
    key=lambda match: match[0],
)


def _detect(directory: Path) -> bool:
    return some_file_says(directory, _UP)


def _read(directory: Path) -> Reading:
    return read_annotated(directory, _ANNOTATION)


def _scaffold(version: str, slug: str) -> dict[str, str]:
    return {f"{version}_{slug}.sql": "-- migrate:up\n\n-- migrate:down\n"}


LAYOUT = Layout(
    name="dbmate",
    summary="VERSION_name.sql with -- migrate:up and -- migrate:down",
    rank=50,
    detect=_detect,
    read=_read,
    scaffold=_scaffold,
)
