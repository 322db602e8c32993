"""Frames on stdin -> frames on stdout, behind walls: the process of an untrusted strategy.

Run by process.py as a script. It loads what strategies may import, raises the walls, says which of
them stand, and only then gets the source of the module. From then on nothing in this process
can be believed; the walls are the kernel's, and what is answered is checked by the parent.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from confiture_flows.anonymization.sandbox.frames import (
    HEAD_BYTES,
    Kind,
    frame,
    head,
    read_exactly,
    write_all,
)
from confiture_flows.anonymization.sandbox.loader import PRELOADED, RefusedImportError, only
from confiture_flows.anonymization.sandbox.values import pack, unpack
from confiture_flows.anonymization.sandbox.walls import raise_walls

if TYPE_CHECKING:
    from types import TracebackType

    from confiture_flows.anonymization.strategy import StrategyBase

# What plug-ins import of this package, and what makes strategies of them. By name: the layers of
# this package are about what it needs itself.
_OURS = (
    "confiture_flows.plugins",
    "confiture_flows.anonymization.function_strategy",
    "confiture_flows.anonymization.keys",
    "confiture_flows.anonymization.registry",
    "confiture_flows.anonymization.strategy",
    "confiture_flows.anonymization.strategies",
)
_MESSAGE_CHARACTERS = 300
_REQUESTS, _ANSWERS = 3, 4


class _Told(Exception):
    """What is answered instead of a result."""

    def __init__(self, kind: Kind, **said: object) -> None:
        self.answer = frame(kind, json.dumps(said).encode() if said else b"")


def _preload() -> None:
    for name in (*PRELOADED.split(), *_OURS):
        importlib.import_module(name)
    # What is looked up in files when it is first used.
    for name in sorted(sys.modules["hashlib"].algorithms_guaranteed):
        with suppress(ValueError):  # a machine may forbid some
            sys.modules["hashlib"].new(name)
    sys.modules["hmac"].digest(b"k", b"v", "sha256")
    sys.modules["_strptime"]._strptime_datetime(sys.modules["datetime"].datetime, "2000", "%Y")
    sys.modules["time"].tzset()
    # The builder of pydantic's schemas imports as it goes.
    strategy = sys.modules["confiture_flows.anonymization.strategy"]
    pydantic = importlib.import_module("pydantic")
    field = (int, pydantic.Field(ge=1))
    pydantic.create_model("Warm", __base__=strategy.StrategyBase.Config, a=field)


def _own_descriptors() -> None:
    """Move the pipes away, so that what is printed goes nowhere."""
    os.dup2(0, _REQUESTS)
    os.dup2(1, _ANSWERS)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.closerange(_ANSWERS + 1, 256)


def _request() -> tuple[int, bytes]:
    size, kind = head(read_exactly(_REQUESTS, HEAD_BYTES))
    return kind, read_exactly(_REQUESTS, size)


def _message(error: BaseException) -> str:
    """An exception's text, before it can hold a value of anybody's."""
    text = str(error) or "without a message"
    own = isinstance(error, RefusedImportError)
    return (text if own else f"{type(error).__name__}: {text}")[:_MESSAGE_CHARACTERS]


def _strategy(module: str, name: str) -> type[StrategyBase]:
    """Run the module and find the strategy in it."""
    from confiture_flows.anonymization.registry import strategy_of
    from confiture_flows.errors import ConfigError

    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part, None)
        return strategy_of(found, f"{module}:{name}")
    except ConfigError as error:
        raise _Told(Kind.REFUSED, message=error.message.rstrip(".")) from None
    except BaseException as error:
        raise _Told(Kind.REFUSED, message=_message(error)) from None


def _declared(made: type[StrategyBase]) -> dict[str, Any]:
    fields = made.Config.model_fields
    return {
        "accepts": list(made.accepts),
        "unique": made.unique,
        "keyed": made.keyed,
        "takes": made.takes,
        "doc": made.__doc__ or "",
        "options": [[name, each.is_required(), each.description] for name, each in fields.items()],
    }


def _opened(made: type[StrategyBase], said: dict[str, Any]) -> StrategyBase:
    """The strategy for a column."""
    from pydantic import ValidationError

    from confiture_flows.anonymization.keys import Key
    from confiture_flows.anonymization.strategy import Column

    column = Column(**{**said["column"], "labels": tuple(said["column"]["labels"])})
    key = Key(bytes.fromhex(said["key"])) if said["key"] else None
    try:
        return made(made.Config.model_validate(said["config"]), column, key)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        option = ".".join(str(part) for part in first["loc"])
        raise _Told(Kind.MISFIT, message=f"{option}: {first['msg']}") from None
    except ValueError as error:
        raise _Told(Kind.MISFIT, message=str(error)[:_MESSAGE_CHARACTERS]) from None
    except BaseException as error:
        raise _Told(Kind.REFUSED, message=_message(error)) from None


def _failed(error: BaseException, files: frozenset[str]) -> _Told:
    """Where in the module an exception comes from; its text may hold a value."""
    line, file = 0, ""
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in files:
            line, file = trace.tb_lineno, trace.tb_frame.f_code.co_filename
        trace = trace.tb_next
    refused = error.name if isinstance(error, RefusedImportError) else None
    return _Told(Kind.FAILED, error=type(error).__name__, file=file, line=line, refused=refused)


def _results(strategy: StrategyBase, columns: list[list[Any]], files: frozenset[str]) -> bytes:
    from confiture_flows.anonymization.strategy import StrategyBase, UnfitValue

    try:
        if type(strategy).validate is not StrategyBase.validate:
            for value in columns[0]:
                if not strategy.validate(value):
                    raise UnfitValue
        results = list(strategy.anonymize_batch(*columns))
        return frame(Kind.RESULTS, pack([results]))
    except UnfitValue:
        raise _Told(Kind.UNFIT) from None
    except BaseException as error:
        raise _failed(error, files) from None


def _serve() -> None:
    """Answer requests until there are no more."""
    made: type[StrategyBase] | None = None
    strategy: StrategyBase | None = None
    files: frozenset[str] = frozenset()
    while True:
        kind, body = _request()
        try:
            if kind == Kind.LOAD:
                said = json.loads(body)
                only(said["sources"])
                files = frozenset(file for _text, file, _package in said["sources"].values())
                made = _strategy(said["module"], said["name"])
                answer = frame(Kind.DESCRIBED, json.dumps(_declared(made)).encode())
            elif kind == Kind.OPEN and made is not None:
                strategy = _opened(made, json.loads(body))
                try:
                    opened = {"needs": list(strategy.needs()), "capacity": strategy.capacity()}
                except BaseException as error:
                    raise _Told(Kind.REFUSED, message=_message(error)) from None
                answer = frame(Kind.OPENED, json.dumps(opened).encode())
            elif strategy is not None:
                answer = _results(strategy, unpack(body), files)
            else:
                return
        except _Told as told:
            answer = told.answer
        write_all(_ANSWERS, answer)


def main() -> None:
    """Be a worker."""
    _preload()
    _own_descriptors()
    walls = raise_walls(_ANSWERS + 1)
    os.environ.clear()
    sys.argv[:] = [""]
    gc.freeze()
    write_all(_ANSWERS, frame(Kind.STANDING, json.dumps({"walls": walls}).encode()))
    with suppress(EOFError):
        _serve()
    # Nothing of the module's runs at the end.
    os._exit(0)
