"""A name -> the files of a new strategy: its module and its test, which passes as it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

_MODULE = '''"""{name}: say here what becomes of a value."""

from __future__ import annotations

from typing import Any

from confiture_flows.plugins import StrategyBase, UnfitValue, register_strategy
from pydantic import Field


@register_strategy("{name}")
class {title}(StrategyBase):
    """A pseudonym in place of a text; equal texts get equal ones."""

    accepts = ("text",)
    unique = "probable"
    keyed = True

    class Config(StrategyBase.Config):
        """Options of {name}."""

        length: int = Field(default=16, ge=12, le=64, description="Characters of the pseudonym.")

    config: Config

    def validate(self, value: str) -> bool:
        """Whether there is anything to replace."""
        return bool(value)

    def anonymize(self, value: str, *others: Any) -> str:
        """The pseudonym; NULL never comes here."""
        if not value:
            raise UnfitValue("it is empty")
        return self.key.digest(value.encode()).hex()[: self.config.length]

    def capacity(self) -> int:
        """How many different pseudonyms there are."""
        return 16**self.config.length
'''
_TEST = '''"""{name} keeps what it promises."""

from __future__ import annotations

from pathlib import Path

from confiture_flows.anonymization.registry import registered
from confiture_flows.anonymization.testing import check_strategy

OURS = registered.at(Path(__file__).parents[1])


def test_{module}_keeps_what_it_promises() -> None:
    check_strategy("strategies.{module}:{title}", registry=OURS)


def test_{module}_cuts_its_pseudonyms() -> None:
    check_strategy("strategies.{module}:{title}", {{"length": 12}}, registry=OURS)
'''


def write_strategy(root: Path, name: str) -> tuple[Path, Path]:
    """Write strategies/NAME.py and tests/test_NAME.py.

    Args:
        root: The folder of the configuration.
        name: The strategy's name; words with - or _ between them.

    Raises:
        ConfigError: The name can be none, or one of the files is there already or cannot be
            written.
    """
    module = name.replace("-", "_")
    title = "".join(part.capitalize() for part in module.split("_"))
    if not module.isidentifier() or not title.isidentifier() or module != module.lower():
        raise ConfigError(
            f"{name!r} cannot be the name of a strategy and of its module.",
            next_step="Use lower-case letters, digits, - and _, with a letter first.",
        )
    files = (root / "strategies" / f"{module}.py", root / "tests" / f"test_{module}.py")
    for path in files:
        if path.exists():
            raise ConfigError(
                "The file is there already; nothing was written.",
                file=path,
                next_step="Choose another name, or move it away.",
            )
    for path, text in zip(files, (_MODULE, _TEST), strict=True):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.format(name=name, module=module, title=title), encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"It cannot be written: {error.strerror}.", file=path) from None
    return files
