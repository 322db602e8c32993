"""A strategy of an untrusted module as any other: its calls go to a worker behind walls.

What the module declares is asked in a worker, checked, and not always believed: its SQL would run
on the source with all rights, and is never asked for; that it may hand values back is for the
user to say, not for it.
"""

from __future__ import annotations

import builtins
import json
import sys
import threading
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, PydanticUserError, create_model

from confiture_flows.anonymization.sandbox.frames import FRAME_BYTES, Kind, frame
from confiture_flows.anonymization.sandbox.image import load_again, printable, read_image, texts
from confiture_flows.anonymization.sandbox.samples import samples
from confiture_flows.anonymization.sandbox.values import (
    BrokenValuesError,
    UnknownValueError,
    pack,
    unpack,
)
from confiture_flows.anonymization.strategy import StrategyBase, UnfitValue
from confiture_flows.errors import StrategyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_flows.anonymization.keys import Key
    from confiture_flows.anonymization.sandbox.image import Image
    from confiture_flows.anonymization.sandbox.process import Worker
    from confiture_flows.anonymization.strategy import Column
    from confiture_flows.anonymization.trust import Isolation

# What is sent at once, and has to be done within the deadline.
REQUEST_BYTES, REQUEST_VALUES = 8 << 20, 10_000
# A worker is replaced after so much work: it cannot gather the values of a whole table, and its
# limit of processor time stays far away.
RENEW_SECONDS = 300.0


class SandboxedStrategy(StrategyBase):
    """A strategy that runs in a process of its own.

    Attributes:
        walls: Those that stand around the process.
    """

    image: ClassVar[Image]
    # The worker that described the class: the first strategy takes it over.
    spare: ClassVar[list[Worker]]

    def __reduce__(self) -> tuple[Any, ...]:
        return (_again, (type(self).image, self._said(), self.column, self._key))

    @classmethod
    def reference(cls) -> str:
        """The strategy's, not that of this class."""
        return cls.image.reference

    def prepare(self) -> None:
        """Start the worker, configure the strategy in it, and try it on samples.

        Raises:
            ValueError: The configuration does not fit the column.
            StrategyError: It does not do what a strategy does.
        """
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._needs: tuple[str, ...] = ()
        self._capacity: int | None = None
        with self._lock:
            self._opened()
        self._try()

    @property
    def pid(self) -> int | None:
        """Of the worker that runs now."""
        return self._worker.pid if self._worker and self._worker.alive else None

    def close(self) -> None:
        """End the worker; the next call starts another one."""
        with self._lock:
            if self._worker:
                self._worker.close()

    def needs(self) -> tuple[str, ...]:
        """What it said when it was configured."""
        return self._needs

    def capacity(self) -> int | None:
        """What it said when it was configured."""
        return self._capacity

    def anonymize(self, value: Any, *others: Any) -> Any:
        """The value that takes a value's place."""
        return self.anonymize_batch([value], *[[each] for each in others])[0]

    def anonymize_batch(self, values: Sequence[Any], *others: Sequence[Any]) -> list[Any]:
        """The same for many; one way through the pipes for up to 10,000 of them.

        Raises:
            UnfitValue: One of them cannot be anonymized, or `validate` says so.
            StrategyError: It failed, died, took too long or answered what is no answer.
        """
        try:
            request = pack([values, *others])
        except UnknownValueError as error:
            raise StrategyError(
                f"{self._who()}: {error} on its way to an isolated strategy.",
                next_step='Let it take text: `takes = "text"`.',
            ) from None
        if len(values) > 1 and (len(values) > REQUEST_VALUES or len(request) > REQUEST_BYTES):
            half = len(values) // 2
            return [
                *self.anonymize_batch(values[:half], *[each[:half] for each in others]),
                *self.anonymize_batch(values[half:], *[each[half:] for each in others]),
            ]
        if len(request) > FRAME_BYTES:
            raise StrategyError(
                f"{self._who()}: a value of more than {FRAME_BYTES >> 20} MB is not handed to an "
                "isolated strategy."
            )
        with self._lock:
            worker = self._opened()
            kind, body = worker.ask(
                frame(Kind.BATCH, request),
                (Kind.RESULTS, Kind.UNFIT, Kind.FAILED),
                type(self).image.isolation.timeout,
            )
            if kind == Kind.RESULTS:
                return self._checked(worker, body, len(values))
            failure = worker.note(body) if kind == Kind.FAILED else None
        if failure is None:
            raise UnfitValue
        raise StrategyError(
            f"{self._who()} failed on a batch of {len(values):,} values: {self._told(failure)}.",
            next_step="Values are not shown. Let it raise UnfitValue for what it cannot anonymize.",
        )

    def _opened(self) -> Worker:
        """The worker, with the strategy configured in it."""
        if self._worker and self._worker.alive and self._worker.busy_seconds < RENEW_SECONDS:
            return self._worker
        if self._worker:
            self._worker.close()
        image, spare = type(self).image, type(self).spare
        worker = spare.pop() if spare else None
        if worker is None or not worker.alive:
            worker = load_again(image, self._who())
        worker.who = self._who()
        said = {
            "config": self._said(),
            "column": asdict(self.column),
            "key": self._key.export().hex() if self._key and self.keyed else None,
        }
        kind, body = worker.ask(
            frame(Kind.OPEN, json.dumps(said).encode()),
            (Kind.OPENED, Kind.MISFIT, Kind.REFUSED),
            image.isolation.timeout,
        )
        note = worker.note(body)
        if kind != Kind.OPENED:
            worker.close()
            message = printable(note.get("message"))
            if kind == Kind.MISFIT:
                raise ValueError(message)
            raise StrategyError(f"{self._who()} cannot be used: {message}.")
        needs, capacity = note.get("needs"), note.get("capacity")
        if not texts(needs) or not (capacity is None or (type(capacity) is int and capacity >= 0)):
            worker.broken("says of its needs or its capacity what cannot be")
        self._needs, self._capacity = tuple(needs), capacity
        self._worker, self.walls = worker, worker.walls
        return worker

    def _checked(self, worker: Worker, body: bytes, count: int) -> list[Any]:
        """Its results, if they are as many as the values and of the right type."""
        try:
            columns = unpack(body)
        except BrokenValuesError as error:
            worker.broken(f"answered what is no list of values ({error})")
        if len(columns) != 1 or len(columns[0]) != count:
            found = sum(map(len, columns))
            worker.broken(f"answered {found:,} values for {count:,}")
        if self.takes == "text" and not {*map(type, columns[0])} <= {str, type(None)}:
            worker.broken("answered values that are no text")
        return columns[0]

    def _try(self) -> None:
        """Let it anonymize samples; one value at a time where a batch holds one that it cannot."""
        given = [] if self._needs else samples(self.column, self.takes)
        try:
            self.anonymize_batch(given)
        except UnfitValue:
            for each in given:
                try:
                    self.anonymize(each)
                except UnfitValue:
                    continue
        except StrategyError as error:
            self.close()
            error.message += f" It was tried on samples of {self.column.type}, and on no data."
            raise

    def _said(self) -> dict[str, Any]:
        return self.config.model_dump(mode="json", exclude_unset=True)

    def _who(self) -> str:
        return f"The untrusted strategy {type(self).image.reference!r} of {self.column}"

    def _told(self, failure: dict[str, Any]) -> str:
        """What of a failure may be shown: nothing that it can have made of a value."""
        said = failure.get("error")
        known = getattr(builtins, said, None) if isinstance(said, str) else None
        text = "an exception of its own"
        if isinstance(known, type) and issubclass(known, BaseException):
            text = known.__name__
        refused = failure.get("refused")
        if isinstance(refused, str) and refused.partition(".")[0] in sys.stdlib_module_names:
            text = f"it imports {refused.partition('.')[0]}, which isolated strategies cannot"
        line = failure.get("line")
        for source in type(self).image.sources.values():
            if source.file == failure.get("file") and type(line) is int:
                lines = source.text.count("\n") + 1
                return f"{text} ({source.file}, line {line})" if 0 < line <= lines else text
        return text


