"""Hooks: what a team hangs on a migration. Imports no Prefect.

model.py has the values, registry.py the decorator and the order, loading.py finds the hooks of a
configuration, executor.py fires them, attempt.py is one call, with its limits in limits.py.

A built-in hook is a module of builtin/ with a `make(options, root)`, a line in
`loading.BUILT_IN`, and a row in docs/api/hooks.md. One that needs Prefect stands in the room
`flows`.
"""

from confiture_flows.hooks.model import HookContext, HookPoint, HookResult
from confiture_flows.hooks.registry import HookRegistry, hook

__all__ = ["HookContext", "HookPoint", "HookRegistry", "HookResult", "hook"]
