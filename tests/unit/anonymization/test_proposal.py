"""Detections as rules: names, strategies that fit, and files that keep what they say."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from confiture_flows.anonymization.detection import Detection, SampledColumn, detect_personal
from confiture_flows.anonymization.proposal import (
    ProposedRule,
    as_toml,
    fitting_strategy,
    is_covered,
    proposed_rules,
    write_rules,
)
from confiture_flows.anonymization.rules import ColumnRule, Pattern, Rules
from confiture_flows.anonymization.strategy import Column
from confiture_flows.anonymization.validator import ConfigValidator
from confiture_flows.errors import ConfigError


def column(name: str, type_name: str = "text", *, nullable: bool = True) -> Column:
    return Column("public", "people", name, type_name, nullable=nullable)


def rules(*columns: Column) -> tuple[ProposedRule, ...]:
    return proposed_rules(Detection(each, "", "e-mail", 0.9, ("'email'",)) for each in columns)


@pytest.mark.parametrize(
    ("of", "category", "strategy"),
    [
        (column("a"), "e-mail", "email"),
        (column("a", "jsonb"), "e-mail", "null"),
        (column("a", "inet"), "ip", "ip"),
        (column("a"), "no such category", "hash"),
        (column("a", "point", nullable=False), "geo", None),
    ],
)
def test_strategy_fits_the_column(of: Column, category: str, strategy: str | None):
    assert fitting_strategy(of, category) == strategy


@pytest.mark.parametrize(
    "name", ["plain", "with.dot", 'a"b', "ü ", "*", "a?b[c]", "\x7f😀", "x\ny"]
)
def test_any_name_is_named_by_its_rule(name: str, tmp_path: Path):
    path = tmp_path / "confiture.toml"
    of = column(name)
    write_rules(rules(of), path)
    ((said, strategy),) = tomllib.loads(path.read_text())["anonymization"]["columns"].items()
    assert strategy == "email"
    pattern = Pattern.read(said, 3)
    assert pattern.matches("public", "people", name)
    assert not pattern.matches("public", "people", f"{name}x")


def test_column_without_a_fitting_strategy_is_a_comment():
    (rule,) = rules(column("a", "point", nullable=False))
    assert tomllib.loads(rule.toml) == {}
    assert "no strategy fits" in rule.toml


def test_rules_are_added_between_comments_and_lines_keep_their_ends(tmp_path: Path):
    path = tmp_path / "confiture.toml"
    path.write_bytes(b'# ours\r\n[anonymization.columns] # mine\r\n"a.b.c" = "keep"\r\n[lint]\r\n')
    write_rules(rules(column("a")), path)
    write_rules(rules(column("b")), path)
    text = path.read_bytes().decode()
    assert text.count("\n") == text.count("\r\n")
    assert list(tomllib.loads(text)["anonymization"]["columns"]) == [
        "public.people.a",
        "public.people.b",
        "a.b.c",
    ]
    assert text.count("# Columns that looked personal") == 1


def test_rules_go_into_the_table_of_pyproject(tmp_path: Path):
    path = tmp_path / "pyproject.toml"
    path.write_text("[project]\nname = 'x'\n")
    write_rules(rules(column("a")), path)
    said = tomllib.loads(path.read_text())
    assert said["tool"]["confiture-flows"]["anonymization"]["columns"]["public.people.a"] == "email"


@pytest.mark.parametrize(
    "text",
    [
        '[anonymization]\ncolumns."public.x.y" = "keep"\n',
        "not toml",
        '[anonymization.columns]\n"public.people.a" = "hash"\n',
    ],
)
def test_file_that_cannot_take_rules_stays_as_it_is(text: str, tmp_path: Path):
    path = tmp_path / "confiture.toml"
    path.write_text(text)
    with pytest.raises(ConfigError):
        write_rules(rules(column("a")), path)
    assert path.read_text() == text


def test_columns_with_a_rule_or_allowed_are_covered():
    said = Rules(
        (ColumnRule(Pattern.read("public.*.email", 3), "email"),),
        allowed=(Pattern.read("public.people.nick", 3),),
    )
    assert [is_covered(said, column(each)) for each in ("email", "nick", "phone")] == [
        True,
        True,
        False,
    ]


def test_paths_of_one_document_are_one_rule():
    documents = tuple(f'{{"mail": "u{n}@mail.org", "tel": "+49 30 1234{n:02}"}}' for n in range(50))
    of = column("profile", "jsonb")
    found = detect_personal([SampledColumn(of, values=documents, documents=True)])
    (rule,) = proposed_rules(found)
    assert {each.path for each in rule.why} == {"$.mail", "$.tel"}
    (written,) = tomllib.loads(rule.toml).values()
    assert written == {
        "strategy": "jsonb",
        "config": {"paths": {"$.mail": "email", "$.tel": "phone"}},
    }
    ConfigValidator().validate(written["strategy"], written["config"])
    assert "mail.org" not in as_toml((rule,))


def test_foreign_keys_follow_what_they_refer_to():
    values = tuple(f"u{n}@mail.org" for n in range(50))
    assert detect_personal([SampledColumn(column("email"), values=values, refers=True)]) == ()
