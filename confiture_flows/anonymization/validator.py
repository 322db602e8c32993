"""ConfigValidator: what a column rule says + its strategy's class -> a checked Config."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from confiture_flows.anonymization.registry import StrategyRegistry, registered
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confiture_flows.anonymization.strategy import StrategyBase


class ConfigValidator:
    """Checks the options of column rules."""

    def __init__(self, registry: StrategyRegistry = registered) -> None:
        self._registry = registry

    def validate(self, strategy: str, config: Mapping[str, Any]) -> StrategyBase.Config:
        """The options as the strategy's Config.

        Args:
            strategy: Its name.
            config: As a rule gives them.

        Raises:
            ConfigError: There is no such strategy, or an option is unknown, missing or wrong. The
                value is not repeated.
        """
        return validated_config(self._registry.find(strategy), strategy, config)


def validated_config(
    made: type[StrategyBase], strategy: str, config: Mapping[str, Any]
) -> StrategyBase.Config:
    """The options as the Config of a strategy's class; see `ConfigValidator`."""
    try:
        return made.Config.model_validate(dict(config))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        option = ".".join(str(part) for part in first["loc"]) or "config"
        known = ", ".join(made.Config.model_fields) or "none"
        unknown = first["type"] == "extra_forbidden"
        what = f"has no option {option}" if unknown else f"{option}: {first['msg']}"
        raise ConfigError(
            f"The strategy {strategy!r}: {what}."
            if not unknown
            else f"The strategy {strategy!r} {what}.",
            next_step=f"Its options are: {known}. See: confiture-flows strategies show {strategy}",
        ) from None
