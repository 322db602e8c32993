"""Imports in a worker: the module's own package from the sources it was given, nothing else.

What was loaded before the walls stood is there already. Anything further would need a file.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

# Loaded before the walls stand, beside pydantic and what plug-ins import of this package: what
# masking needs, and whatever those load by themselves.
PRELOADED = """
abc argparse array ast base64 binascii bisect calendar codecs collections.abc contextlib copy
csv ctypes dataclasses datetime decimal difflib email.utils encodings.ascii encodings.cp1252
encodings.idna encodings.latin_1 encodings.punycode encodings.unicode_escape encodings.utf_16
enum fractions functools hashlib heapq hmac html html.entities inspect io ipaddress itertools
json keyword locale logging math numbers operator pprint random re secrets statistics string
stringprep struct textwrap time traceback types typing unicodedata urllib.parse uuid warnings
weakref zlib _strptime
"""


class RefusedImportError(ImportError):
    """A module that a worker does not have."""


class SourceFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and runs the modules of one package, from memory."""

    def __init__(self, sources: Mapping[str, Sequence[Any]]) -> None:
        """Take the sources.

        Args:
            sources: By the module's name: its text, the file to show, whether it is a package.
        """
        self._sources = sources

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Where a module is."""
        if fullname not in self._sources:
            return None
        _text, file, package = self._sources[fullname]
        return importlib.machinery.ModuleSpec(fullname, self, origin=file, is_package=package)

    def exec_module(self, module: ModuleType) -> None:
        """Run it."""
        text, file, _package = self._sources[module.__name__]
        module.__file__ = file
        exec(compile(text, file, "exec", dont_inherit=True), module.__dict__)  # noqa: S102


class Refuser(importlib.abc.MetaPathFinder):
    """Comes last, and says that there is nothing more."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        """Refuse it."""
        raise RefusedImportError(
            f"{fullname} cannot be imported by an isolated strategy", name=fullname
        )


def only(sources: Mapping[str, Sequence[Any]]) -> None:
    """Let imports find these sources, and what the interpreter itself has built in."""
    sys.meta_path[:] = [
        SourceFinder(sources),
        importlib.machinery.BuiltinImporter,
        importlib.machinery.FrozenImporter,
        Refuser(),
    ]
