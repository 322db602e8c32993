"""The options of a built-in hook, as [hooks.options] says them -> a checked value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from confiture_flows.config import expand_variables
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping


class HookOptions(BaseModel):
    """Base of the options of a hook."""

    # The input is hidden since it may be the address of a webhook, which is a secret.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def with_variables(given: Mapping[str, Any]) -> dict[str, Any]:
    """Options with environment variables in the place of ${NAME}.

    Raises:
        ConfigError: One of them is not set.
    """
    return {
        name: expand_variables(value) if isinstance(value, str) else value
        for name, value in given.items()
    }


_Options = TypeVar("_Options", bound=HookOptions)


def read_options(kind: type[_Options], use: str, given: dict[str, Any]) -> _Options:
    """Check options; ${NAME} in a text stands for an environment variable.

    Args:
        kind: What they should be.
        use: The hook's name.
        given: What the file says.

    Raises:
        ConfigError: One is unknown, missing, or wrong.
    """
    try:
        return kind.model_validate(with_variables(given))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            message = f"The hook {use!r} has no option {key!r}."
        else:
            message = f"The hook {use!r}: {f'{key}: ' if key else ''}{first['msg']}."
        known = ", ".join(sorted(kind.model_fields))
        raise ConfigError(message, next_step=f"Its options are: {known}.") from None
