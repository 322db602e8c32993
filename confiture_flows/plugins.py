"""What authors of plug-ins import: hooks and their values. Loaded when it is first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from confiture_flows.hooks.model import HookContext, HookPoint, HookResult, HookSummary
    from confiture_flows.hooks.progress import report_progress
    from confiture_flows.hooks.registry import HookRegistry, hook

__all__ = [
    "HookContext",
    "HookPoint",
    "HookRegistry",
    "HookResult",
    "HookSummary",
    "hook",
    "report_progress",
]

_HOMES = {
    "HookContext": "confiture_flows.hooks.model",
    "HookPoint": "confiture_flows.hooks.model",
    "HookRegistry": "confiture_flows.hooks.registry",
    "HookResult": "confiture_flows.hooks.model",
    "HookSummary": "confiture_flows.hooks.model",
    "hook": "confiture_flows.hooks.registry",
    "report_progress": "confiture_flows.hooks.progress",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
