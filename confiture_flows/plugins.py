"""What plug-in authors import: hooks, strategies, detectors and values. Loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows._lazy import lazy_names

if TYPE_CHECKING:
    from confiture_flows.anonymization.detector import Samples, ValueDetector, each_value
    from confiture_flows.anonymization.keys import Key
    from confiture_flows.anonymization.registry import StrategyRegistry, register_strategy
    from confiture_flows.anonymization.strategy import Column, StrategyBase, UnfitValue
    from confiture_flows.hooks.model import HookContext, HookPoint, HookResult, HookSummary
    from confiture_flows.hooks.progress import report_progress
    from confiture_flows.hooks.registry import HookRegistry, hook

__all__ = [
    "Column",
    "HookContext",
    "HookPoint",
    "HookRegistry",
    "HookResult",
    "HookSummary",
    "Key",
    "Samples",
    "StrategyBase",
    "StrategyRegistry",
    "UnfitValue",
    "ValueDetector",
    "each_value",
    "hook",
    "register_strategy",
    "report_progress",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Column": "confiture_flows.anonymization.strategy",
        "Key": "confiture_flows.anonymization.keys",
        "Samples": "confiture_flows.anonymization.detector",
        "StrategyBase": "confiture_flows.anonymization.strategy",
        "StrategyRegistry": "confiture_flows.anonymization.registry",
        "UnfitValue": "confiture_flows.anonymization.strategy",
        "ValueDetector": "confiture_flows.anonymization.detector",
        "each_value": "confiture_flows.anonymization.detector",
        "register_strategy": "confiture_flows.anonymization.registry",
        "HookContext": "confiture_flows.hooks.model",
        "HookPoint": "confiture_flows.hooks.model",
        "HookRegistry": "confiture_flows.hooks.registry",
        "HookResult": "confiture_flows.hooks.model",
        "HookSummary": "confiture_flows.hooks.model",
        "hook": "confiture_flows.hooks.registry",
        "report_progress": "confiture_flows.hooks.progress",
    },
)
