"""`confiture-flows strategies`: the strategies there are, and tools for those who write some."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - cyclopts reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from confiture_flows.cli._frame import DirectoryOptions, Outcome, Work, framed

if TYPE_CHECKING:
    from confiture_flows.anonymization.registry import StrategyRegistry
    from confiture_flows.anonymization.strategy import StrategyBase

strategies = App(
    name="strategies",
    help="List anonymization strategies, and write, test and measure ones of your own.",
    help_format="plaintext",
    default_parameter=Parameter(show_default=False),
)


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class JsonOptions(DirectoryOptions):
    """How to print; nothing here concerns migrations."""

    dir: Annotated[Path | None, Parameter(parse=False)] = None
    layout: Annotated[str | None, Parameter(parse=False)] = None


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class TrialOptions(JsonOptions):
    """On what a strategy is tried."""

    option: Annotated[
        tuple[str, ...],
        Parameter(
            help="An option of the strategy, as NAME=VALUE; may be given again.", negative=""
        ),
    ] = ()
    column: Annotated[
        str | None, Parameter(help="The column's type, such as varchar [default: by strategy].")
    ] = None


_JSON = JsonOptions()
_TRIAL = TrialOptions()


@strategies.command(name="list")
def list_(*, options: JsonOptions = _JSON) -> int:
    """List the strategies: built-in, of the configuration, and of what is installed.

    Args:
        options: How to print.
    """
    return framed("strategies list", options, _list)


@strategies.command
def show(name: str, /, *, options: TrialOptions = _TRIAL) -> int:
    """Show a strategy: what it does, its options, a line for confiture.toml, an example.

    Args:
        name: Its name, or module:Class.
        options: On what its example is made.
    """
    return framed("strategies show", options, lambda work: _show(work, name, options))


@strategies.command
def new(name: str, /, *, options: JsonOptions = _JSON) -> int:
    """Write the module of a new strategy and its test, beside the configuration.

    Args:
        name: Its name, for example badge-number.
        options: How to print.
    """
    return framed("strategies new", options, lambda work: _new(work, name))


@strategies.command(name="test")
def try_(
    name: str,
    /,
    *,
    options: TrialOptions = _TRIAL,
    value: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    without: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    examples: int = 100,
    dsn: str | None = None,
) -> int:
    """Try a strategy on all that it promises; exit code 1 when something does not hold.

    Args:
        name: Its name, or module:Class.
        options: On what it is tried.
        value: A value to try beside those that are made; may be given again.
        without: A property that is not meant to hold, such as deterministic.
        examples: How many values are made a type.
        dsn: A PostgreSQL for its SQL [default: one is started].
    """
    said = {"values": value, "without": without, "examples": examples, "dsn": dsn}
    return framed("strategies test", options, lambda work: _test(work, name, options, said))


@strategies.command
def bench(
    name: str,
    /,
    *,
    options: TrialOptions = _TRIAL,
    rows: int = 50_000,
    dsn: str | None = None,
) -> int:
    """Measure a strategy: nanoseconds a value, and what it leaves of the speed of COPY.

    Args:
        name: Its name, or module:Class.
        options: On what it is measured.
        rows: How many values.
        dsn: A PostgreSQL for the copies [default: one is started].
    """
    return framed("strategies bench", options, lambda work: _bench(work, name, options, rows, dsn))


def _list(work: Work) -> Outcome:
    from confiture_flows.anonymization.describe import describe
    from confiture_flows.cli._strategy_pages import listing
    from confiture_flows.errors import ConfigError

    registry = _registry(work)
    pages: list[Any] = []
    for name in registry.names():
        try:
            pages.append(describe(registry.find(name), name))
        except ConfigError as error:  # one that is broken does not hide the others
            pages.append((name, error))
    return listing(pages)


def _show(work: Work, name: str, options: TrialOptions) -> Outcome:
    from confiture_flows.anonymization.describe import describe, examples_of
    from confiture_flows.anonymization.strategy import is_sql_only
    from confiture_flows.cli._strategy_pages import page
    from confiture_flows.errors import ConfigError, StrategyError

    registry = _registry(work)
    made = registry.find(name)
    examples, why = (), "it is computed by the source alone"
    if not is_sql_only(made):
        try:
            examples, why = examples_of(_made(registry, name, options)), ""
        except ConfigError as error:
            if options.option or options.column:
                raise
            why = f"{error.message} Give --option NAME=VALUE."
        except StrategyError as error:
            why = f"{error.message} {error.next_step}"
    return page(describe(made, name), examples, why)


def _new(work: Work, name: str) -> Outcome:
    from confiture_flows._imports import root_of
    from confiture_flows.anonymization.new_strategy import write_strategy
    from confiture_flows.anonymization.registry import registered
    from confiture_flows.cli._strategy_pages import written
    from confiture_flows.errors import ConfigError

    # Without the configuration's own modules: it may name the one that is to be written.
    if name in registered.names():
        raise ConfigError(
            f"There is a strategy {name!r} already.", next_step="Choose another name."
        )
    return written(name, write_strategy(root_of(work.project), name))


def _test(work: Work, name: str, options: TrialOptions, said: dict[str, Any]) -> Outcome:
    from confiture_flows.anonymization.testing import examine_strategy
    from confiture_flows.cli._strategy_pages import checked, given_options

    check = examine_strategy(
        name,
        given_options(options.option),
        column=options.column,
        registry=_registry(work),
        **said,
    )
    return checked(check)


def _bench(work: Work, name: str, options: TrialOptions, rows: int, dsn: str | None) -> Outcome:
    from contextlib import ExitStack

    from confiture_flows.anonymization.bench import bench_strategy
    from confiture_flows.cli._strategy_pages import cost
    from confiture_flows.errors import ConfigError
    from confiture_flows.postgres import provide_server
    from confiture_flows.target import Target, connect

    if rows < 1000:
        raise ConfigError(
            "--rows is too small to measure anything.", next_step="Give 1000 or more."
        )
    made = _made(_registry(work), name, options)
    with ExitStack() as stack:
        if dsn is None:
            server = stack.enter_context(provide_server(settings={"fsync": "off"}))
            dsn = server.dsn
        target = Target.from_dsn(dsn)
        first = stack.enter_context(connect(target, "strategies"))
        second = stack.enter_context(connect(target, "strategies"))
        return cost(name, bench_strategy(made, rows, (first, second)))


def _registry(work: Work) -> StrategyRegistry:
    from confiture_flows.anonymization.registry import load_strategies

    return load_strategies(work.project)


def _made(registry: StrategyRegistry, name: str, options: TrialOptions) -> StrategyBase:
    from confiture_flows.anonymization.describe import example_column, example_strategy
    from confiture_flows.cli._strategy_pages import given_options

    made = registry.find(name)
    column = example_column(made, options.column)
    return example_strategy(made, name, given_options(options.option), column)
