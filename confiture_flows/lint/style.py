"""LintReport + the scripts that were judged -> the same with what sqlfluff's own rules say of them.

The rules are those that the project has switched on for sqlfluff itself, in .sqlfluff or
pyproject.toml; where it says nothing, the dialect is postgres and the templater raw. Our own rules
have run already, and PG01 and PG02 know no history: both are left out. Imports sqlfluff, which
takes a quarter of a second: import this module where style is wanted.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlfluff.core import FluffConfig, Linter, SQLLintError
from sqlfluff.core.config import clear_config_caches, load_config_up_to_path
from sqlfluff.core.errors import SQLFluffUserError
from sqlfluff.core.linter.discovery import paths_from_path

from confiture_flows.errors import ConfigError, MigrationFileError
from confiture_flows.lint.cache import packed
from confiture_flows.lint.report import LintFinding, LintReport
from confiture_flows.migrations.migration import Migration, Script
from confiture_flows.report.finding import Severity
from confiture_flows.sql.source import read_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from confiture_flows.lint.cache import LintCache
    from confiture_flows.lint.settings import LintSettings

# sqlfluff's own code for what it cannot parse; ours for what it does not read at all.
_UNPARSED = "PRS"
_LEFT_OUT = ("confiture", "PG01", "PG02")


@dataclass(frozen=True, slots=True)
class _Judged:
    """What sqlfluff says of a file: the code, name, line and message of each violation."""

    path: Path
    version: str
    lines: tuple[str, ...]
    found: tuple[tuple[str, str, int, str], ...]


def with_style(
    report: LintReport,
    migrations: Iterable[Migration],
    settings: LintSettings,
    *,
    only: frozenset[str] | None = None,
    cache: LintCache | None = None,
) -> LintReport:
    """Add the findings of sqlfluff's own rules.

    Args:
        report: What our rules say.
        migrations: All of the directory.
        settings: What the project says.
        only: The versions to judge; None is all. History has no style.
        cache: Where what was said of unchanged files may be.

    Raises:
        ConfigError: Nobody knows a rule that the configuration names, or sqlfluff refuses its own.
    """
    judged = {
        each.up.path: each.version
        for each in migrations
        if isinstance(each.up, Script)
        and (only is None or each.version in only)
        and not settings.excludes(each.up.path)
    }
    try:
        severities = _severities(settings.others)
        found = tuple(_judge(judged, _dropped(severities), cache))
    except SQLFluffUserError as error:
        raise ConfigError(
            f"sqlfluff refuses its configuration: {error}",
            next_step="Mend .sqlfluff, or the section of sqlfluff in pyproject.toml.",
        ) from None
    style = tuple(
        _finding(each, violation, severities) for each in found for violation in each.found
    )
    return replace(report, findings=(*report.findings, *style))


def _severities(others: Mapping[str, Severity | None]) -> dict[str, Severity | None]:
    """The severities of sqlfluff's rules by code; it knows them by code, name and alias."""
    if not others:
        return {}
    pack = Linter(config=FluffConfig(overrides={"dialect": "postgres"})).get_rulepack()
    known = {word.lower(): codes for word, codes in pack.reference_map.items()}
    severities: dict[str, Severity | None] = {}
    for word, severity in others.items():
        if word.lower() not in known and word.upper() != _UNPARSED:
            raise ConfigError(
                f"lint.rules: there is no rule {word}, neither here nor in sqlfluff.",
                next_step="See: confiture-flows rules, and: sqlfluff rules",
            )
        codes = known.get(word.lower(), {_UNPARSED})
        severities |= dict.fromkeys(codes, severity)
    return severities


def _dropped(severities: Mapping[str, Severity | None]) -> tuple[str, ...]:
    off = sorted(code for code, severity in severities.items() if severity is None)
    return (*_LEFT_OUT, *off)


