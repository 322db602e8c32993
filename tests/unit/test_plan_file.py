"""wizard-plan.toml: what is read is what was written, and what is wrong is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from confiture_flows.config import Project
from confiture_flows.errors import ConfigError
from confiture_flows.plan_file import (
    PlanAnonymization,
    PlanColumnRule,
    PlanFile,
    PlanMigrations,
    plan_text,
    read_plan_file,
    write_plan_file,
)

FULL = PlanFile(
    path="migrate-and-copy",
    target="staging",
    source="env:SHOP_DSN",
    fail_on="warning",
    plain=True,
    migrations=PlanMigrations(directory="db/café", to='00"12', dry_run="static"),
    anonymization=PlanAnonymization(
        tables=tuple(f'public."t {n}"' for n in range(5)),
        allow=("public.users.city",),
        columns={
            "public.users.email": PlanColumnRule(strategy="email"),
            '*.*."e.mail"': PlanColumnRule(strategy="text", config={"length": 3, "pad": "\x7f"}),
        },
        replace=True,
    ),
)


@pytest.mark.parametrize("plan", [FULL, PlanFile(path="migrate", target="shop")])
def test_what_is_written_is_read_again(tmp_path: Path, plan: PlanFile) -> None:
    write_plan_file(plan, tmp_path / "wizard-plan.toml")

    assert read_plan_file(tmp_path / "wizard-plan.toml") == plan
    assert [each.name for each in tmp_path.iterdir()] == ["wizard-plan.toml"]


def test_a_plan_says_how_to_run_it_again() -> None:
    said = plan_text(FULL)
    assert "# confiture-flows anonymize --plan-file wizard-plan.toml\n" in said
    assert "# confiture-flows migrate --plan-file wizard-plan.toml\n" in said
    assert "anonymize" not in plan_text(PlanFile(path="migrate", target="shop"))


HEAD = 'version = 1\npath = "migrate"\n'


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (f'{HEAD}target = "shop"\n\n[migrations]\nwhither = "2"\n', 6, "migrations.whither"),
        (f'{HEAD}target = "shop"\nfail_on = "sometimes"\n', 4, "fail_on"),
        (f'{HEAD}target = "postgresql://shop:open-sesame@db/shop"\n', 3, "connection string"),
        (f'{HEAD}target = "host=db password=open-sesame"\n', 3, "connection string"),
        (f"{HEAD}target = \n", 3, "not TOML"),
        ('version = 7\npath = "migrate"\ntarget = "shop"\nnew = 1\n', 1, "version 7"),
        (f"{HEAD}", None, "target is missing"),
        ('version = 1\npath = "copy"\ntarget = "staging"\n', None, "needs a source"),
        (
            (
                'version = 1\npath = "copy"\nsource = "a"\ntarget = "b"\n\n'
                '[anonymization.columns]\n"public.users.email" = { strategy = "x", odd = 1 }\n'
            ),
            7,
            "odd",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, text: str, line: int | None, said: str
) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text)

    with pytest.raises(ConfigError) as wrong:
        read_plan_file(path)

    assert (wrong.value.file, wrong.value.line) == (path, line)
    assert said in wrong.value.message
    assert "sesame" not in str(wrong.value)


def test_a_plan_comes_before_the_configuration(tmp_path: Path) -> None:
    project = FULL.applied_to(Project(layout="pairs"), tmp_path)

    assert project.directory == tmp_path / "db/café"
    assert project.layout == "pairs"
    assert project.anonymization.only == FULL.anonymization.tables
    assert project.anonymization.columns["public.users.email"].strategy == "email"


def test_a_plan_for_another_command_names_that_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="anonymize --plan-file") as wrong:
        PlanFile(path="copy", target="b", source="a").require("migrate", tmp_path / "p.toml")
    assert wrong.value.exit_code == 2
