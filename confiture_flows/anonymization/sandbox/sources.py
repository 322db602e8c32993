"""The name of a module -> its source, and that of its package, read without running any of it."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE_BYTES = 16 << 20
_PACKAGE = "__init__.py"


@dataclass(frozen=True, slots=True)
class ModuleSource:
    """A module's.

    Attributes:
        text: What stands in it.
        file: Its path below the folder that it is imported from, to be shown.
        package: Whether it is an __init__.py.
    """

    text: str
    file: str
    package: bool


def read_sources(module: str, root: Path | None = None) -> Mapping[str, ModuleSource]:
    """All modules of the package that a module belongs to, by name.

    Args:
        module: The name of the top module or package.
        root: A folder beside which it may stand, before what is installed.

    Raises:
        ConfigError: There is none, or it is not Python source.
    """
    path = [*([str(root.resolve())] if root else []), *sys.path]
    # Asks the folders; nothing is imported, not even by a finder that a module has put up.
    spec = importlib.machinery.PathFinder.find_spec(module, path)
    origin = Path(spec.origin) if spec and spec.origin else None
    if origin is None:
        raise ConfigError(
            f"The untrusted module {module} cannot be found.",
            next_step="It stands in the folder of the configuration, or is installed.",
        )
    if origin.suffix != ".py":
        raise ConfigError(
            f"The untrusted module {module} has no Python source: {origin.name}.",
            next_step="Compiled modules cannot be isolated; trust it, or do without.",
        )
    base = origin.parent.parent if origin.name == _PACKAGE else origin.parent
    files = sorted(origin.parent.rglob("*.py")) if origin.name == _PACKAGE else [origin]
    found: dict[str, ModuleSource] = {}
    size = 0
    for file in files:
        below = file.relative_to(base)
        parts = below.parent.parts if file.name == _PACKAGE else below.with_suffix("").parts
        if not all(part.isidentifier() for part in parts):
            continue  # nothing that an import can name
        try:
            text = file.read_bytes()
            decoded = importlib.util.decode_source(text)
        except (OSError, SyntaxError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"The untrusted module {module} cannot be read: {error}.", file=file
            ) from None
        size += len(text)
        found[".".join(parts)] = ModuleSource(decoded, below.as_posix(), file.name == _PACKAGE)
    if size > SOURCE_BYTES:
        raise ConfigError(
            f"The untrusted module {module} has {size >> 20} MB of source; "
            f"{SOURCE_BYTES >> 20} MB are handed to a worker at most.",
        )
    return found
