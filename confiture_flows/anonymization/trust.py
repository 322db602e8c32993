"""The name of a strategy that knows which modules are not trusted.

A rule's name is one of these where [anonymization.modules] names untrusted modules. Whoever looks
it up, in this process or in a worker of the copy, so gets the isolated strategy and never imports
the module. A process that has met such a name trusts those modules no more, by whatever name
they are asked for: trust can only be lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.config import Project

Wall = Literal["seccomp", "landlock"]

_lost: dict[str, Isolation] = {}


@dataclass(frozen=True, slots=True)
class Isolation:
    """How the strategies of an untrusted module are run.

    Attributes:
        module: The module, or the package it is in.
        require: The wall without which they are not run.
        timeout: Seconds that a batch of up to 10,000 values, or running the module, may take.
        root: The folder beside which the module may stand.
    """

    module: str
    require: Wall | None = None
    timeout: float = 10.0
    root: Path | None = None


class StrategyName(str):
    """A strategy's name, and which modules are not trusted."""

    __slots__ = ("untrusted",)

    untrusted: tuple[Isolation, ...]

    def __new__(cls, name: str, untrusted: tuple[Isolation, ...]) -> StrategyName:
        """Make one."""
        made = super().__new__(cls, name)
        made.untrusted = untrusted
        _lost.update({each.module: each for each in untrusted})
        return made

    def __reduce__(self) -> tuple[type[StrategyName], tuple[str, tuple[Isolation, ...]]]:
        return (StrategyName, (str(self), self.untrusted))

    def isolation(self, reference: str) -> Isolation | None:
        """How a "module:name" is run; None is in this process."""
        top = reference.partition(":")[0].partition(".")[0].strip()
        return next((each for each in self.untrusted if each.module == top), None)


def strategy_name(name: str, project: Project) -> str:
    """A strategy's name as the project's rules use it."""
    root = project.source.parent if project.source else None
    untrusted = tuple(
        Isolation(module, said.require, said.timeout, root)
        for module, said in project.anonymization.modules.items()
        if said.trust == "untrusted"
    )
    return StrategyName(name, untrusted) if untrusted else name


def marked(name: str) -> str:
    """A name with what this process knows of trust: of a rule within a rule, or of a person."""
    return StrategyName(name, tuple(_lost.values())) if _lost and type(name) is str else name
