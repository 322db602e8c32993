"""Whether a Prefect server is named anywhere: in the places that Prefect reads, without it."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

API_URL = "PREFECT_API_URL"
# Files of the working directory, and where they name a server.
_IN_PROJECT = {
    "prefect.toml": ("api", "url"),
    "pyproject.toml": ("tool", "prefect", "api", "url"),
}


def prefect_is_configured() -> bool:
    """Whether the environment, the project's settings or the active profile name a server.

    Prefect takes a second and more to import, which is too long for a question of which most
    people want another answer. Source: Prefect docs, Settings and profiles.
    """
    if os.environ.get(API_URL):
        return True
    if any(_said(Path(name), *keys) for name, keys in _IN_PROJECT.items()):
        return True
    home = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect")
    path = Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml").expanduser()
    active = os.environ.get("PREFECT_PROFILE") or _said(path, "active")
    return bool(_said(path, "profiles", str(active), API_URL))


def _said(path: Path, *keys: str) -> object:
    """What a TOML file has under some keys; None where it has nothing, or cannot be read."""
    try:
        found: object = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found
