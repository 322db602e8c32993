"""What authors of plug-ins import: hooks and their values. Loaded when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows._lazy import lazy_names

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

__getattr__ = lazy_names(
    __name__,
    {
        "HookContext": "confiture_flows.hooks.model",
        "HookPoint": "confiture_flows.hooks.model",
        "HookRegistry": "confiture_flows.hooks.registry",
        "HookResult": "confiture_flows.hooks.model",
        "HookSummary": "confiture_flows.hooks.model",
        "hook": "confiture_flows.hooks.registry",
        "report_progress": "confiture_flows.hooks.progress",
    },
)
