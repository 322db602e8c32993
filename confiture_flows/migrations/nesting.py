"""A run inside a hook of another run: of the same target it is refused, or it would never end.

Known in the context of the process, and in the environment of processes that a hook starts.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from confiture_flows.errors import PlanError
from confiture_flows.target import describe_dsn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.target import Target

VARIABLE = "CONFITURE_IN_HOOK_OF"
DEEPEST = 3  # runs within hooks of runs; of different targets, so that it ends anyhow

Names = tuple[str, str]
_inside: ContextVar[tuple[Names, ...] | None] = ContextVar("confiture_flows_inside", default=None)


def depth() -> int:
    """How many hooks of other runs we are in."""
    return len(_stack())


def refuse_nested(target: Target) -> None:
    """Refuse a run that a hook of a run of the same target has started, and one too deep.

    Raises:
        PlanError: It is one.
    """
    names = _names(target)
    for outer in _stack():
        if names[0] == outer[0] or names[1] == outer[1]:
            raise PlanError(
                f"A hook of a run of {outer[0]} starts a run of the same target.",
                next_step="Put the migration into the directory; or start the run after this one, "
                "in a flow that calls both.",
            )
    if depth() >= DEEPEST:
        chain = " > ".join(outer[0] for outer in _stack())
        raise PlanError(
            f"Hooks start runs whose hooks start runs, {DEEPEST} deep: {chain}.",
            next_step="Call the runs one after another, in a flow of your own.",
        )


@contextmanager
def inside_hook(target: Target) -> Iterator[None]:
    """Mark this block, and the processes that it starts, as a hook of a run of a target."""
    stack = (*_stack(), _names(target))
    token = _inside.set(stack)
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = json.dumps(stack)
    try:
        yield
    finally:
        _inside.reset(token)
        if before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = before


def _stack() -> tuple[Names, ...]:
    found = _inside.get()
    if found is None:
        try:
            found = tuple((str(one), str(two)) for one, two in json.loads(_inherited))
        except ValueError:
            found = ()
    return found


def _names(target: Target) -> Names:
    return target.name, describe_dsn(target.dsn)


# Of the process as it was started: what a hook of this one sets is for its children.
_inherited = os.environ.get(VARIABLE, "[]")
