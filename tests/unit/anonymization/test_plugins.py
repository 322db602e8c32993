"""Strategies of somebody's own: distributions, modules beside the configuration, broken ones."""

from __future__ import annotations

import datetime
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import ConfigDict

from confiture_flows.anonymization.factory import StrategyFactory
from confiture_flows.anonymization.keys import Secret
from confiture_flows.anonymization.new_strategy import write_strategy
from confiture_flows.anonymization.registry import (
    StrategyRegistry,
    load_strategies,
    register_strategy,
    registered,
)
from confiture_flows.anonymization.rules import ColumnRule, Pattern
from confiture_flows.anonymization.strategy import Column, StrategyBase, is_sql_only
from confiture_flows.config import load_project
from confiture_flows.errors import ConfigError, StrategyError

SECRET = Secret(b"0123456789abcdef0123456789abcdef")
NAME = Column("public", "users", "name", "text")
MODULE = '''
from confiture_flows.plugins import StrategyBase, register_strategy


@register_strategy("shout")
def shout(value: str, *, sign: str = "!") -> str:
    """Loud."""
    return value.upper() + sign


@register_strategy("pad")
class Pad(StrategyBase):
    """Wider."""

    class Config(StrategyBase.Config):
        width: int = 8

    def prepare(self):
        self.wider = lambda value: value.rjust(self.config.width)

    def anonymize(self, value, *others):
        return self.wider(value)
'''


def rule(strategy: str, **config: object) -> ColumnRule:
    return ColumnRule(Pattern.read("public.users.name", 3), strategy, config)


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    """What a test registers and imports is gone after it."""
    names, modules, path = set(registered), set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(registered) - names:
        registered.remove(name)
    for name in set(sys.modules) - modules:
        if not name.startswith(("confiture_flows", "hypothesis", "pydantic")):
            del sys.modules[name]


@pytest.fixture
def install(tmp_path: Path) -> Callable[..., Path]:
    """Install a distribution, as pip would leave it: a module and its metadata."""

    def write(name: str, points: str, **modules: str) -> Path:
        site = tmp_path / f"site-{name}"
        info = site / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[confiture_flows.strategies]\n{points}\n")
        for module, text in modules.items():
            (site / f"{module}.py").write_text(text)
        sys.path.insert(0, str(site))
        return site

    return write


def test_class_of_a_distribution_is_found(install: Callable[..., Path]):
    install("acme-masks", "acme-pad = acme_one:Pad", acme_one=MODULE.replace('"pad"', '"acme-pad"'))
    assert registered.find("acme-pad").__doc__ == "Wider."
    assert "acme-pad" in registered.names()
    assert registered.find("acme-pad") is registered.find("acme-pad")


def test_function_of_a_distribution_is_found_without_a_decorator(install: Callable[..., Path]):
    install("acme-masks", "low = acme_two:low", acme_two="def low(value: str):\n return 'x'\n")
    made = StrategyFactory(registry=StrategyRegistry()).make(rule("low"), NAME)
    assert made.anonymize("Ada") == "x"
    assert made.name == "low"


def test_module_of_a_distribution_registers_its_own(install: Callable[..., Path]):
    install("acme-masks", "shout = acme_three", acme_three=MODULE)
    assert registered.find("shout").reference() == "acme_three:shout"


def test_module_that_does_not_register_the_name_is_refused(install: Callable[..., Path]):
    install("acme-masks", "whisper = acme_four", acme_four=MODULE)
    with pytest.raises(ConfigError, match=r"'whisper' of acme_four of acme-masks is not regist"):
        registered.find("whisper")


def test_name_of_two_distributions_is_refused_with_both(install: Callable[..., Path]):
    install("acme-masks", "low = acme_five:low", acme_five="def low(value: str): return 'x'")
    install("other-masks", "low = acme_six:low", acme_six="def low(value: str): return 'y'")
    with pytest.raises(ConfigError, match=r"acme_\w+:low of .* and acme_\w+:low of ") as caught:
        registered.find("low")
    assert "acme-masks" in str(caught.value)
    assert "other-masks" in str(caught.value)


