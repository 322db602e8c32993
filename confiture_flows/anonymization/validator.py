"""ConfigValidator: what a column rule says + its strategy's class -> a checked Config."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from confiture_flows.anonymization.registry import StrategyRegistry, registered
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.anonymization.strategy import StrategyBase

_OF_CLASS = re.compile(r" or instance of \w+")


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
        option, said, unknown = _first_mistake(error, config)
        known = ", ".join(made.Config.model_fields) or "none"
        what = f" has no option {option}" if unknown else f": {option}: {said}"
        raise ConfigError(
            f"The strategy {strategy!r}{what}.",
            next_step=f"Its options are: {known}. See: confiture-flows strategies show {strategy}",
        ) from None


def why_unfit(error: ValueError) -> str:
    """Why a strategy does not fit a column, for the middle of a sentence.

    Args:
        error: What making it has raised.
    """
    said = error.message if isinstance(error, ConfigError) else str(error)
    return said.rstrip(".")


def _first_mistake(error: ValidationError, config: Mapping[str, Any]) -> tuple[str, str, bool]:
    """The option, what is wrong with it, and whether it is none."""
    first = error.errors(include_url=False, include_input=False)[0]
    said = first["msg"].removeprefix("Value error, ").rstrip(".")
    place = ".".join(_parts_of(first["loc"], config)) or "config"
    return place, _OF_CLASS.sub("", said), first["type"] == "extra_forbidden"


def _parts_of(place: tuple[int | str, ...], config: Any) -> Iterator[str]:
    """The parts of a place that the configuration has, without pydantic's names of classes."""
    for number, part in enumerate(place):
        try:
            config = config[part]
        except (LookupError, TypeError):
            missing = number == len(place) - 1 and isinstance(config, Mapping)
            if not missing:
                continue
        yield str(part)
