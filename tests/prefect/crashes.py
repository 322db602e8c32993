"""An on_error hook that writes down that it was called, for runs in other processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HOOK = """
[[hooks]]
use = "deploy_hooks:tell"
"""
_MODULE = """
import json
from confiture_flows.plugins import hook

@hook("on_error")
def tell(context):
    with open("told.jsonl", "a") as file:
        done = [row.version for row in context.done or ()]
        kind = type(context.error).__name__
        file.write(json.dumps({"key": context.key, "error": kind, "done": done}) + "\\n")
"""


def write_hook(folder: Path) -> None:
    """Write the module that HOOK names, beside confiture.toml."""
    (folder / "deploy_hooks.py").write_text(_MODULE)


def told(folder: Path, run_id: Any = "") -> list[dict[str, Any]]:
    """What the hook has written of a run, or of all."""
    path = folder / "told.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [each for each in map(json.loads, lines) if each["key"].startswith(str(run_id))]
