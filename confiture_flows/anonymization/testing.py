"""check_strategy: one call tries a strategy on everything that it promises.

    from confiture_flows.anonymization.testing import check_strategy

    def test_my_strategy() -> None:
        check_strategy(MyStrategy, config={"length": 8})

Values come from hypothesis (the extra `testing`), in the types that the strategy accepts, and from
the caller. What has SQL is compared with its Python on a PostgreSQL server.
"""

from __future__ import annotations

import importlib.util
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from confiture_flows.anonymization import _kit_properties as properties
from confiture_flows.anonymization._kit_properties import Broken, Tried
from confiture_flows.anonymization._kit_values import columns_for, samples_for
from confiture_flows.anonymization.keys import Secret
from confiture_flows.anonymization.registry import StrategyRegistry, registered, strategy_of
from confiture_flows.anonymization.strategy import StrategyBase, is_sql_only
from confiture_flows.anonymization.validator import validated_config, why_unfit
from confiture_flows.errors import ConfigError, EmbeddedServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from psycopg import Connection

    from confiture_flows.anonymization.strategy import Column

PropertyName = Literal[
    "unfit", "type", "deterministic", "key", "batch", "changes", "injective", "pickles",
    "validate", "sql",
]  # fmt: skip
PropertyOutcome = Literal["holds", "broken", "left out"]

_CHECKS: dict[PropertyName, Callable[[Tried], Broken | None]] = {
    "unfit": properties.raises_only_unfit,
    "type": properties.gives_the_type,
    "deterministic": properties.is_deterministic,
    "key": properties.depends_on_the_key,
    "batch": properties.batches_are_the_same,
    "changes": properties.changes_values,
    "injective": properties.is_injective,
    "pickles": properties.survives_pickling,
    "validate": properties.validates_consistently,
}
# Two secrets that protect nothing: they are for values that nobody has.
_SECRETS = (Secret(b"of the test kit: the first"), Secret(b"of the test kit: the other one"))


@dataclass(frozen=True, slots=True)
class PropertyResult:
    """What came of one property for one type.

    Attributes:
        property: Which.
        type: The column's type.
        outcome: Whether it holds.
        why: What is broken, or why it was left out.
        example: The smallest value on which it is broken, as text.
    """

    property: PropertyName
    type: str
    outcome: PropertyOutcome
    why: str = ""
    example: str | None = None

    def __str__(self) -> str:
        tail = f" for {self.example}" if self.example is not None else ""
        return f"{self.property} ({self.type}): {self.why}{tail}"


@dataclass(frozen=True, slots=True)
class StrategyCheck:
    """What came of a check.

    Attributes:
        strategy: The strategy's name.
        results: A property and a type each.
        values: How many values were tried.
    """

    strategy: str
    results: tuple[PropertyResult, ...]
    values: int

    @property
    def broken(self) -> tuple[PropertyResult, ...]:
        """What does not hold."""
        return tuple(each for each in self.results if each.outcome == "broken")


class StrategyDefect(AssertionError):
    """A strategy does not keep what it promises.

    Attributes:
        check: All that was tried.
    """

    def __init__(self, check: StrategyCheck) -> None:
        self.check = check
        lines = "".join(f"\n- {each}" for each in check.broken)
        super().__init__(f"The strategy {check.strategy!r} is broken:{lines}")


def check_strategy(
    strategy: type[Any] | Callable[..., Any] | str,
    config: Mapping[str, Any] | None = None,
    **said: Any,
) -> StrategyCheck:
    """Check a strategy, and fail with the property and the smallest example.

    Args:
        strategy: Its class, its function, its name, or "module:Class".
        config: Its options, as a column rule gives them.
        **said: As `examine_strategy` takes it: column, values, dsn, examples, without.

    Raises:
        StrategyDefect: A property does not hold; an AssertionError, so that pytest shows it.
        ConfigError: It cannot be tried: hypothesis is not there, options are wrong, no values are
            known for what it accepts.
    """
    check = examine_strategy(strategy, config, **said)
    if check.broken:
        raise StrategyDefect(check)
    return check