def test_distribution_cannot_take_the_name_of_a_built_in_strategy(install: Callable[..., Path]):
    install("acme-masks", "hash = acme_seven:low", acme_seven="def low(value: str): return 'x'")
    with pytest.raises(ConfigError, match=r"strategies\.hash\.Hash and acme_seven:low of acme-mas"):
        registered.find("hash")


def test_name_registered_here_and_by_a_distribution_is_refused(install: Callable[..., Path]):
    install("acme-masks", "mine = acme_eight:low", acme_eight="def low(value: str): return 'x'")

    @register_strategy("mine")
    def mine(value: str) -> str:
        return "y"

    with pytest.raises(ConfigError, match=r"mine and acme_eight:low of acme-masks"):
        registered.find("mine")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("import nowhere_at_all", "there is no module nowhere_at_all"),
        ("def low(", "SyntaxError"),
        ("import sys; sys.exit('bye')", "SystemExit: bye"),
        ("high = 1", "AttributeError"),
        ("raise OSError('postgresql://me:hush@host/db')", r"me:\*\*\*@host"),
    ],
)
def test_broken_distribution_is_told_with_its_name(
    install: Callable[..., Path], text: str, said: str
):
    install("acme-masks", "low = acme_nine:low", acme_nine=text)
    with pytest.raises(ConfigError, match=said) as caught:
        registered.find("low")
    assert "'low' of acme_nine:low of acme-masks" in str(caught.value)


def test_modules_beside_the_configuration_register_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "own_masks.py").write_text(MODULE)
    config = tmp_path / "confiture.toml"
    config.write_text('[anonymization]\nstrategies = ["own_masks"]\n')
    found = load_strategies(load_project(tmp_path))
    assert found.find("shout").__doc__ == "Loud."
    monkeypatch.chdir("/")
    # And by reference, from wherever the program runs.
    assert found.find("own_masks:Pad") is found.find("pad")
    assert found.find("own_masks:shout") is found.find("shout")
    assert str(tmp_path) not in sys.path


def test_missing_module_of_the_configuration_names_the_file(tmp_path: Path):
    config = tmp_path / "confiture.toml"
    config.write_text('[anonymization]\nstrategies = ["no_masks"]\n')
    with pytest.raises(ConfigError, match="there is no module no_masks") as caught:
        load_strategies(load_project(tmp_path))
    assert caught.value.file == config


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("nowhere_at_all:Mask", "no module nowhere_at_all"),
        ("json:Mask", "json has no Mask"),
        ("json:JSONEncoder", "JSONEncoder is no strategy"),
        ("string:digits", "is no strategy"),
        ("datetime:date.today", "can be no strategy"),
    ],
)
def test_wrong_reference_is_refused(reference: str, said: str):
    with pytest.raises(ConfigError, match=said):
        registered.find(reference)


def test_instance_is_made_again_by_another_process(tmp_path: Path):
    """A worker that was started afresh knows neither the folder nor what was registered."""
    (tmp_path / "own_masks.py").write_text(MODULE)
    (tmp_path / "confiture.toml").write_text('[anonymization]\nstrategies = ["own_masks"]\n')
    factory = StrategyFactory(SECRET, load_strategies(load_project(tmp_path)))
    made = [
        factory.make(rule("shout", sign="?"), NAME),
        factory.make(rule("own_masks:Pad", width=5), NAME),
        factory.make(rule("hash", length=8), NAME),
    ]
    code = (
        "import pickle, sys; made = pickle.load(sys.stdin.buffer)\n"
        "print([each.anonymize('ada') for each in made], [each.name for each in made])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(made), capture_output=True, cwd="/"
    )
    expected = [each.anonymize("ada") for each in made]
    assert done.stdout.decode().strip() == f"{expected} ['shout', 'pad', 'hash']"


def test_class_inside_a_function_says_why_it_does_not_pickle():
    class Hidden(StrategyBase):
        def anonymize(self, value: str, *others: object) -> str:
            return "x"

    with pytest.raises(StrategyError, match=r"'Hidden' stands inside a function"):
        pickle.dumps(Hidden(Hidden.Config(), NAME))