def _judge(
    judged: Mapping[Path, str], dropped: tuple[str, ...], cache: LintCache | None
) -> Iterable[_Judged]:
    """What sqlfluff says of each file; of those that have not changed, what it said before."""
    clear_config_caches()  # a process that lives on sees what has been edited
    configs: dict[Path, Any] = {}
    plugins = sorted(each.value for each in entry_points(group="sqlfluff"))
    place = hashlib.sha256(f"style\0{sorted(map(str, judged))}".encode()).hexdigest()
    _, recalled = cache.recall((place,)) if cache else (0, None)
    before = recalled if isinstance(recalled, dict) else {}
    now: dict[str, tuple[tuple[str, str, int, str], ...]] = {}
    for path, of_version in judged.items():
        if not paths_from_path(str(path), working_path=str(Path.cwd())):
            continue  # .sqlfluffignore names it
        if path.parent not in configs:
            configs[path.parent] = load_config_up_to_path(str(path.parent))
        said = configs[path.parent]
        try:
            text = read_source(path)
        except MigrationFileError:
            continue  # which is a finding of our own rules
        asked = repr((version("sqlfluff"), plugins, said, dropped, str(path), text))
        key = hashlib.sha256(asked.encode()).hexdigest()
        now[key] = before[key] if key in before else _violations(path, text, said, dropped)
        yield _Judged(path, of_version, tuple(text.split("\n")), now[key])
    if cache and now.keys() != before.keys():
        cache.keep(place, packed(now))


def _violations(
    path: Path, text: str, said: Any, dropped: tuple[str, ...]
) -> tuple[tuple[str, str, int, str], ...]:
    """What sqlfluff says of a text; its parser's complaints as one."""
    config = _config(said, dropped)
    config.process_raw_file_for_config(text, str(path))
    limit, size = int(config.get("large_file_skip_byte_limit") or 0), len(text.encode())
    if limit and size > limit:
        told = f"sqlfluff does not read this file: it has {size} bytes, more than {limit}."
        return ((_UNPARSED, "style.unread", 1, told),)
    linted = Linter(config=config).lint_string(text, fname=str(path), config=config)
    violations = linted.get_violations()
    rules = [each for each in violations if isinstance(each, SQLLintError)]
    unread = [each for each in violations if not isinstance(each, SQLLintError)]
    found = [(each.rule_code(), each.rule.name, each.line_no, each.desc()) for each in rules]
    if unread:
        more = f", and {len(unread) - 1} more below" if len(unread) > 1 else ""
        told = f"sqlfluff cannot parse this{more}; its rules do not see such parts."
        found.append((_UNPARSED, "style.unparsed", unread[0].line_no, told))
    return tuple(sorted(found, key=lambda each: (each[2], each[0])))


def _config(said: Any, dropped: tuple[str, ...]) -> FluffConfig:
    core = said.get("core", {})
    excluded = [each for each in str(core.get("exclude_rules") or "").split(",") if each.strip()]
    given: dict[str, Any] = {"exclude_rules": ",".join((*excluded, *dropped))}
    if not core.get("dialect"):
        given["dialect"] = "postgres"
    if not core.get("templater"):
        given["templater"] = "raw"
    try:
        return FluffConfig(configs=said, overrides=given)
    except KeyError as error:  # what it raises for a dialect that it does not know
        raise SQLFluffUserError(f"dialect = {core.get('dialect')}: {error.args[0]}.") from None


def _finding(
    judged: _Judged,
    violation: tuple[str, str, int, str],
    severities: Mapping[str, Severity | None],
) -> LintFinding:
    code, name, line, message = violation
    usual = Severity.INFO if code == _UNPARSED else Severity.WARNING
    step = f"Mend it, or let sqlfluff do it: sqlfluff fix --rules {code}"
    if name == "style.unread":
        step = "Set large_file_skip_byte_limit in the configuration of sqlfluff."
    elif code == _UNPARSED:
        step = "Nothing, where it is valid: PostgreSQL's parser has read what it could read."
    return LintFinding(
        rule=code,
        name=name,
        title=f"{name.replace('.', ': ').replace('_', ' ').capitalize()}",
        severity=severities.get(code) or usual,
        message=message if message.endswith(".") else f"{message}.",
        next_step=step if step.endswith(".") else f"{step}.",
        version=judged.version,
        path=judged.path,
        line=line,
        text_line=line,
        statement=judged.lines[line - 1] if line <= len(judged.lines) else "",
    )