def examine_strategy(
    strategy: type[Any] | Callable[..., Any] | str,
    config: Mapping[str, Any] | None = None,
    *,
    column: Column | str | None = None,
    values: Sequence[Any] = (),
    dsn: str | None = None,
    examples: int = 100,
    without: Sequence[PropertyName] = (),
    registry: StrategyRegistry = registered,
) -> StrategyCheck:
    """Check a strategy, and say what holds.

    Args:
        strategy: Its class, its function, its name, or "module:Class".
        config: Its options, as a column rule gives them.
        column: The column, or the name of its type; one of each accepted type when not given.
        values: Values to try beside hypothesis' own, in the form that the strategy takes.
        dsn: A PostgreSQL for what has SQL; one is started when it is not given.
        examples: How many values hypothesis makes a type.
        without: Properties that are not meant to hold, such as "deterministic" of noise.
        registry: Where names are looked for.

    Raises:
        ConfigError: It cannot be tried.
    """
    if importlib.util.find_spec("hypothesis") is None:
        raise ConfigError(
            "The test kit makes its values with hypothesis, which is not installed.",
            next_step="pip install 'confiture-flows[testing]'",
        )
    made = registry.find(strategy) if isinstance(strategy, str) else strategy_of(strategy)
    name = made.name or made.__name__
    checked = validated_config(made, name, config or {})
    results: list[PropertyResult] = []
    refused: ConfigError | None = None
    count = 0
    with ExitStack() as stack:
        server = _LazyServer(stack, dsn)
        for each in columns_for(made, column):
            make = partial(_make, made, checked, each)
            try:
                make(0)
            except ValueError as error:  # as prepare() says that it does not fit
                refused = ConfigError(
                    f"{each}, of type {each.type}: {name!r} does not fit: {why_unfit(error)}."
                )
                continue
            tried = Tried(make, samples_for(made, each, values, examples))
            count += len(tried.samples.all)
            results += _results(tried, server, set(without))
    if refused and not results:
        raise refused
    return StrategyCheck(name, tuple(results), count)


def _make(made: type[StrategyBase], config: Any, column: Column, key: int) -> StrategyBase:
    wants = made.keyed or made.composite
    return made(config, column, _SECRETS[key].key("check") if wants else None)


def _results(tried: Tried, server: _LazyServer, without: set[str]) -> Iterator[PropertyResult]:
    made = tried.make(0)
    kind = made.column.type
    for name, check in _CHECKS.items():
        if why := _left_out(name, made, without):
            yield PropertyResult(name, kind, "left out", why)
            continue
        broken = check(tried)
        yield _told(name, kind, broken)
        if broken and name == "unfit":
            return  # the others would only say the same in other words
    yield _sql_result(tried, server, without)


def _left_out(name: PropertyName, made: StrategyBase, without: set[str]) -> str | None:
    if name in without:
        return "as asked"
    if is_sql_only(type(made)):
        return "it has SQL only"
    if name == "key" and not made.keyed:
        return "it has no key"
    if name == "injective" and made.unique == "no":
        return "it does not say unique"
    if name == "changes" and made.keeps:
        return "it says keeps = True"
    return None


def _sql_result(tried: Tried, server: _LazyServer, without: set[str]) -> PropertyResult:
    from confiture_flows.anonymization._kit_sql import sql_is_the_same, sql_of

    made = tried.make(0)
    kind = made.column.type
    if sql_of(made) is None:
        return PropertyResult("sql", kind, "left out", "it has no to_sql")
    if "sql" in without:
        return PropertyResult("sql", kind, "left out", "as asked")
    try:
        conn = server.connection()
    except EmbeddedServerError as error:
        return PropertyResult("sql", kind, "left out", error.message.partition("\n")[0])
    return _told("sql", kind, sql_is_the_same(tried, conn))


def _told(name: PropertyName, kind: str, broken: Broken | None) -> PropertyResult:
    if broken is None:
        return PropertyResult(name, kind, "holds")
    example = None if broken.example is None else repr(broken.example)
    return PropertyResult(name, kind, "broken", broken.why, example)


class _LazyServer:
    """A connection, opened when something with SQL is tried for the first time."""

    def __init__(self, stack: ExitStack, dsn: str | None) -> None:
        self._stack, self._dsn = stack, dsn
        self._conn: Connection | None = None

    def connection(self) -> Connection:
        if self._conn is None:
            from confiture_flows.postgres import provide_server
            from confiture_flows.target import Target, connect

            dsn = self._dsn
            if dsn is None:
                server = self._stack.enter_context(provide_server(settings={"fsync": "off"}))
                dsn = server.dsn
            target = Target.from_dsn(dsn)
            self._conn = self._stack.enter_context(connect(target, "strategies"))
        return self._conn
