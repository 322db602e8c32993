"""`confiture-flows rules`."""

from __future__ import annotations

from typing import Literal

from confiture_flows.cli._frame import DirectoryOptions, Outcome, framed

_DEFAULTS = DirectoryOptions()


def rules(
    command: Literal["list", "explain", "new"] = "list",
    rule: str = "",
    /,
    *,
    options: DirectoryOptions = _DEFAULTS,
) -> int:
    """List the lint rules, explain one, or begin one: confiture-flows rules explain CF01.

    `rules new shop.comment_tables` writes a rule, its cases and its test into this folder.

    Args:
        command: "list", "explain" or "new".
        rule: The code or name of the rule to explain, or the name of the new one.
        options: How to print.
    """
    return framed("rules", options, lambda _work: _run(command, rule))


def _run(command: str, word: str) -> Outcome:
    if command == "new":
        return _new(word)
    return _list() if command == "list" else _explain(word)


def _list() -> Outcome:
    from confiture_flows.lint.every_rule import every_rule
    from confiture_flows.report.document import Document, Table

    rules = every_rule()
    result = [
        {
            "code": each.code,
            "name": each.name,
            "category": each.category,
            "severity": each.severity.label,
            "fixable": each.fixable,
            "on_by_default": each.on_by_default,
            "title": each.title,
        }
        for each in rules
    ]
    rows = tuple(
        (
            each.code,
            each.category,
            each.severity.label if each.on_by_default else "off",
            "yes" if each.fixable else "",
            each.title,
        )
        for each in rules
    )
    table = Table(("code", "category", "at worst", "fix", "demand"), rows)
    return Outcome({"rules": result}, Document(f"{len(rows)} rules", (table,)))


def _explain(word: str) -> Outcome:
    from confiture_flows.errors import ConfigError
    from confiture_flows.lint.every_rule import find_any_rule
    from confiture_flows.report.document import Code, Document, Facts

    found = next(iter(find_any_rule(word)), None)
    if found is None:
        raise ConfigError(
            f"There is no rule {word}." if word else "Which rule?",
            next_step="See: confiture-flows rules",
        )
    facts = Facts(
        (
            ("name", found.name),
            ("severity", found.severity.label),
            ("fixed by --fix", "yes" if found.fixable else "no"),
            ("on by default", "yes" if found.on_by_default else "no"),
        )
    )
    result = {"code": found.code, "name": found.name, "page": found.page}
    return Outcome(result, Document(found.code, (facts, Code(found.page.rstrip(), "markdown"))))


def _new(name: str) -> Outcome:
    from pathlib import Path

    from confiture_flows.lint.new_rule import write_rule
    from confiture_flows.report.document import Code, Document, Paragraph

    lines, files = write_rule(Path(), name)
    blocks = (
        *(Code(str(path)) for path in files),
        Paragraph("So that it is found, pyproject.toml of its package says:"),
        Code(lines.rstrip(), "toml"),
    )
    return Outcome({"files": list(files), "entry_point": lines}, Document("Written:", blocks))
