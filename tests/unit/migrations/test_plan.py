"""Plans are values: what would run, in which order, and which plans do not exist."""

from __future__ import annotations

import pytest

from confiture_flows.errors import IrreversibleError, PlanError
from confiture_flows.migrations.plan import Direction, Plan, plan_back, plan_forward


def versions(plan: Plan) -> list[str]:
    return [step.migration.version for step in plan.steps]


@pytest.mark.parametrize(
    ("applied", "to", "expected"),
    [
        pytest.param([], None, ["1", "2", "3", "4"], id="everything"),
        pytest.param(["1", "2"], None, ["3", "4"], id="the_rest"),
        pytest.param(["1", "2", "3", "4"], None, [], id="nothing_left"),
        pytest.param([], "2", ["1", "2"], id="up_to_a_version"),
        pytest.param(["1", "3"], None, ["2", "4"], id="a_gap_is_filled"),
        pytest.param(["1", "3"], "2", ["2"], id="only_the_gap"),
        pytest.param(["1", "2"], "2", [], id="already_there"),
        pytest.param(["2"], "2", ["1"], id="there_but_for_a_gap"),
        pytest.param(["1", "gone"], None, ["2", "3", "4"], id="a_deleted_file"),
    ],
)
def test_way_forward_is_what_is_pending_in_the_directorys_order(
    make_migrations, make_rows, applied: list[str], to: str | None, expected: list[str]
) -> None:
    plan = plan_forward(make_migrations("1", "2", "3", "4"), make_rows(*applied), to)

    assert versions(plan) == expected
    assert {step.direction for step in plan.steps} <= {Direction.UP}
    assert all(step.script == step.migration.up for step in plan.steps)
    assert (plan.direction, plan.to, plan.applied) == (Direction.UP, to, frozenset(applied))


def test_migration_archived_by_a_squash_is_not_applied_again(make_migrations, make_rows) -> None:
    plan = plan_forward(make_migrations("1", "2"), make_rows("1", archived=("1",)))
    assert versions(plan) == ["2"]


def test_way_forward_to_an_unknown_version_is_refused(make_migrations, make_rows) -> None:
    with pytest.raises(PlanError, match=r"There is no migration 9\."):
        plan_forward(make_migrations("1", "2"), make_rows(), "9")


def test_way_forward_does_not_go_back(make_migrations, make_rows) -> None:
    with pytest.raises(PlanError, match="1 is already applied, and so are") as caught:
        plan_forward(make_migrations("1", "2", "3"), make_rows("1", "2"), "1")
    assert "confiture-flows rollback --to 1" in (caught.value.next_step or "")


@pytest.mark.parametrize(
    ("applied", "to", "expected"),
    [
        pytest.param(["1", "2", "3"], None, ["3"], id="one_step"),
        pytest.param(["1", "2", "3"], "1", ["3", "2"], id="down_to_a_version"),
        pytest.param(["1", "2", "3"], "3", [], id="already_there"),
        pytest.param(["1", "2", "3"], "zero", ["3", "2", "1"], id="zero"),
        pytest.param([], None, [], id="nothing_applied"),
        pytest.param([], "zero", [], id="nothing_applied_zero"),
        # 2 came last, out of order: it may stand on 3, so it goes first.
        pytest.param(["1", "3", "2"], None, ["2"], id="latest_applied_first"),
        pytest.param(["1", "3", "2"], "1", ["2", "3"], id="applied_order_reversed"),
        pytest.param(["1", "3", "2"], "3", ["2"], id="kept_version_in_applied_order"),
    ],
)
def test_way_back_undoes_in_the_order_of_application(
    make_migrations, make_rows, applied: list[str], to: str | None, expected: list[str]
) -> None:
    plan = plan_back(make_migrations("1", "2", "3", "4"), make_rows(*applied), to)

    assert versions(plan) == expected
    assert {step.direction for step in plan.steps} <= {Direction.DOWN}
    assert all(step.script == step.migration.down for step in plan.steps)
    assert (plan.direction, plan.to, plan.applied) == (Direction.DOWN, to, frozenset(applied))


def test_way_back_leaves_archived_migrations_alone(make_migrations, make_rows) -> None:
    rows = make_rows("1", "2", "0100", archived=("1", "2"))

    plan = plan_back(make_migrations("0100", "0101"), rows, "zero")

    assert versions(plan) == ["0100"]
    assert plan.applied == frozenset({"0100"})


@pytest.mark.parametrize(
    ("to", "message"),
    [("4", "4 is not applied, so there is no way back to it."), ("9", "There is no migration 9.")],
)
def test_way_back_to_what_is_not_applied_is_refused(
    make_migrations, make_rows, to: str, message: str
) -> None:
    with pytest.raises(PlanError) as caught:
        plan_back(make_migrations("1", "2", "3", "4"), make_rows("1", "2"), to)
    assert caught.value.message == message
    assert "rollback --to zero" in (caught.value.next_step or "")


def test_way_back_through_deleted_files_names_all_of_them(make_migrations, make_rows) -> None:
    with pytest.raises(PlanError, match=r"applied but not on disk: 2, 3\."):
        plan_back(make_migrations("1"), make_rows("1", "2", "3"), "zero")


def test_deleted_file_below_the_version_to_keep_does_not_matter(make_migrations, make_rows) -> None:
    assert versions(plan_back(make_migrations("2"), make_rows("1", "2"))) == ["2"]


def test_way_back_through_a_migration_without_a_down_script_is_refused(
    make_migrations, make_rows
) -> None:
    migrations = make_migrations("1", "2", "3", forward_only=("2",))

    with pytest.raises(IrreversibleError, match="2_step_2 has no down script") as caught:
        plan_back(migrations, make_rows("1", "2", "3"), "1")
    assert (caught.value.version, caught.value.file) == ("2", migrations[1].up.path)


def test_migration_without_a_down_script_may_be_kept(make_migrations, make_rows) -> None:
    migrations = make_migrations("1", "2", "3", forward_only=("2",))
    assert versions(plan_back(migrations, make_rows("1", "2", "3"), "2")) == ["3"]
