"""What may be a hook, in which order hooks fire, and what is refused when one is added."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from confiture_flows.errors import ConfigError
from confiture_flows.hooks import HookContext, HookPoint, HookRegistry
from confiture_flows.hooks.model import HookKind
from confiture_flows.hooks.registry import make_hook


def noop(context: HookContext) -> None:
    pass


def with_conn(context: HookContext, conn: object) -> None:
    pass


def named(registry: HookRegistry, name: str, **options: Any) -> None:
    registry.add(make_hook(noop, HookPoint.BEFORE_APPLY, name=name, **options))


def order(registry: HookRegistry) -> list[str]:
    return [each.name for each in registry.ordered(HookPoint.BEFORE_APPLY)]


def test_hooks_fire_by_priority_then_as_they_were_registered() -> None:
    registry = HookRegistry()
    named(registry, "late", priority=200)
    named(registry, "first")
    named(registry, "second")
    named(registry, "early", priority=1)
    assert order(registry) == ["early", "first", "second", "late"]


def test_after_comes_before_priority() -> None:
    registry = HookRegistry()
    named(registry, "notify", priority=1, after=("backup",))
    named(registry, "backup", priority=200)
    assert order(registry) == ["backup", "notify"]


def test_cycle_is_refused_when_it_is_closed_and_leaves_the_registry_as_it_was() -> None:
    registry = HookRegistry()
    named(registry, "a", after="b")
    named(registry, "b", after="c")
    with pytest.raises(ConfigError, match="a, b, c of before_apply wait for one another"):
        named(registry, "c", after="a")
    assert order(registry) == ["b", "a"]


def test_hook_after_itself_is_refused() -> None:
    with pytest.raises(ConfigError, match="wait for one another"):
        named(HookRegistry(), "a", after="a")


def test_after_a_name_that_no_hook_has_is_refused_before_the_run() -> None:
    registry = HookRegistry()
    named(registry, "notify", after="backups")
    named(registry, "backup")
    with pytest.raises(ConfigError, match="'backups', but before_apply has no hook") as caught:
        registry.check_names()
    assert caught.value.next_step == "It has: backup."


def test_name_that_is_taken_is_refused() -> None:
    registry = HookRegistry()
    named(registry, "a")
    with pytest.raises(ConfigError, match="Two hooks are called 'a'"):
        registry.add(make_hook(lambda context: None, "before_apply", name="a"))


def test_decorator_registers_and_returns_the_function() -> None:
    registry = HookRegistry()

    @registry.hook(HookPoint.ON_ERROR, timeout=5)
    def tell(context: HookContext) -> None:
        pass

    (made,) = registry
    assert (made.name, made.timeout, made.on_failure) == ("tell", 5, "warn")
    assert callable(tell)
    assert registry.remove(tell) == (made,)
    assert len(registry) == 0


async def later(context: HookContext) -> None:
    pass


def test_kind_is_recognised() -> None:
    from prefect import flow, task

    kinds = {
        HookKind.FUNCTION: noop,
        HookKind.ASYNC_FUNCTION: later,
        HookKind.TASK: task(noop),
        HookKind.FLOW: flow(noop),
    }
    for kind, call in kinds.items():
        assert make_hook(call, "after_apply", name="x").kind is kind


def test_policy_is_strict_before_the_change_and_a_warning_after_it() -> None:
    policies = {point: make_hook(noop, point).on_failure for point in HookPoint}
    assert list(policies.values()) == ["abort", "abort", "warn", "warn"]
    assert make_hook(with_conn, "after_apply", transaction="migration").on_failure == "abort"


def nothing() -> None:
    pass


def three(context: HookContext, conn: object, more: object) -> None:
    pass


def keyword(*, context: HookContext) -> None:
    pass


@pytest.mark.parametrize(
    ("call", "options", "said"),
    [
        (nothing, {}, "wrong signature: ()."),
        (three, {}, "wrong signature"),
        (keyword, {}, "wrong signature"),
        (noop, {"transaction": "own"}, "wrong signature"),
        (with_conn, {}, "wrong signature"),
        (with_conn, {"transaction": "savepoint"}, "transaction is 'savepoint'"),
        (noop, {"on_failure": "ignore"}, "on_failure is 'ignore'"),
        (noop, {"direction": "sideways"}, "direction is 'sideways'"),
        (noop, {"on_failure": "rollback"}, "nothing is to be taken back"),
        (noop, {"timeout": -1}, "below 0"),
        (noop, {"retrys": 1}, "no option 'retrys'"),
        (with_conn, {"transaction": "migration", "on_failure": "warn"}, "ends it"),
        (with_conn, {"transaction": "migration", "each": False}, "once a migration"),
        ("noop", {}, "'noop' cannot be a hook"),
    ],
)
def test_what_cannot_be_a_hook_is_refused(call: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_hook(call, "before_apply", **options)
    assert said in caught.value.message
    assert caught.value.next_step


@pytest.mark.parametrize("make", ["task", "flow"])
def test_task_or_flow_has_no_part_in_a_transaction(make: str) -> None:
    import prefect

    wrap: Callable[..., Any] = getattr(prefect, make)
    with pytest.raises(ConfigError, match=f"a Prefect {make} has no part in a transaction"):
        make_hook(wrap(with_conn), "after_apply", transaction="migration")


@pytest.mark.parametrize(
    ("point", "options", "said"),
    [
        ("before_apply_all", {}, "no hook point 'before_apply_all'"),
        ("on_error", {"on_failure": "abort"}, "the run has failed already"),
        ("on_error", {"transaction": "migration"}, "once a migration"),
        ("before_validate", {"each": True, "direction": "both"}, "decided after validation"),
        ("after_apply", {"on_failure": "rollback", "direction": "both"}, "not taken back"),
    ],
)
def test_what_does_not_fit_its_point_is_refused(
    point: str, options: dict[str, Any], said: str
) -> None:
    call = with_conn if "transaction" in options else noop
    with pytest.raises(ConfigError) as caught:
        make_hook(call, point, **options)
    assert said in caught.value.message
