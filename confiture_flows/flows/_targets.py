"""Name -> Target, and the project, in a flow. Parameters are stored and shown: names only."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from confiture_flows.blocks.target import load_target
from confiture_flows.config import load_project
from confiture_flows.flows._project import under
from confiture_flows.target import configured_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.config import Project
    from confiture_flows.target import Target

# Targets that exist in this process only: a connection string given on the command line.
_given: dict[str, Target] = {}
# The configuration with a plan put before it.
_project: ContextVar[Project | None] = ContextVar("confiture_flows_project", default=None)


@contextmanager
def given_target(target: Target) -> Iterator[None]:
    """Let flows of this process, in this block, find a target by its name."""
    _given[target.name] = target
    try:
        yield
    finally:
        del _given[target.name]


@contextmanager
def given_project(project: Project) -> Iterator[None]:
    """Let copies of this process, in this block, be made by a project that no file holds."""
    token = _project.set(project)
    try:
        yield
    finally:
        _project.reset(token)


def resolve_project() -> Project:
    """The project given in this process, or what the configuration says.

    Raises:
        ConfigError: The configuration is wrong.
    """
    return _project.get() or load_project()


def resolve_target(name: str) -> Target:
    """The target of that name: given in this process, in the configuration, or a block.

    Raises:
        ConfigError: Nobody knows it.
    """
    project = load_project()
    found = _given.get(name) or configured_target(project, name) or load_target(name, project)
    return under(project, found)
