"""Detections -> column rules in TOML, ready to paste, and into a file without a change to the rest.

A rule is proposed where none names the column and nothing allows it; its strategy takes the
column's type, needs no options, and may give NULL only where the column takes it. Documents of
which only some paths look personal have a rule for each of those.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from confiture_flows._files import write_whole
from confiture_flows.anonymization.detect import proposed_strategy
from confiture_flows.anonymization.json_paths import KEYS
from confiture_flows.anonymization.registry import registered
from confiture_flows.anonymization.strategy import accepts_type
from confiture_flows.anonymization.validator import ConfigValidator
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from confiture_flows.anonymization.detection import Detection
    from confiture_flows.anonymization.registry import StrategyRegistry
    from confiture_flows.anonymization.rules import Rules
    from confiture_flows.anonymization.strategy import Column

BEGIN = "# Columns that looked personal to confiture-flows detect."
END = "# End of what looked personal."

# When the one that fits the category does not take the column's type.
_FALLBACKS = ("hash", "null")
_DOCUMENTS, _DOCUMENT_TYPES = "jsonb", ("json", "jsonb")
_TABLES = {"pyproject.toml": "tool.confiture-flows.anonymization.columns"}
_TABLE = "anonymization.columns"


@dataclass(frozen=True, slots=True)
class ProposedRule:
    """A rule for one column.

    Attributes:
        column: Which.
        strategy: The strategy's name; None where none fits.
        why: The detections in it, the surest first.
        paths: Of documents, the strategy of each path and the type of what stands there.
    """

    column: Column
    strategy: str | None
    why: tuple[Detection, ...]
    paths: tuple[tuple[str, str, str], ...] = ()

    @property
    def value(self) -> str | dict[str, Any] | None:
        """The rule as configuration: a strategy's name, or the strategy with its options."""
        if not self.paths:
            return self.strategy
        rules = {
            path: strategy if kind == "text" else {"strategy": strategy, "type": kind}
            for path, strategy, kind in self.paths
        }
        return {"strategy": self.strategy, "config": {"paths": rules}}

    @property
    def name(self) -> str:
        """The column as rules name it."""
        return pattern_of(self.column.schema, self.column.table, self.column.name)

    @property
    def toml(self) -> str:
        """The rule with its evidence, in lines."""
        lines = [
            f"# {each.category} {each.score:.2f}{f' at {each.path}' if each.path else ''}: "
            f"{'; '.join(each.evidence)}"
            for each in self.why
        ]
        if self.strategy is None:
            rule = f"# {_string(self.name)} is {self.column.type}: no strategy fits by itself."
        else:
            rule = f"{_string(self.name)} = {_inline(self.value)}"
        return "\n".join((*lines, rule))


def proposed_rules(
    detections: Iterable[Detection], registry: StrategyRegistry = registered
) -> tuple[ProposedRule, ...]:
    """A rule for each column with something personal in it.

    Args:
        detections: In the order of the columns.
        registry: Where strategies are looked up.
    """
    by_column: dict[Column, list[Detection]] = {}
    for each in detections:
        by_column.setdefault(each.column, []).append(each)
    return tuple(_rule(column, found, registry) for column, found in by_column.items())


def _rule(column: Column, found: list[Detection], registry: StrategyRegistry) -> ProposedRule:
    why = tuple(sorted(found, key=lambda each: -each.score))
    if paths := _by_path(column, found, registry):
        return ProposedRule(column, _DOCUMENTS, why, paths)
    return ProposedRule(column, fitting_strategy(column, _surest(found).category, registry), why)


def _by_path(
    column: Column, found: list[Detection], registry: StrategyRegistry
) -> tuple[tuple[str, str, str], ...]:
    """The rules of a document's paths; none where the whole of it is personal, or a key is."""
    if column.type not in _DOCUMENT_TYPES or _DOCUMENTS not in registry.names():
        return ()
    rules: list[tuple[str, str, str]] = []
    for each in found:
        if not each.path or each.path.endswith(KEYS) or each.kind not in ("text", "numeric"):
            return ()
        part = replace(column, type=each.kind, nullable=True)
        strategy = fitting_strategy(part, each.category, registry)
        if strategy is None:
            return ()
        rules.append((each.path, strategy, each.kind))
    return tuple(rules)


def fitting_strategy(
    column: Column, category: str, registry: StrategyRegistry = registered
) -> str | None:
    """The strategy for a category of data in a column, or None where there is none.

    Args:
        column: The column.
        category: As in `Likeliness`.
        registry: Where strategies are looked up.
    """
    known = registry.names()
    for name in (proposed_strategy(category), *_FALLBACKS):
        if name in known and _fits(name, column, registry):
            return name
    return None


