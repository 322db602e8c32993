"""What sqlfluff asks of a plugin. Loaded at each of its starts, so it imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlfluff.core.plugin import hookimpl

if TYPE_CHECKING:
    from sqlfluff.core.rules import BaseRule


@hookimpl
def get_rules() -> list[type[BaseRule]]:
    """The lint rules as sqlfluff's.

    Raises:
        SQLFluffUserError: A package brings a rule that cannot be used.
    """
    from sqlfluff.core.errors import SQLFluffUserError

    from confiture_flows.errors import ConfigError
    from confiture_flows.lint.sqlfluff_rules import plugin_rules

    try:
        return list(plugin_rules())
    except ConfigError as error:
        raise SQLFluffUserError(str(error)) from None
