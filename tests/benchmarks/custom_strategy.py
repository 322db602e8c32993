"""A strategy as a user would write it: a function of one value, without batch or SQL."""

from __future__ import annotations

from confiture_flows.plugins import register_strategy

MODULE = __name__
NAME = "bench-initials"


@register_strategy(NAME)
def initials(value: str) -> str:
    """Initials."""
    return ". ".join(word[:1] for word in value.split()) + "."
