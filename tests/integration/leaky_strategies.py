"""Strategies that leak in ways which the copy itself does not notice, each by its name."""

from __future__ import annotations

from typing import Any

from confiture_flows.errors import StrategyError
from confiture_flows.plugins import StrategyBase, register_strategy

MODULE = __name__


@register_strategy("leak-rarely")
def rarely(value: str) -> str:
    """Gives back one address of a thousand or more."""
    return value if value.startswith(("user1000@", "user2000@")) else f"x{len(value)}"


@register_strategy("leak-next")
def of_the_next(value: str) -> str:
    """Gives one row the address of another one."""
    return "user12@mail12.com" if value.startswith("user1500@") else f"x{len(value)}"


@register_strategy("leak-other")
class Other(StrategyBase):
    """Puts the e-mail address into the note."""

    def needs(self) -> tuple[str, ...]:
        return ("email",)

    def anonymize(self, value: str, *others: Any) -> str:
        return f"written to {others[0]} lately" if value.startswith("n1234 ") else "nothing"


class Unready(Other):
    """Cannot be made."""

    def prepare(self) -> None:
        raise KeyError("no such table")


class Isolated(Other):
    """Cannot be made either, and says so as one behind walls does."""

    def prepare(self) -> None:
        raise StrategyError("It took longer than 1 s.", next_step="Mend it.")
