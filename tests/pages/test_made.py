"""What is made on the pages is what the code says, and no public name is left out."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.pages.commands import arguments, commands
from tests.pages.error_classes import error_classes
from tests.pages.feature_tests import FEATURES
from tests.pages.licences import licence_of, wanted
from tests.pages.made import REPOSITORY, brought_up_to_date, pages
from tests.pages.reference import SURFACES, listed_names

DOCS = REPOSITORY / "docs"
PAGES = list(pages())
# Made of what one version of Python has installed; others differ a little.
LICENCES = DOCS / "third-party.md"
PLAN = DOCS / "PHASE_3_IMPLEMENTATION_PLAN.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_says_what_the_code_says(page: Path) -> None:
    if page in (LICENCES, PLAN):
        pytest.skip("counts what comes and goes; what matters of it is tested below")
    if brought_up_to_date(page) != page.read_text(encoding="utf-8"):
        pytest.fail(f"{page.name} is behind the code. Write it anew: python -m tests.pages")


def test_every_public_name_has_its_place_in_the_reference() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in (DOCS / "api").glob("*.md"))
    headings = set(re.findall(r"^### (\w+)$", text, flags=re.MULTILINE))
    public = {name.rpartition(".")[2] for module in SURFACES for name in listed_names(module)}
    assert len(public) > 40
    assert public - headings == set()


def test_every_command_and_option_is_on_the_page() -> None:
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    missing = [
        f"{typed} {name}"
        for typed, command in commands()
        for each in arguments(command)
        for name in each.names
        if f"`{typed}`" not in text or f"`{name}`" not in text
    ]
    assert len(list(commands())) > 20
    assert missing == []


def test_every_error_is_told_of_in_words() -> None:
    text = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### (\w+)\n\n(.+)", text, flags=re.MULTILINE))
    silent = [kind.__name__ for kind in error_classes() if not sections.get(kind.__name__)]
    assert silent == []
    bare = [kind.__name__ for kind in error_classes() if not (kind.__doc__ or "").strip()]
    assert bare == []


def test_every_package_that_comes_along_has_its_licence_told() -> None:
    text = LICENCES.read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| ([\w.-]+) \| (.+?) \|", text, flags=re.MULTILINE))
    packages = wanted()
    assert len(packages) > 50
    assert sorted(set(packages) - set(told)) == []
    assert [name for name, licence in told.items() if licence == "unknown"] == []
    # A choice of licences is none of the GPL; the LGPL is, of what is used as it is installed.
    licences = {name: licence_of(name) for name in packages}
    gpl = [
        name
        for name, said in licences.items()
        if re.search(r"\bA?GPL", said) and " OR " not in said
    ]
    assert gpl == []


def test_what_the_map_of_the_plan_names_is_there() -> None:
    text = PLAN.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:tests|confiture_flows|docs|deployments)/[\w./-]+)`", text))
    assert len(named) > 60
    assert sorted(name for name in named if not (REPOSITORY / name).exists()) == []


def test_each_feature_of_the_plan_has_the_tests_that_it_asks_for() -> None:
    short = {each.name: each.count() for each in FEATURES if each.count() < each.asked}
    assert short == {}
    assert sum(each.count() for each in FEATURES) >= sum(each.asked for each in FEATURES)


def test_layers_of_contributing_are_those_that_are_checked() -> None:
    checked = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = [each.replace(" | ", " and ") for each in checked["contracts"][0]["layers"]]
    assert layers[-2].startswith("_anonymization_config and ")
    layers[-2] = "the parts of config that begin with an underscore"
    page = " ".join((REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8").split())
    said = re.search(r"`pyproject.toml`\): (.+?)\. Nothing imports upwards", page)
    assert said
    assert said[1].split(", ") == layers