class _LooseConfig(StrategyBase.Config):
    model_config = ConfigDict(extra="ignore")


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"accepts": "text"}, r"accepts is 'text', not a tuple"),
        ({"accepts": ()}, "accepts is"),
        ({"unique": "yes"}, "unique is 'yes', not one of no, probable, bijective"),
        ({"takes": "bytes"}, "takes is 'bytes'"),
        ({"Config": dict}, "Config does not inherit"),
        ({"Config": _LooseConfig}, 'does not say extra="forbid"'),
        ({"anonymize": StrategyBase.anonymize}, "neither anonymize nor to_sql"),
    ],
)
def test_wrong_declaration_is_refused(members: dict[str, object], said: str):
    good = {"anonymize": lambda self, value, *others: "x"}
    made = type("Mask", (StrategyBase,), good | members)
    with pytest.raises(ConfigError, match=said):
        register_strategy("mask", registry=StrategyRegistry())(made)


def _fine(value: str) -> str:
    return "x"


async def _later(value: str) -> str:
    return value


def _pairs(value: str, *more: str) -> str:
    return value


def _by_place(value: str, sign: str = "*", /) -> str:
    return value


def _nothing() -> str:
    return ""


def _odd(value: complex) -> complex:
    return value


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (_later, "wait for"),
        (_pairs, r"\*more says nothing"),
        (_by_place, "sign cannot be given by its name"),
        (_nothing, "takes no value"),
        (_odd, "no column gives it a complex"),
    ],
)
def test_function_that_can_be_none_is_refused(function: Callable[..., str], said: str):
    with pytest.raises(ConfigError, match=said):
        register_strategy("mask", registry=StrategyRegistry())(function)


def test_optional_annotation_says_the_type():
    registry = StrategyRegistry()

    @register_strategy("day", registry=registry)
    def day(value: datetime.date | None) -> datetime.date:
        return datetime.date(2000, 1, 1)

    assert (registry.find("day").takes, registry.find("day").accepts) == ("python", ("date",))


def test_decorator_overrides_what_the_class_says():
    registry = StrategyRegistry()

    @register_strategy("k", accepts=("uuid",), unique="bijective", keeps=True, registry=registry)
    def mine(value: str) -> str:
        return value

    found = registry.find("k")
    assert (found.accepts, found.unique, found.keeps) == (("uuid",), "bijective", True)


def test_second_name_of_a_class_is_refused():
    registry = StrategyRegistry()

    @register_strategy("one", registry=registry)
    class Mask(StrategyBase):
        def anonymize(self, value: str, *others: object) -> str:
            return "x"

    with pytest.raises(ConfigError, match="is called 'one' already"):
        register_strategy("two", registry=registry)(Mask)


@pytest.mark.parametrize("name", ["", "two words", "a:b", "-x"])
def test_name_that_cannot_be_one_is_refused(name: str):
    with pytest.raises(ConfigError, match="cannot be the name"):
        register_strategy(name, registry=StrategyRegistry())(_fine)


def test_built_in_strategy_is_found_by_every_registry_and_after_its_removal():
    registry = StrategyRegistry()
    assert registry.find("hash") is registered.find("hash")
    registered.remove("hash")
    assert registered.find("hash").name == "hash"


def test_sql_strategy_is_an_expression_only():
    made = StrategyFactory().make(rule("sql", expression="left({column}, 1) || '.'"), NAME)
    assert made.to_sql('"name"') == "(left(\"name\", 1) || '.'\n)"
    assert is_sql_only(type(made))
    with pytest.raises(StrategyError, match="'sql' has SQL only, which Python cannot compute"):
        made.anonymize("Ada")


def test_plugin_module_gives_what_authors_need():
    import confiture_flows.plugins as plugins

    for name in plugins.__all__:
        assert getattr(plugins, name).__name__ == name
    assert plugins.StrategyBase is StrategyBase


def test_new_strategy_whose_folder_cannot_be_made_is_refused(tmp_path: Path):
    (tmp_path / "tests").write_text("a file")
    with pytest.raises(ConfigError, match=r"cannot be written: (File exists|Not a directory)\."):
        write_strategy(tmp_path, "badge-number")