def fitting_strategies(column: Column, registry: StrategyRegistry = registered) -> tuple[str, ...]:
    """All strategies that take a column as they are, without options.

    Args:
        column: The column.
        registry: Where strategies are looked up.
    """
    return tuple(name for name in registry.names() if _fits(name, column, registry))


def is_covered(rules: Rules, column: Column) -> bool:
    """Whether a rule names a column, or it is allowed to be copied as it is."""
    names = (column.schema, column.table, column.name)
    return any(
        pattern.matches(*names)
        for pattern in (*(each.pattern for each in rules.columns), *rules.allowed)
    )


def as_toml(rules: Iterable[ProposedRule]) -> str:
    """The rules, ready for [anonymization.columns]."""
    return "\n".join(each.toml for each in rules)


def write_rules(rules: tuple[ProposedRule, ...], path: Path) -> None:
    """Add rules to a file between two comments; what is there stays as it is.

    Args:
        rules: For columns without one.
        path: confiture.toml, pyproject.toml or a file that is to be.

    Raises:
        ConfigError: The file cannot be read or written, or has the rules in a form that nothing
            can be added to.
    """
    table = _TABLES.get(path.name, _TABLE)
    try:
        data = path.read_bytes().decode("utf-8") if path.exists() else ""
        ending = "\r\n" if "\r\n" in data else "\n"
        before = data.replace("\r\n", "\n")
        after = _inserted(before, as_toml(rules), table)
        _check(before, after, rules, table, path)
        write_whole(path, after.replace("\n", ending).encode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"The rules cannot be written: {said}.", file=path) from None


def _inserted(text: str, lines: str, table: str) -> str:
    if END in text:
        return text.replace(END, f"{lines}\n{END}", 1)
    block = f"{BEGIN}\n{lines}\n{END}\n"
    header = re.search(rf"^[ \t]*\[{re.escape(table)}\][ \t]*(?:#.*)?$\n?", text, re.MULTILINE)
    if header:
        start = text[: header.end()].rstrip("\n") + "\n"
        return start + block + text[header.end() :]
    gap = "\n" if text.strip() else ""
    return text + ("" if text.endswith("\n") or not text else "\n") + f"{gap}[{table}]\n{block}"


def _check(
    before: str, after: str, rules: tuple[ProposedRule, ...], table: str, path: Path
) -> None:
    """That the new text says what the old one says, and the rules.

    Raises:
        ConfigError: It does not.
    """
    try:
        old, new = tomllib.loads(before), tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        old, new = {}, {}
    columns: dict[str, Any] = new
    for part in table.split("."):
        columns = columns.get(part, {})
    added = {each.name: columns.pop(each.name, None) for each in rules if each.strategy}
    whole = added == {each.name: each.value for each in rules if each.strategy}
    if not whole or _without_empty(new) != _without_empty(old):
        raise ConfigError(
            "Its column rules are written so that none can be added by a program.",
            file=path,
            next_step=f"Write them as [{table}], or paste what detect prints.",
        )


def _without_empty(table: dict[str, Any]) -> dict[str, Any]:
    """The tables that say something."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        kept = _without_empty(value) if isinstance(value, dict) else value
        if kept != {}:
            found[key] = kept
    return found


def _surest(found: list[Detection]) -> Detection:
    # A path says what is at one place; what the whole column is decides about it.
    return max(found, key=lambda each: (each.path == "", each.score))


def pattern_of(*names: str) -> str:
    """The pattern that names one table, or one column, and nothing else.

    Args:
        names: Of the schema, the table, and the column.
    """
    return ".".join(map(_part, names))


def _fits(name: str, column: Column, registry: StrategyRegistry) -> bool:
    if name == "null" and not column.nullable:
        return False
    return accepts_type(registry.find(name).accepts, column.type) and _needs_nothing(name, registry)


def _needs_nothing(name: str, registry: StrategyRegistry) -> bool:
    try:
        ConfigValidator(registry).validate(name, {})
    except ConfigError:
        return False
    return True


def _part(name: str) -> str:
    """A part of a column's name as a pattern that matches nothing else."""
    text = re.sub(r"([*?\[])", r"[\1]", name)
    plain = text and not re.search(r'[".]', text) and text == text.strip()
    return text if plain else '"' + text.replace('"', '""') + '"'


def _inline(value: object) -> str:
    """A value of TOML in one line."""
    if not isinstance(value, dict):
        return _string(str(value))
    # Keys that are words stand for themselves, all others in quotes.
    pairs = (
        f"{name if name.isidentifier() and name.isascii() else _string(name)} = {_inline(each)}"
        for name, each in value.items()
    )
    return f"{{ {', '.join(pairs)} }}"


def _string(text: str) -> str:
    """A string of TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
