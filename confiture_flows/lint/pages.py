"""The rules' docstrings -> docs/rules: a page a rule, and a list. `python -m` writes them.

It also writes the index that sqlfluff reads at its start.
"""

from __future__ import annotations

import sys
from pathlib import Path

from confiture_flows.lint import rule_index
from confiture_flows.lint.every_rule import every_rule


def rule_pages() -> dict[str, str]:
    """The names of the pages and what stands on them."""
    pages: dict[str, str] = {}
    rows: list[str] = []
    for rule in every_rule(own=True):
        facts = f"`{rule.name}`, {rule.category}, {rule.severity.label} at worst"
        fixed = ", mended by `--fix`" if rule.fixable else ""
        fixed += "" if rule.on_by_default else ", off by default"
        pages[f"{rule.code}.md"] = f"# {rule.code}: {rule.title}\n\n{facts}{fixed}.\n\n" + (
            rule.page.partition("\n")[2].strip() + "\n"
        )
        fix = "yes" if rule.fixable else ""
        rows.append(
            f"| [{rule.code}]({rule.code}.md) | {rule.category} | {rule.severity.label} | {fix} "
            f"| {rule.title} |"
        )
    head = (
        "# Lint rules\n\nMade from the rules' docstrings. Those of the category state look at the "
        "directory and a ledger, those of the category database at a live one; all others at "
        "the statements of migrations, also through sqlfluff. See "
        "[linting](../guides/schema-linting.md)."
    )
    table = "| code | category | at worst | fix | demand |\n|---|---|---|---|---|"
    pages["README.md"] = "\n\n".join((head, "\n".join((table, *rows)))) + "\n"
    return pages


def main(folder: Path) -> None:
    """Write the pages, and take away those of rules that are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = rule_pages()
    for old in folder.glob("*.md"):
        if old.name not in pages:
            old.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/rules"))
    rule_index.PATH.write_text(rule_index.index_text(), encoding="utf-8")
