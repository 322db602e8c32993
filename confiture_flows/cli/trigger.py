"""`confiture-flows trigger`."""

from __future__ import annotations

import json as jsonlib
import logging
import sys
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from confiture_flows.cli._frame import DirectoryOptions, Outcome, framed, quiet_prefect
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from datetime import datetime


def trigger(
    deployment: str,
    /,
    *,
    param: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    timeout: float | None = None,
    cancel_on_timeout: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Start a run of a Prefect deployment, follow it, and end as it ends.

    Its log goes to stderr, a Markdown summary to stdout.

    Args:
        deployment: "flow/deployment", or its name alone.
        param: A parameter of the flow, name=value; may be repeated. Values are JSON, or text.
        timeout: Seconds to wait for its end; without it, for ever. Exit code 10 after that.
        cancel_on_timeout: Cancel the run then.
        json: Print one JSON object instead of the summary.
    """
    return framed(
        "trigger",
        DirectoryOptions(json=json),
        lambda _: _trigger(deployment, param, timeout, cancel_on_timeout, as_json=json),
    )


def _trigger(
    deployment: str,
    given: tuple[str, ...],
    timeout: float | None,
    cancel: bool,
    *,
    as_json: bool,
) -> Outcome:
    if not deployment:
        raise ConfigError("The deployment is empty.", next_step="Check the variable it comes from.")
    if cancel and timeout is None:
        raise ConfigError(
            "--cancel-on-timeout needs a --timeout.", next_step="Add it, in seconds: --timeout 1800"
        )
    if timeout is not None and timeout <= 0:
        raise ConfigError(
            f"--timeout {timeout:g} is not a number of seconds above 0.",
            next_step="Leave it out to wait for ever.",
        )
    parameters = dict(_parameter(each) for each in given)
    quiet_prefect()
    from confiture_flows.flows.trigger import Follow, trigger_run

    ended = trigger_run(deployment, parameters, Follow(timeout, cancel), _Lines())
    page = None if as_json else ended.markdown()
    return Outcome(ended.json(), error=ended.error, page=page)


def _parameter(given: str) -> tuple[str, Any]:
    name, equals, value = given.partition("=")
    if not equals or not name:
        raise ConfigError(
            f"--param {given} is not name=value.",
            next_step="Write it as --param target=prod; a value is JSON, or else text.",
        )
    try:
        return name, jsonlib.loads(value)
    except ValueError:
        return name, value


class _Lines:
    """A line on stderr for each state and each line of the log."""

    def state(self, name: str, message: str) -> None:
        print(f"{name}: {message}" if message else name, file=sys.stderr, flush=True)

    def log(self, at: datetime, level: int, message: str) -> None:
        label = logging.getLevelName(level)
        print(f"{at:%H:%M:%S} {label:<8} {message}", file=sys.stderr, flush=True)
