"""The schema of a block -> a form that reads well in Prefect's web pages.

Prefect draws `X | None` as a choice between two types. Here it becomes an X that may stay empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.blocks.core import Block

if TYPE_CHECKING:
    from collections.abc import Callable

_NULL = {"type": "null"}


def readable_form(schema: dict[str, Any], model: type[Block]) -> None:
    """Change the JSON schema of a block: titles that read well, and no choice of types.

    Args:
        schema: As pydantic makes it; changed in place.
        model: The block's class.
    """
    of_prefect: Any = Block.model_config.get("json_schema_extra")
    add: Callable[[dict[str, Any], type[Block]], None] = of_prefect
    add(schema, model)
    for name, field in model.model_fields.items():
        shown = schema["properties"][name]
        shown["title"] = field.title or name.replace("_", " ").capitalize()
        match shown.get("anyOf"):
            # A switch is on or off, and cannot be empty.
            case [{"type": str(type_)} as kind, null] if null == _NULL and type_ != "boolean":
                del shown["anyOf"]
                shown |= kind
                if shown.get("default", ...) is None:
                    del shown["default"]


def without_empty(given: Any) -> Any:
    """What a form sends, without the fields that were left empty."""
    if not isinstance(given, dict):
        return given
    return {name: value for name, value in given.items() if value != ""}
