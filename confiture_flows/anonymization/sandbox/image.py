"""A strategy of an untrusted module -> what it says of itself, asked in a worker and checked.

What is told of what a worker says was said before it had seen any value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard, get_args

from confiture_flows.anonymization.sandbox.frames import Kind
from confiture_flows.anonymization.sandbox.process import Worker, load
from confiture_flows.anonymization.sandbox.sources import read_sources
from confiture_flows.anonymization.strategy import Form, Uniqueness
from confiture_flows.errors import ConfigError, StrategyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confiture_flows.anonymization.sandbox.sources import ModuleSource
    from confiture_flows.anonymization.trust import Isolation

_TYPE = re.compile(r"[a-z_][\w ]{0,62}(\[\])?")
_MOST = 64  # options, types, needed columns
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Image:
    """All that makes the class again in another process.

    Attributes:
        reference: module:name.
        isolation: How it is run.
        sources: The module's, as they were read once: every process runs the same code.
        declared: What it says of itself, checked.
    """

    reference: str
    isolation: Isolation
    sources: Mapping[str, ModuleSource]
    declared: Mapping[str, Any]


def read_image(reference: str, isolation: Isolation) -> tuple[Image, Worker]:
    """The image of a strategy, and the worker that has loaded it.

    Args:
        reference: module:name.
        isolation: How it is run.

    Raises:
        ConfigError: There is no such module or strategy, or a required wall does not stand here.
        StrategyError: What it says of itself cannot be.
    """
    if ":" not in reference:
        raise ConfigError(f"{reference!r} names no strategy; write module:Class.")
    sources = read_sources(isolation.module, isolation.root)
    who = f"The untrusted strategy {reference!r}"
    worker = _started(who, isolation)
    try:
        declared = _declared(_load(worker, reference, isolation, sources, who))
        if declared is None:
            worker.broken("says of itself what no strategy can say")
    except BaseException:
        worker.close()
        raise
    return Image(reference, isolation, sources, declared), worker


def _started(who: str, isolation: Isolation) -> Worker:
    worker = Worker(who)
    if isolation.require and isolation.require not in worker.walls:
        worker.close()
        raise ConfigError(
            f"{who} requires {isolation.require}, which this machine does not have; there are: "
            f"{', '.join(worker.walls)}.",
            next_step=f"Run it on Linux with {isolation.require}, or leave `require` out.",
        )
    return worker


def _load(
    worker: Worker,
    reference: str,
    isolation: Isolation,
    sources: Mapping[str, ModuleSource],
    who: str,
) -> dict[str, Any]:
    module, _, name = reference.partition(":")
    handed = {name: (each.text, each.file, each.package) for name, each in sources.items()}
    kind, body = worker.ask(
        load(handed, module, name), (Kind.DESCRIBED, Kind.REFUSED), isolation.timeout
    )
    note = worker.note(body)
    if kind == Kind.REFUSED:
        raise ConfigError(
            f"{who} cannot be used: {printable(note.get('message'))}.",
            next_step="It may import its own package and what docs/explanation/isolation.md lists.",
        )
    return note


def load_again(image: Image, who: str) -> Worker:
    """Another worker that has loaded a strategy.

    Args:
        image: The strategy's.
        who: As errors name it.

    Raises:
        StrategyError: What could be loaded when it was described cannot be now.
    """
    try:
        worker = _started(who, image.isolation)
        try:
            _load(worker, image.reference, image.isolation, image.sources, who)
        except ConfigError:
            worker.close()
            raise
    except ConfigError as error:
        raise StrategyError(error.message, next_step=error.next_step) from None
    return worker


def _declared(said: dict[str, Any]) -> dict[str, Any] | None:
    """What a strategy says of itself; None if that cannot be."""
    accepts, options = said.get("accepts"), said.get("options")
    if not (texts(accepts) and accepts and all(map(_TYPE.fullmatch, accepts))):
        return None
    if said.get("unique") not in get_args(Uniqueness) or said.get("takes") not in get_args(Form):
        return None
    if type(said.get("keyed")) is not bool or not isinstance(said.get("doc"), str):
        return None
    if not isinstance(options, list) or len(options) > _MOST:
        return None
    fields: dict[str, tuple[bool, str | None]] = {}
    for option in options:
        if not (isinstance(option, list) and len(option) == 3 and isinstance(option[0], str)):
            return None
        name, required, description = option
        fields[name] = (required is True, printable(description) if description else None)
    return {
        "accepts": tuple(accepts),
        "unique": said["unique"],
        "takes": said["takes"],
        "keyed": said["keyed"],
        "doc": printable(said["doc"]),
        "options": fields,
    }


def texts(said: object) -> TypeGuard[list[str]]:
    """Whether a worker said a short list of short texts."""
    return (
        isinstance(said, list)
        and len(said) <= _MOST
        and all(isinstance(each, str) and len(each) <= _SHOWN for each in said)
    )


def printable(said: object) -> str:
    """A text of a worker's, so that it can be shown in a line."""
    text = said if isinstance(said, str) else "it gives no reason"
    return "".join(sign if sign.isprintable() else " " for sign in text[:_SHOWN]).strip(" .")
