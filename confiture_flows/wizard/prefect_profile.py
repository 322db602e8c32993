"""Whether a Prefect server is named anywhere. Reads what Prefect reads, without importing it."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

API_URL = "PREFECT_API_URL"


def prefect_is_configured() -> bool:
    """Whether the environment or the active profile names a server.

    Prefect takes a second and more to import, which is too long for a question of which most
    people want another answer. Source: Prefect docs, Settings and profiles.
    """
    if os.environ.get(API_URL):
        return True
    home = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect")
    path = Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml")
    try:
        said = tomllib.loads(path.expanduser().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    active = os.environ.get("PREFECT_PROFILE") or said.get("active")
    profile = said.get("profiles", {}).get(active, {})
    return bool(profile.get(API_URL)) if isinstance(profile, dict) else False