@cache
def isolated_strategy(reference: str, isolation: Isolation) -> type[SandboxedStrategy]:
    """The class that stands for a strategy of an untrusted module.

    Args:
        reference: module:name.
        isolation: How it is run.

    Raises:
        ConfigError: There is no such module or strategy, or a required wall does not stand here.
        StrategyError: What it says of itself cannot be.
    """
    image, worker = read_image(reference, isolation)
    try:
        made = _made(image)
    except StrategyError:
        worker.close()
        raise
    made.spare.append(worker)
    return made


@cache
def _class(reference: str, isolation: Isolation) -> list[type[SandboxedStrategy]]:
    return []


def _made(image: Image) -> type[SandboxedStrategy]:
    """The class, the same each time in one process."""
    known = _class(image.reference, image.isolation)
    for each in known:
        if each.image == image:
            return each
    declared, name = image.declared, image.reference.rpartition(":")[2].rpartition(".")[2]
    fields: dict[str, Any] = {
        option: (Any, Field(default=... if required else None, description=description))
        for option, (required, description) in declared["options"].items()
    }
    try:
        config = create_model(f"{name}_config", __base__=StrategyBase.Config, **fields)
    except (NameError, TypeError, ValueError, PydanticUserError):
        raise StrategyError(
            f"The untrusted strategy {image.reference!r} has options whose names cannot be options."
        ) from None
    members = {
        "__doc__": declared["doc"],
        "image": image,
        "spare": [],
        "Config": config,
        "name": image.reference,
        **{each: declared[each] for each in ("accepts", "unique", "takes", "keyed")},
    }
    known.append(type(name, (SandboxedStrategy,), members))
    return known[-1]


def _again(
    image: Image, said: dict[str, Any], column: Column, key: Key | None
) -> SandboxedStrategy:
    made = _made(image)
    return made(made.Config.model_validate(said), column, key)
