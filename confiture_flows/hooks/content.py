"""Hook -> the bytes that decide what it does, for a hash over what somebody approves.

Of a function that is the file that it stands in; what that imports is not looked at. Of a built-in
hook it is its options and the files that it runs. What ships with this package is left out.
"""

from __future__ import annotations

import inspect
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_flows.sql.source import blocks_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.hooks.model import Hook

_OURS = f"{__name__.partition('.')[0]}."


def hook_content(hook: Hook) -> Iterator[bytes]:
    """All that is known of what a hook does; never to be shown, since options may be secrets.

    Raises:
        MigrationFileError: A file of it cannot be read.
    """
    manner = (hook.point.value, hook.each, hook.direction, hook.transaction, hook.on_failure)
    yield repr((hook.name, manner, hook.priority, hook.after)).encode()
    yield hook.settings.encode()
    for path in getattr(hook.call, "reads", ()):
        yield from blocks_of(path)
    yield from _source_of(hook.call)


def _source_of(call: Any) -> Iterator[bytes]:
    call = getattr(call, "fn", call)  # of a Prefect task or flow
    while isinstance(call, partial):
        yield repr((call.args, call.keywords)).encode()
        call = call.func
    call = inspect.unwrap(call)
    named: Any = call if hasattr(call, "__qualname__") else type(call)
    module = str(named.__module__)
    yield f"{module}:{named.__qualname__}".encode()
    if module.startswith(_OURS):
        return
    try:
        path = inspect.getsourcefile(named)
    except TypeError:  # of C
        return
    if path is not None and Path(path).is_file():
        yield from blocks_of(Path(path))
