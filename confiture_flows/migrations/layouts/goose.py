"""`VERSION_name.sql` with `-- +goose Up` and `-- +goose Down`: goose.

Identity and order: the number before the underscore. StatementBegin and StatementEnd
need no reading, since PostgreSQL's parser finds the end of a function body by itself.
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

_NO_TRANSACTION = re.compile(r"^\s*--\s*\+goose\s+NO\s+TRANSACTION\b", re.I | re.M)
_UP = re.compile(rb"^\s*--\s*\+goose\s+Up\b", re.I | re.M)


def _transaction(text: str, _first_line: str) -> TransactionMode:
    return TransactionMode.NONE if _NO_TRANSACTION.search(text) else TransactionMode.AUTO


_ANNOTATION = Annotation(
    file_name=re.compile(r"^(?P<version>\d+)_(?P<name>.+)\.sql$"),
    expected="VERSION_name.sql",
    up=re.compile(r"\s*--\s*\+goose\s+Up\b", re.I),
    down=re.compile(r"\s*--\s*\+goose\s+Down\b", re.I),
    transaction=_transaction,
    key=lambda match: int(match["version"]),
    refuse=re.compile(r"^\s*--\s*\+goose\s+ENVSUB\s+ON\b.*$", re.I | re.M),
)


def _detect(directory: Path) -> bool:
    return some_file_says(directory, _UP)


def _read(directory: Path) -> Reading:
    return read_annotated(directory, _ANNOTATION)


def _scaffold(version: str, slug: str) -> dict[str, str]:
    return {f"{version}_{slug}.sql": "-- +goose Up\n\n-- +goose Down\n"}


LAYOUT = Layout(
    name="goose",
    summary="VERSION_name.sql with -- +goose Up and Down",
    rank=40,
    detect=_detect,
    read=_read,
    scaffold=_scaffold,
)
