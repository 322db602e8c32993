"""Hooks: what a team hangs on a migration. Values and decorator, registry, executor; no Prefect."""

from confiture_flows.hooks.model import HookContext, HookPoint, HookResult
from confiture_flows.hooks.registry import HookRegistry, hook

__all__ = ["HookContext", "HookPoint", "HookRegistry", "HookResult", "hook"]
