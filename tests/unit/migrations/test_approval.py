"""When a plan has to be approved, and what exactly is approved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from confiture_flows.config import HookConfig, Project
from confiture_flows.errors import ConfigError
from confiture_flows.hooks.executor import HookExecutor
from confiture_flows.hooks.loading import load_hooks
from confiture_flows.migrations import approval
from confiture_flows.migrations.approval import ApprovalRule, approval_number, plan_hash
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.lifecycle import Request
from confiture_flows.migrations.plan import Direction, Plan, plan_back, plan_forward
from confiture_flows.migrations.texts import Texts
from confiture_flows.report.finding import Finding, Severity
from confiture_flows.target import Target

SHOP = Target("shop", "host=db.example dbname=shop password=geheim")


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers as they are, without what a guess at one should cost."""
    monkeypatch.setitem(approval._COST, "n", 2)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name, text in {
        "1_a.up.sql": "CREATE TABLE a ();",
        "1_a.down.sql": "DROP TABLE a, b;",
        "1_a.verify.sql": "SELECT 1;",
        "2_b.up.sql": "-- confiture: include more.sql",
        "more.sql": "CREATE TABLE ${name} ();",
        "after.sql": "UPDATE a SET b = 1;",
    }.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def forward(directory: Path, make_rows: Callable[..., tuple]) -> Callable[..., Plan]:
    def make(*applied: str, name: str = "c") -> Plan:
        texts = Texts({"name": name, "unused": "1"})
        return plan_forward(discover(directory, texts=texts).migrations, make_rows(*applied))

    return make


def test_hash_is_of_the_scripts_and_where(
    directory: Path, forward: Callable[..., Plan], make_rows: Callable[..., tuple]
) -> None:
    first = plan_hash(forward(), "shop")
    assert plan_hash(forward(name="d"), "shop") == first
    others = [
        plan_hash(forward(), "prod"),
        plan_hash(forward("1"), "shop"),
        plan_hash(plan_back(discover(directory).migrations, make_rows("1"), None), "shop"),
    ]
    for name in ("1_a.up.sql", "more.sql"):
        (directory / name).write_text("CREATE TABLE z ();")
        others.append(plan_hash(forward(), "shop"))
    assert len({first, *others}) == len(others) + 1


def test_number_is_of_all_that_is_executed(directory: Path, forward: Callable[..., Plan]) -> None:
    request = Request(directory)
    project = Project(
        hooks=(
            HookConfig("run_sql", ("after_apply",), options={"file": str(directory / "after.sql")}),
        )
    )

    def number(
        *applied: str, target: Target = SHOP, hooks: Project | None = None, **more: Any
    ) -> str:
        asked = replace(request, **{k: v for k, v in more.items() if k != "name"})
        plan = forward(*applied, name=more.get("name", "c"))
        called = load_hooks(hooks or Project(), "shop")
        executor = HookExecutor(called, target, "1", Direction.UP)
        return approval_number(plan, target, asked, executor)

    def edited(name: str) -> None:
        (directory / name).write_text((directory / name).read_text() + " ")

    def all_others() -> Iterator[str]:
        yield number("1")
        yield number(name="d")
        yield number(single_transaction=True)
        yield number(target=replace(SHOP, name="prod"))
        yield number(target=replace(SHOP, dsn="host=other.example dbname=shop"))
        yield number(target=replace(SHOP, ledger="other"))
        yield number(target=replace(SHOP, on_error="rollback"))
        yield number(hooks=project)
        edited("after.sql")
        yield number(hooks=project)
        yield number(hooks=replace(project, hooks=(replace(project.hooks[0], priority=1),)))
        for each in ("1_a.up.sql", "more.sql", "1_a.verify.sql"):
            edited(each)
            yield number()
        edited("1_a.down.sql")
        yield number(target=replace(SHOP, on_error="rollback"))

    first = number()
    # What is renewed every quarter of an hour, and what decides nothing.
    assert number(target=replace(SHOP, dsn=SHOP.dsn.replace("geheim", "renewed"))) == first
    assert number(to="2", dry_run="off", fail_on="info") == first
    others = list(all_others())
    assert len({first, *others}) == len(others) + 1
    kept = number()
    edited("1_a.down.sql")  # nothing runs it
    assert number() == kept


def test_number_of_the_time_of_day_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "V1__a.sql").write_text(
        "CREATE TABLE a (); -- ${flyway:timestamp} ${flyway:filename}"
    )

    def number(time: str) -> str:
        plan = plan_forward(discover(tmp_path).migrations, ())
        script: Any = plan.steps[0].script
        assert "flyway_timestamp" in script.placeholders.values
        script.placeholders.values["flyway_timestamp"] = time
        return approval_number(plan, SHOP, Request(tmp_path))

    assert number("10:00") == number("11:00")


def finding(code: str, severity: Severity) -> Finding:
    return Finding(code, severity, "so")


@pytest.mark.parametrize(
    ("when", "own", "told", "found", "asks"),
    [
        ("never", {}, {"dry_run": "off"}, Severity.ERROR, False),
        ("always", {}, {}, None, True),
        ("above:warning", {}, {}, Severity.INFO, False),
        ("above:warning", {}, {}, Severity.WARNING, True),
        # A run is told to look less closely, or further, than its target does.
        ("above:error", {"dry_run": "static"}, {"dry_run": "off"}, None, True),
        ("above:error", {"dry_run": "static"}, {"dry_run": "scratch"}, None, False),
        # It is told to go on where its target would have stopped it.
        ("above:error", {"fail_on": "warning"}, {"fail_on": "error"}, Severity.WARNING, True),
        ("above:error", {"fail_on": "warning"}, {"fail_on": "error"}, Severity.INFO, False),
    ],
)
def test_a_run_cannot_talk_itself_out_of_an_approval(
    when: Any, own: Any, told: Any, found: Severity | None, asks: bool
) -> None:
    findings = (finding("lint.x", found),) if found else ()
    target, request = replace(SHOP, **own), Request(Path(), **told)
    assert ApprovalRule(when).asks_of_run(target, request, findings) is asks


@pytest.mark.parametrize(("own", "asks"), [({"production": True}, True), ({}, False)])
def test_what_is_out_of_order_weighs_what_its_target_says(own: Any, asks: bool) -> None:
    late = (finding("history.out_of_order", Severity.INFO),)
    request = Request(Path(), out_of_order="apply")
    assert ApprovalRule("above:error").asks_of_run(replace(SHOP, **own), request, late) is asks


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"on_failure": "warn"}, "cannot have on_failure"),
        ({"points": ("after_apply",)}, "for the point before_apply"),
    ],
)
def test_hook_that_would_let_pass_what_nobody_approved_is_refused(said: Any, message: str) -> None:
    table = replace(HookConfig("require_approval", ("before_apply",)), **said)
    with pytest.raises(ConfigError, match=message):
        load_hooks(Project(hooks=(table,)), "shop")
