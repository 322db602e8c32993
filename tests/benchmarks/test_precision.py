"""The judged findings: the page is what the table makes, and a draw is by lot and spread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from confiture_flows.lint.registry import own_rules
from confiture_flows.report.markdown import render_markdown
from tests.benchmarks.precision import Judgement, draw, file_of, read_judgements, report

DOCS = Path(__file__).parents[2] / "docs"


def test_page_is_what_was_judged() -> None:
    page = (DOCS / "explanation" / "lint-precision.md").read_text(encoding="utf-8")
    assert page.strip() == render_markdown(report(read_judgements())).strip()


def test_each_draw_has_a_hundred_findings_and_none_twice() -> None:
    judged = read_judgements()
    assert set(Counter(each.draw for each in judged).values()) == {100}
    places = Counter((each.project, each.file, each.line, each.rule) for each in judged)
    # A line may have several findings of a rule, about several columns; they come in one draw.
    draws = {(each.project, each.file, each.line, each.rule): each.draw for each in judged}
    assert all(draws[each.project, each.file, each.line, each.rule] == each.draw for each in judged)
    assert max(places.values()) <= 2
    assert {each.rule for each in judged} <= {rule.code for rule in own_rules()}
    assert all(each.why.endswith(".") for each in judged)


def test_last_draw_is_as_right_as_the_guide_says() -> None:
    judged = read_judgements()
    last = [each for each in judged if each.draw == max(each.draw for each in judged)]
    right = sum(each.right for each in last)
    assert right >= 95
    guide = (DOCS / "guides" / "schema-linting.md").read_text(encoding="utf-8")
    assert f"{right} of the last {len(last)}" in " ".join(guide.split())


def test_draw_spreads_over_the_rules_and_leaves_out_what_was_judged(
    write: Callable[..., Path],
) -> None:
    many = "".join(f"CREATE TABLE t{n} (a timestamp, id bigint PRIMARY KEY);" for n in range(9))
    folder = write({"1_a.up.sql": f"{many} CREATE TABLE u (a int);"})
    found = draw([folder], 1, 2)
    assert found == draw([folder], 1, 2)
    assert {each.rule for _, each in found} == {"CF44", "CF55"}
    judged = [
        Judgement(1, project, file_of(each), each.line, each.rule, True, "So it is.")
        for project, each in found
    ]
    assert draw([folder], 2, 2, judged) == ()
