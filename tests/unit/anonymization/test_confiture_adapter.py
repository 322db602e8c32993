"""Classes for fraiseql-confiture as strategies.

That package brings a parser under the GPL and so is in no environment of ours. What stands here
runs on a twin of the part of its interface that is used; tests/peers runs the same on the real one.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from confiture_flows.anonymization.factory import StrategyFactory
from confiture_flows.anonymization.keys import Secret
from confiture_flows.anonymization.registry import StrategyRegistry, register_strategy
from confiture_flows.anonymization.rules import ColumnRule, Pattern
from confiture_flows.anonymization.strategy import Column, StrategyBase, UnfitValue
from confiture_flows.errors import ConfigError

SECRET = Secret(b"0123456789abcdef0123456789abcdef")
NAME = Column("public", "users", "name", "text")

STRATEGY = """
from abc import ABC, abstractmethod
from dataclasses import dataclass

@dataclass
class StrategyConfig:
    seed: int | None = None
    seed_env_var: str | None = None
    name: str = ""

class AnonymizationStrategy(ABC):
    config_type = StrategyConfig

    def __init__(self, config=None):
        self.config = config or self.config_type()
        self._seed = self.config.seed or 0

    @abstractmethod
    def anonymize(self, value): ...

    @abstractmethod
    def validate(self, value): ...
"""
REGISTRY = """
class StrategyRegistry:
    known = {}
    is_registered = classmethod(lambda cls, name: name in cls.known)
    get_strategy_class = classmethod(lambda cls, name: cls.known[name])
    list_available = classmethod(lambda cls: sorted(cls.known))
"""
OWN = """
from dataclasses import dataclass, field
from confiture.core.anonymization.strategy import AnonymizationStrategy, StrategyConfig
from confiture.core.anonymization.registry import StrategyRegistry

@dataclass
class TagConfig(StrategyConfig):
    prefix: str = "u"
    parts: list = field(default_factory=list)

class Tag(AnonymizationStrategy):
    '''A tag and the seed.'''
    config_type = TagConfig

    def anonymize(self, value):
        if value == "?":
            raise ValueError("hush")
        return f"{self.config.prefix}{self._seed}{len(value)}"

    def validate(self, value):
        return isinstance(value, str)

class Half(AnonymizationStrategy):
    def anonymize(self, value): return value

StrategyRegistry.known["tag"] = Tag
"""


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    core = tmp_path / "confiture" / "core" / "anonymization"
    core.mkdir(parents=True)
    for folder in (core, core.parent, core.parent.parent):
        (folder / "__init__.py").touch()
    (core / "strategy.py").write_text(STRATEGY)
    (core / "registry.py").write_text(REGISTRY)
    (tmp_path / "their_masks.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [
        each for each in sys.modules if each.split(".")[0] in ("confiture", "their_masks")
    ]:
        del sys.modules[name]


def make(strategy: str, secret: Secret | None = SECRET, **config: object) -> StrategyBase:
    rule = ColumnRule(Pattern.read("public.users.name", 3), strategy, config)
    return StrategyFactory(secret, StrategyRegistry()).make(rule, NAME)


@pytest.mark.usefixtures("theirs")
def test_their_class_is_taken_by_reference_and_by_its_name_there():
    first = make("their_masks:Tag", prefix="x")
    assert first.anonymize("ada").startswith("x")
    assert make("confiture:tag").reference() == first.reference() == "their_masks:Tag"


@pytest.mark.usefixtures("theirs")
def test_their_seed_comes_from_the_key_unless_it_is_given():
    other = Secret(b"another secret of enough bytes")
    assert make("their_masks:Tag").anonymize("a") == make("their_masks:Tag").anonymize("a")
    assert make("their_masks:Tag").anonymize("a") != make("their_masks:Tag", other).anonymize("a")
    assert make("their_masks:Tag", seed=7).anonymize("a") == "u71"
    with pytest.raises(ConfigError, match="needs a secret"):
        make("their_masks:Tag", None)


@pytest.mark.usefixtures("theirs")
def test_their_options_are_checked():
    with pytest.raises(ConfigError, match="has no option prefx"):
        make("their_masks:Tag", prefx="x")
    with pytest.raises(ConfigError, match="can be no strategy: it has no validate"):
        make("their_masks:Half")


@pytest.mark.usefixtures("theirs")
def test_what_they_refuse_is_unfit_and_never_shown():
    made = make("their_masks:Tag")
    with pytest.raises(UnfitValue) as caught:
        made.anonymize("?")
    assert "hush" not in str(caught.value)
    assert not made.validate(3)


@pytest.mark.usefixtures("theirs")
def test_their_class_can_be_registered_and_pickled():
    from their_masks import Tag  # pyright: ignore[reportMissingImports]

    registry = StrategyRegistry()
    register_strategy("tag", registry=registry)(Tag)
    assert registry.find("tag").__doc__ == "A tag and the seed."
    made = make("their_masks:Tag")
    assert pickle.loads(pickle.dumps(made)).anonymize("ada") == made.anonymize("ada")


@pytest.mark.usefixtures("theirs")
def test_unknown_name_of_theirs_says_which_there_are():
    make("their_masks:Tag")
    with pytest.raises(ConfigError, match="has no strategy 'tug'") as caught:
        make("confiture:tug")
    assert "tag" in str(caught.value)


def test_without_the_package_it_says_what_to_install():
    with pytest.raises(ConfigError, match="needs fraiseql-confiture") as caught:
        make("confiture:email")
    assert "pip install" in str(caught.value)
