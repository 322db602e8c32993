"""What holds where a plan file and an option both say something."""

from __future__ import annotations

from pathlib import Path

import pytest

from confiture_flows.cli._plan_file import FollowedPlan
from confiture_flows.plan_file import PlanFile


@pytest.mark.parametrize(
    ("given", "said", "holds", "told"),
    [
        (None, True, True, []),
        (True, True, True, []),
        (False, True, False, ["--no-plain is given here, and the plan says plain = true."]),
        (True, False, True, ["--plain is given here, and the plan says plain = false."]),
    ],
)
def test_switch_comes_before_the_plan(
    given: bool | None, said: bool, holds: bool, told: list[str]
) -> None:
    found = FollowedPlan(PlanFile(path="migrate", target="here"), Path("wizard-plan.toml"))

    assert found.switch("plain", given, said=said) is holds
    assert [each.message for each in found.overridden] == told
