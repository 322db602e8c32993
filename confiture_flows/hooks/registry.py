"""Functions, tasks and flows -> hooks in the order in which they fire.

Refuses, when a hook is added and not when it should fire: an unknown point, a signature that does
not fit, options that exclude one another, a name that is taken, and a cycle in `after`.
"""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from confiture_flows.errors import ConfigError
from confiture_flows.hooks.model import (
    DEFAULT_PRIORITY,
    DEFAULT_TIMEOUT,
    Hook,
    HookKind,
    HookPoint,
    OnFailure,
    Transaction,
    Way,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_Call = TypeVar("_Call", bound="Callable[..., Any]")

_POINTS = ", ".join(point.value for point in HookPoint)
# What nobody says in an option.
_NO_OPTIONS = frozenset({"point", "call", "kind", "takes", "settings"})
_IN_A_STEP = (HookPoint.BEFORE_APPLY, HookPoint.AFTER_APPLY)


class HookRegistry:
    """Hooks by point. Adding one checks it against all that are there."""

    def __init__(self, hooks: Iterable[Hook] = ()) -> None:
        self._hooks: dict[tuple[HookPoint, str], Hook] = {}
        for each in hooks:
            self.add(each)

    def __iter__(self) -> Iterator[Hook]:
        return iter(tuple(self._hooks.values()))

    def __len__(self) -> int:
        return len(self._hooks)

    def add(self, added: Hook) -> None:
        """Add a hook.

        Raises:
            ConfigError: It cannot be one, or not beside those that are there.
        """
        _check(added)
        key = (added.point, added.name)
        present = self._hooks.get(key)
        if present is not None and not _is_same(present.call, added.call):
            raise ConfigError(
                f"Two hooks are called {added.name!r} at {added.point.value}.",
                next_step="Give one of them another name.",
            )
        self._hooks[key] = added
        try:
            self.ordered(added.point)
        except ConfigError:
            if present is None:
                del self._hooks[key]
            else:
                self._hooks[key] = present
            raise

    def hook(self, point: HookPoint | str, **options: Any) -> Callable[[_Call], _Call]:
        """Register a function, task or flow; see `hook`."""

        def register(call: _Call) -> _Call:
            self.add(make_hook(call, point, **options))
            return call

        return register

    def remove(self, call: Callable[..., Any]) -> tuple[Hook, ...]:
        """Take all hooks of a function out.

        Returns:
            Those that were there.
        """
        found = tuple(each for each in self if _is_same(each.call, call))
        for each in found:
            del self._hooks[each.point, each.name]
        return found

    def ordered(self, point: HookPoint) -> tuple[Hook, ...]:
        """The hooks of a point as they fire: by `after`, then priority, then as registered.

        Raises:
            ConfigError: They wait for one another.
        """
        left = sorted(
            (each for each in self if each.point is point), key=lambda each: each.priority
        )
        order: list[Hook] = []
        while left:
            waiting = {each.name for each in left}
            ready = next((each for each in left if not waiting & set(each.after)), None)
            if ready is None:
                names = ", ".join(sorted(waiting))
                raise ConfigError(
                    f"The hooks {names} of {point.value} wait for one another (after).",
                    next_step="Take one `after` out.",
                )
            order.append(ready)
            left.remove(ready)
        return tuple(order)

    def check_names(self) -> None:
        """Check that each `after` names a hook.

        Raises:
            ConfigError: One names none.
        """
        for each in self:
            known = {other.name for other in self if other.point is each.point}
            for name in each.after:
                if name not in known:
                    raise ConfigError(
                        f"The hook {each.name!r} comes after {name!r}, but {each.point.value} "
                        "has no hook of that name.",
                        next_step="It has: "
                        f"{', '.join(sorted(known - {each.name})) or 'no other'}.",
                    )


registered = HookRegistry()


def hook(point: HookPoint | str, **options: Any) -> Callable[[_Call], _Call]:
    """Register a function, an async function, a Prefect task or a Prefect flow as a hook.

    It fires in every run of this process, in flows and with --plain.

    Args:
        point: When it fires.
        **options: `name`, `each`, `direction`, `transaction`, `on_failure`, `timeout` in seconds,
            `retries`, `priority`, `after`; see `Hook`.

    Raises:
        ConfigError: It cannot be a hook.
    """
    return registered.hook(point, **options)


def make_hook(call: Any, point: HookPoint | str, **options: Any) -> Hook:
    """A hook of a function, task or flow, with the defaults of its point.

    Raises:
        ConfigError: An option is unknown, or the signature does not fit.
    """
    where = _point(point)
    known = set(Hook.__slots__) - _NO_OPTIONS
    if unknown := sorted(set(options) - known):
        raise ConfigError(
            f"A hook has no option {unknown[0]!r}.",
            next_step=f"It has: {', '.join(sorted(known))}.",
        )
    kind = kind_of(call)
    name = str(options.pop("name", None) or _name_of(call))
    transaction = options.get("transaction", "none")
    takes = _takes(call, name, kind, transaction)
    late = where in (HookPoint.AFTER_APPLY, HookPoint.ON_ERROR) and transaction != "migration"
    defaults: dict[str, Any] = {
        "on_failure": "warn" if late else "abort",
        "timeout": DEFAULT_TIMEOUT,
        "priority": DEFAULT_PRIORITY,
        # A migration's transaction is there once a migration.
        "each": transaction == "migration",
    }
    values = defaults | options
    after = values.pop("after", ())
    values["after"] = (after,) if isinstance(after, str) else tuple(after)
    made = Hook(name=name, point=where, call=call, kind=kind, takes=takes, **values)
    _check(made)
    return made


def with_options(base: Hook, **options: Any) -> Hook:
    """The same hook with other options.

    Raises:
        ConfigError: They do not fit.
    """
    kept = {name: getattr(base, name) for name in Hook.__slots__ if name not in _NO_OPTIONS}
    return make_hook(base.call, options.pop("point", base.point), **(kept | options))


def kind_of(call: Any) -> HookKind:
    """What sort of hook a callable makes. Asks Prefect only where it is loaded already."""
    for module, name, kind in (
        ("prefect.flows", "Flow", HookKind.FLOW),
        ("prefect.tasks", "Task", HookKind.TASK),
    ):
        loaded = sys.modules.get(module)
        if loaded is not None and isinstance(call, getattr(loaded, name)):
            return kind
    if inspect.iscoroutinefunction(call):
        return HookKind.ASYNC_FUNCTION
    if not callable(call):
        raise ConfigError(
            f"{call!r} cannot be a hook.",
            next_step="A hook is a function, an async function, a Prefect task or a Prefect flow.",
        )
    return HookKind.FUNCTION


def _point(point: HookPoint | str) -> HookPoint:
    try:
        return HookPoint(point)
    except ValueError:
        raise ConfigError(
            f"There is no hook point {str(point)!r}.", next_step=f"There are: {_POINTS}."
        ) from None


def _name_of(call: Any) -> str:
    found = getattr(call, "name", None) or getattr(call, "__name__", None)
    return str(found or type(call).__name__)


def _is_same(one: object, other: object) -> bool:
    return one is other or getattr(one, "fn", one) is getattr(other, "fn", other)


def _takes(call: Any, name: str, kind: HookKind, transaction: str) -> Any:
    """What a hook gets beside the context, by its signature."""
    function = getattr(call, "fn", call)
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # a builtin without one
        return "conn" if transaction != "none" else ""
    positional = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    )
    needed = [
        each
        for each in parameters
        if each.default is inspect.Parameter.empty
        and each.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    ]
    wanted = 2 if transaction != "none" else 1
    by_place = [each for each in needed if each.kind in positional]
    second = by_place[1].name if len(by_place) > 1 else ""
    if transaction == "none" and second == "target" and kind is not HookKind.FLOW:
        wanted = 2
    fits = len(needed) == len(by_place) == wanted
    if not fits:
        is_flow = kind is HookKind.FLOW
        form = "(context, conn)" if transaction != "none" else "(context)"
        other = "" if transaction != "none" or is_flow else ", or (context, target)"
        raise ConfigError(
            f"The hook {name!r} has the wrong signature: "
            f"({', '.join(each.name for each in parameters)}).",
            next_step=f"With transaction={transaction!r} it takes {form}{other}.",
        )
    return "" if wanted == 1 else "conn" if transaction != "none" else "target"


