"""Name -> Target inside a flow. Flow parameters are stored and shown, so they hold names only."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from confiture_flows.blocks.target import load_target, saved_targets
from confiture_flows.config import load_project
from confiture_flows.flows._project import under
from confiture_flows.target import configured_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.target import Target

# Targets that exist in this process only: a connection string given on the command line.
_given: dict[str, Target] = {}


@contextmanager
def given_target(target: Target) -> Iterator[None]:
    """Let flows of this process, in this block, find a target by its name."""
    before = _given.get(target.name)
    _given[target.name] = target
    try:
        yield
    finally:
        if before is None:
            del _given[target.name]
        else:
            _given[target.name] = before


def resolve_target(name: str) -> Target:
    """The target of that name: given in this process, in the configuration, or a block.

    A repository that was checked out for the run cannot say anew what a block says: its own
    confiture.toml would lead past what the block asks for.

    Raises:
        ConfigError: Nobody knows it.
    """
    project = load_project()
    found = _given.get(name)
    if found is None and project.checked_out and name in saved_targets():
        found = load_target(name, project)
    found = found or configured_target(project, name) or load_target(name, project)
    return under(project, found)
