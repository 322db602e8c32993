"""What hooks print, say and raise -> the same without the secrets of the target."""

from __future__ import annotations

import io
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING

from confiture_flows.sql.secrets import masked
from confiture_flows.target import SECRET_PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_flows.target import Target

_SHORTEST = 4  # characters; shorter values would blot out words


def secrets_of(target: Target) -> tuple[str, ...]:
    """What must not be shown: the secrets of the target and the values of placeholders."""
    import os

    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    found = list(target.placeholders.values())
    for dsn in filter(None, (target.dsn, target.scratch)):
        try:
            said = conninfo_to_dict(dsn)
        except ProgrammingError:
            continue
        found += [str(said[name]) for name in SECRET_PARAMETERS if name in said]
    found.append(os.environ.get("PGPASSWORD", ""))
    return tuple(sorted({each for each in found if len(each) >= _SHORTEST}, key=len)[::-1])


def without(text: str, secrets: tuple[str, ...]) -> str:
    """The text with secrets masked."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return masked(text)


@contextmanager
def printing_to(tell: Callable[[str], None]) -> Iterator[None]:
    """Pass on what the block prints, line by line."""
    lines = _Lines(tell)
    try:
        with redirect_stdout(lines):
            yield
    finally:
        lines.end()


class _Lines(io.TextIOBase):
    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._rest = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._tell(line)
        return len(text)

    def end(self) -> None:
        if self._rest:
            self._tell(self._rest)
            self._rest = ""