def _check(checked: Hook) -> None:
    for name, value, allowed in (
        ("transaction", checked.transaction, get_args(Transaction)),
        ("on_failure", checked.on_failure, get_args(OnFailure)),
        ("direction", checked.direction, get_args(Way)),
    ):
        if value not in allowed:
            raise _refused(checked, f"{name} is {value!r}", f"It is one of: {', '.join(allowed)}.")
    if checked.timeout < 0 or checked.retries < 0:
        raise _refused(checked, "a timeout or retries below 0", "Give a number from 0.")
    point, kind = checked.point, checked.kind
    if checked.transaction != "none" and kind is not HookKind.FUNCTION:
        raise _refused(
            checked,
            f"a {kind.value} has no part in a transaction",
            "Make it a plain function, or leave transaction out.",
        )
    if checked.transaction == "migration":
        if point not in _IN_A_STEP or not checked.each:
            raise _refused(
                checked,
                "a migration's transaction is there once a migration, at before_apply and "
                "after_apply",
                'Use one of these points, and no each=False; or transaction="own".',
            )
        if checked.on_failure != "abort" or checked.retries:
            raise _refused(
                checked,
                "what fails in a migration's transaction ends it",
                "Leave on_failure and retries out.",
            )
    if checked.on_failure == "rollback" and point is not HookPoint.AFTER_APPLY:
        raise _refused(
            checked,
            'on_failure "rollback" is for after_apply: elsewhere nothing is to be taken back',
            'Use "abort" or "warn".',
        )
    if checked.on_failure == "rollback" and checked.direction != "up":
        raise _refused(checked, "a way back is not taken back", 'Use direction="up".')
    if point is HookPoint.ON_ERROR and checked.on_failure != "warn":
        raise _refused(checked, "the run has failed already", 'on_failure is "warn" here.')
    if point is HookPoint.BEFORE_VALIDATE and checked.each and checked.direction != "up":
        raise _refused(
            checked,
            "which migrations are rolled back is decided after validation",
            "Use before_apply.",
        )


def _refused(checked: Hook, why: str, next_step: str) -> ConfigError:
    return ConfigError(
        f"The hook {checked.name!r} ({checked.point.value}): {why}.", next_step=next_step
    )
