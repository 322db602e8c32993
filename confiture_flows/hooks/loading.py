"""Configuration + what is registered in this process -> the hooks of a run, or None.

None costs nothing: neither the registry nor the executor is imported then.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from confiture_flows._imports import import_plugin, importing, root_of
from confiture_flows.errors import ConfigError
from confiture_flows.hooks.registry import HookRegistry, make_hook, registered, with_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from confiture_flows.config import HookConfig, Project
    from confiture_flows.hooks.model import Hook

ENTRY_POINTS = "confiture_flows.hooks"
# Each module has a `make(options, root)`, which returns what is called, and may have a
# `check(table)`, which refuses what the file says of it.
BUILT_IN = {
    "backup": "confiture_flows.hooks.builtin.backup",
    "deployment_log": "confiture_flows.hooks.builtin.deployment_log",
    "refresh_statistics": "confiture_flows.hooks.builtin.refresh_statistics",
    "run_sql": "confiture_flows.hooks.builtin.run_sql",
    # What they work with is Prefect's, and nothing here may import that.
    "notify": "confiture_flows.flows.notify",
    "require_approval": "confiture_flows.flows.require_approval",
}
_OPTIONS = (
    "name",
    "each",
    "direction",
    "transaction",
    "on_failure",
    "timeout",
    "retries",
    "priority",
    "after",
)


def load_hooks(project: Project, target: str) -> HookRegistry:
    """The hooks of a run: those of the configuration, and those registered in this process.

    Args:
        project: The configuration.
        target: The target's name.

    Raises:
        ConfigError: A hook cannot be found, or cannot be one.
    """
    try:
        return _load(project, target)
    except ConfigError as error:
        error.file = error.file or project.source
        raise


def _load(project: Project, target: str) -> HookRegistry:
    root = root_of(project)
    made: list[Hook] = []
    spoken: set[int] = set()  # what the file speaks of is as the file says
    for table in project.hooks:
        call = _find(table, root)
        if call is None:
            continue  # a module, whose functions have registered themselves
        spoken.add(id(getattr(call, "fn", call)))
        if not table.targets or target in table.targets:
            made += _hooks(table, call, root)
    hooks = HookRegistry(
        each for each in registered if id(getattr(each.call, "fn", each.call)) not in spoken
    )
    for each in made:
        hooks.add(each)
    hooks.check_names()
    return hooks


def _hooks(table: HookConfig, call: Any, root: Path) -> Iterator[Hook]:
    options = {name: value for name in _OPTIONS if (value := getattr(table, name)) is not None}
    own = tuple(each for each in registered if each.call is call)
    if own:
        if table.options:
            raise _no_options(table)
        for each in own:
            for point in table.points or (each.point,):
                yield with_options(each, point=point, **options)
        return
    if not table.points:
        raise ConfigError(
            f"The hook {table.use!r} says no point.",
            next_step='Add point = "before_apply", or one of before_validate, after_apply, '
            "on_error; a list is several.",
        )
    settings = ""
    if table.use in BUILT_IN:
        options = {"name": table.use} | getattr(call, "DEFAULTS", {}) | options
        call, settings = _made(table, call, root), _settings(table)
    elif table.options:
        raise _no_options(table)
    for point in table.points:
        yield replace(make_hook(call, point, **options), settings=settings)


def _settings(table: HookConfig) -> str:
    from confiture_flows.hooks.builtin._options import with_variables

    return json.dumps(with_variables(table.options), sort_keys=True, default=str)


def _no_options(table: HookConfig) -> ConfigError:
    return ConfigError(
        f"The hook {table.use!r} is a function, and takes no options.",
        next_step="Options are for built-in hooks: " + ", ".join(BUILT_IN) + ".",
    )


def _made(table: HookConfig, module: Any, root: Path) -> Callable[..., Any]:
    if check := getattr(module, "check", None):
        check(table)
    return module.make(dict(table.options), root)


def _find(table: HookConfig, root: Path) -> Any:
    use = table.use
    if use in BUILT_IN:
        return importlib.import_module(BUILT_IN[use])
    if ":" in use:
        module, _, name = use.partition(":")
        loaded = _import(module, use, root)
        found: Any = loaded
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is None:
            raise ConfigError(
                f"The hook {use!r} cannot be found: {module} has no {name}.",
                next_step="Write it as module:function.",
            )
        return found
    entry = _entry_point(use)
    if entry is not None:
        return entry
    _import(use, use, root)
    return None


def _import(module: str, use: str, root: Path) -> Any:
    return import_plugin(
        module,
        root,
        f"The hook {use!r}",
        f"Built-in hooks are {', '.join(BUILT_IN)}; others are entry points of {ENTRY_POINTS}, "
        "module:function, or a module, from the folder of the configuration or installed.",
    )


def _entry_point(name: str) -> Any:
    from importlib.metadata import entry_points

    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name == name:
            subject = f"The hook {name!r} of {entry.value}"
            with importing(entry.module, subject, "Install the package again that brings it."):
                return entry.load()
    return None
