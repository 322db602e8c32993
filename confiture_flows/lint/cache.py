"""What linting knew after a migration -> a file in the user's cache, and back.

The key is a hash chained over all files up to that migration, the configuration, and the code of
the rules. Nothing needs it: what cannot be read or written, is damaged, or is another's, is as if
it were not there.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_flows._files import write_whole
from confiture_flows.migrations.migration import Script
from confiture_flows.sql.include import may_include

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_flows.migrations.migration import Migration, Runnable

# Directories, each with its last two states and what was found; the oldest goes.
_KEPT = 60
_CODE = ("lint", "sql", "migrations", "report")
_ALLOWED = ("confiture_flows.lint.", "confiture_flows.sql.", "confiture_flows.report.")
# Paths are at home in another module of pathlib since Python 3.13.
_ALLOWED_NAMES = {(type(Path()).__module__, type(Path()).__qualname__), ("re", "_compile")}
_DIGEST_BYTES = 32
# What a file that this version did not write may raise.
_DAMAGE = (
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class LintCache:
    """A folder of states, each under the name of its key."""

    folder: Path

    def recall(self, links: Sequence[str]) -> tuple[int, object]:
        """The state after as many migrations as possible.

        Args:
            links: The keys after each migration.

        Returns:
            How many migrations it is about, and the state; 0 and None when there is none.
        """
        try:
            there = set(os.listdir(self.folder))
        except OSError:
            return 0, None
        for number in range(len(links), 0, -1):
            if links[number - 1] in there:
                found = self._load(self.folder / links[number - 1])
                if found is not None:
                    return number, found
        return 0, None

    def keep(self, link: str, state: bytes) -> None:
        """Write a state that `packed` made, whole or not at all."""
        with suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self.folder / link, hashlib.sha256(state).digest() + state, 0o600)
            self._forget()

    def _load(self, path: Path) -> object:
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        digest, state = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
        if hashlib.sha256(state).digest() != digest:
            return None
        try:
            return _Reader(io.BytesIO(state)).load()
        except _DAMAGE:
            return None

    def _forget(self) -> None:
        found = sorted(self.folder.iterdir(), key=lambda each: each.stat().st_mtime_ns)
        for each in found[:-_KEPT]:
            each.unlink(missing_ok=True)


class _Reader(pickle.Unpickler):
    """Makes values of this package only: a file that somebody else wrote runs nothing."""

    def find_class(self, module: str, name: str) -> object:
        if (module, name) in _ALLOWED_NAMES:
            return super().find_class(module, name)
        if module.startswith(_ALLOWED):
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a state")


def packed(state: object) -> bytes:
    """A state as it is now, for `keep`."""
    return pickle.dumps(state, protocol=pickle.HIGHEST_PROTOCOL)


def user_cache() -> LintCache | None:
    """The cache of the user who runs this; None where there is no home."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    try:
        if os.path.isabs(given):
            base = Path(given)
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        else:
            base = Path.home() / ".cache"
    except RuntimeError:
        return None
    return LintCache(base / "confiture-flows" / "lint")


def chained_links(migrations: Sequence[Migration], said: str) -> tuple[str, ...]:
    """The key after each migration, up to the first whose text the files alone do not tell.

    Args:
        migrations: In order.
        said: What else decides the findings.
    """
    chain = hashlib.sha256(f"{said}\0{_code()}\0{sys.version}".encode())
    links: list[str] = []
    for each in migrations:
        for script in (each.up, each.down):
            seen = _seen(script)
            if seen is None:
                return tuple(links)
            chain.update(seen)
        chain.update(f"\0{each.version}\0{each.name}\0".encode())
        links.append(chain.hexdigest())
    return tuple(links)


def link_after(link: str) -> str:
    """The key of what was found in all, beside that of the state after the last migration."""
    return hashlib.sha256(f"{link}\0report".encode()).hexdigest()


def _seen(script: Runnable | None) -> bytes | None:
    """What a script is to the rules; None where it includes files, or has values of others."""
    if not isinstance(script, Script):
        return repr(script and script.path).encode()
    if script.placeholders is not None:
        return None
    try:
        data = script.path.read_bytes()
    except OSError:
        return None
    if may_include(data.decode(errors="replace")):
        return None
    return repr(script).encode() + hashlib.sha256(data).digest()


def _code() -> str:
    """What changes when the rules or the parser do."""
    package = Path(__file__).parents[1]
    stamps = [version("postgast")]
    for room in _CODE:
        for path in sorted((package / room).rglob("*.py")):
            stat = path.stat()
            stamps.append(f"{path} {stat.st_mtime_ns} {stat.st_size}")
    return "\n".join(stamps)
