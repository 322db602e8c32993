"""What is known of strategies -> what the commands about them print."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from confiture_flows.cli._frame import Outcome
from confiture_flows.errors import ConfigError, StrategyError
from confiture_flows.report.document import Code, Document, Facts, Paragraph, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from confiture_flows.anonymization.bench import StrategyCost
    from confiture_flows.anonymization.describe import StrategyPage
    from confiture_flows.anonymization.testing import StrategyCheck


def given_options(said: Iterable[str]) -> dict[str, Any]:
    """Options from NAME=VALUE; a value is JSON, or else the text itself.

    Raises:
        ConfigError: One is not written so.
    """
    found: dict[str, Any] = {}
    for each in said:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise ConfigError(
                f"--option {each} is not written as NAME=VALUE.",
                next_step="For example: --option length=8",
            )
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def listing(pages: Sequence[StrategyPage | tuple[str, ConfigError]]) -> Outcome:
    """All strategies; of a broken one what is wrong."""
    rows: list[tuple[str, ...]] = []
    result: list[dict[str, Any]] = []
    for each in pages:
        if isinstance(each, tuple):
            name, error = each
            rows.append((name, error.message, "", "", "", ""))
            result.append({"name": name, "error": error.message})
            continue
        rows.append(
            (
                each.name,
                each.summary,
                ", ".join(each.accepts),
                each.unique,
                "yes" if each.keyed else "",
                _ways(each),
            )
        )
        result.append(_as_json(each))
    table = Table(
        ("strategy", "what becomes of a value", "accepts", "unique", "key", "by"), tuple(rows)
    )
    return Outcome({"strategies": result}, Document(f"{len(rows)} strategies", (table,)))


def page(strategy: StrategyPage, examples: Sequence[tuple[str, str]], why: str) -> Outcome:
    """One strategy."""
    facts = Facts(
        (
            ("accepts", ", ".join(strategy.accepts)),
            ("unique", strategy.unique),
            ("needs a secret", "yes" if strategy.keyed else "no"),
            ("computed by", _ways(strategy)),
            ("from", strategy.origin),
        )
    )
    options = Table(
        ("option", "type", "default", "description"),
        tuple(
            (
                each.name,
                each.type,
                "required" if each.default is None else each.default,
                each.description,
            )
            for each in strategy.options
        ),
        "It has no options.",
    )
    line = _example_line(strategy)
    shown = (
        Table(
            ("before", "after, under some secret" if strategy.keyed else "after"), tuple(examples)
        )
        if examples
        else Paragraph(f"No example: {why or 'none of the made-up values fits'}", "muted")
    )
    told = tuple(Paragraph(_flowing(each)) for each in strategy.doc.split("\n\n"))
    blocks = (*told, facts, options, Code(line, "toml"), shown)
    result = _as_json(strategy) | {
        "example": line,
        "values": [{"before": before, "after": after} for before, after in examples],
    }
    return Outcome(result, Document(strategy.name, blocks))


def _flowing(paragraph: str) -> str:
    """One line, to be broken where it is shown; a list and what is indented stay as they are."""
    lines = paragraph.split("\n")
    return paragraph if any(each[:1] in (" ", "-", "*") for each in lines) else " ".join(lines)


def written(name: str, files: tuple[Path, Path]) -> Outcome:
    """The files of a new strategy, and what to do with them."""
    module = files[0].stem
    steps = (
        Code(str(files[0])),
        Code(str(files[1])),
        Paragraph("Name the module in confiture.toml, then try it:"),
        Code(f'[anonymization]\nstrategies = ["strategies.{module}"]', "toml"),
        Code(f"confiture-flows strategies test {name}\npytest {files[1]}"),
    )
    return Outcome({"files": list(files)}, Document("Written:", steps))


def checked(check: StrategyCheck) -> Outcome:
    """What came of a check; an error when something does not hold."""
    rows = tuple(
        (each.property, each.type, each.outcome, each.why, each.example or "")
        for each in check.results
    )
    table = Table(("property", "type", "outcome", "why", "smallest example"), rows)
    result = {
        "strategy": check.strategy,
        "values": check.values,
        "results": list(map(asdict, check.results)),
    }
    title = f"{check.strategy}: {check.values} values tried"
    if not check.broken:
        good = Paragraph("It keeps what it promises.", "good")
        return Outcome(result, Document(title, (table, good)))
    names = ", ".join(dict.fromkeys(each.property for each in check.broken))
    error = StrategyError(
        f"The strategy {check.strategy!r} does not keep what it promises: {names}.",
        next_step="Mend it, or say what it does not promise; see docs/guides/custom-strategies.md.",
    )
    return Outcome(result, Document(title, (table, Paragraph(error.message, "bad"))), error=error)


def cost(name: str, measured: StrategyCost) -> Outcome:
    """What a strategy costs."""
    facts = Facts(
        (
            ("one by one", _ns(measured.scalar_ns)),
            ("in batches", _ns(measured.batch_ns)),
            ("by SQL", _ns(measured.sql_ns)),
            (
                "raw COPY",
                f"{measured.raw_rows:,.0f} rows/s of 11 columns" if measured.raw_rows else "-",
            ),
            ("left of it by SQL", _share(measured.sql_share)),
            ("left of it by Python", _share(measured.python_share)),
        )
    )
    where = Paragraph(
        f"{measured.values:,} values on one connection; {measured.machine}; server and client "
        "share it. Compare shares, not times, with another machine.",
        "muted",
    )
    return Outcome({"strategy": name} | asdict(measured), Document(name, (facts, where)))


def _ways(strategy: StrategyPage) -> str:
    both = (("SQL", strategy.sql), ("Python", strategy.python))
    return ", ".join(way for way, there in both if there)


def _as_json(strategy: StrategyPage) -> dict[str, Any]:
    return asdict(strategy)


def _example_line(strategy: StrategyPage) -> str:
    needed = [each for each in strategy.options if each.default is None]
    value = f'"{strategy.name}"'
    if needed:
        options = ", ".join(f"{each.name} = ..." for each in needed)
        value = f'{{ strategy = "{strategy.name}", config = {{ {options} }} }}'
    return f'[anonymization.columns]\n"public.people.value" = {value}'


def _ns(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f} ns a value"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
