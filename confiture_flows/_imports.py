"""The name of a plug-in's module -> the module, from the folder of the configuration or installed.

What goes wrong while it is imported becomes a ConfigError that names the plug-in.
"""

from __future__ import annotations

import importlib
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_flows.errors import ConfigError
from confiture_flows.sql.secrets import told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from confiture_flows.config import Project


def import_plugin(module: str, root: Path, subject: str, unknown: str) -> ModuleType:
    """Import a module that somebody else has written.

    Args:
        module: Its name.
        root: A folder beside which it may stand, beside what is installed.
        subject: What it is for, as the beginning of a sentence: "The hook 'x'".
        unknown: The next step where there is no such module.

    Raises:
        ConfigError: There is none, or it cannot be imported.
    """
    with importing(module, subject, unknown), on_path(root):
        return importlib.import_module(module)


@contextmanager
def importing(module: str, subject: str, unknown: str) -> Iterator[None]:
    """Tell what an import raises as a ConfigError; see `import_plugin`."""
    try:
        yield
    except ConfigError:
        raise
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            raise ConfigError(
                f"{subject} cannot be found: there is no module {error.name}.", next_step=unknown
            ) from None
        raise ConfigError(
            f"{subject} cannot be imported: there is no module {error.name}.",
            next_step=f"Install it: pip install {error.name}",
        ) from None
    except (Exception, SystemExit) as error:
        raise ConfigError(
            f"{subject} cannot be imported: {told(error)}.",
            next_step="Mend the module; what stands outside of functions runs at import.",
        ) from None


@contextmanager
def on_path(root: Path) -> Iterator[None]:
    """Let modules beside the configuration be imported."""
    folder = str(root.resolve())
    added = folder not in sys.path
    if added:
        sys.path.insert(0, folder)
    try:
        yield
    finally:
        if added and folder in sys.path:
            sys.path.remove(folder)


def root_of(project: Project) -> Path:
    """The folder of a project's configuration; the working directory without one."""
    return project.source.parent if project.source else Path.cwd()
