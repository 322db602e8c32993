"""Comments that silence findings: `-- noqa`, `-- noqa: CF01`, `-- noqa: disable=CF01`. Pure.

Read as sqlfluff reads them, so that one comment serves both.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from confiture_flows.lint.judged import OWN_CODE
from confiture_flows.sql.statements import line_comments
from confiture_flows.sql.value import value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NOQA = re.compile(r"--\s*noqa\b\s*(?::\s*(?P<said>.*))?", re.IGNORECASE)
# The groups that all of our rules belong to.
_ALL_OF_OURS = ("all", "confiture")
_RANGE = re.compile(r"(disable|enable)\s*=\s*(.*)", re.IGNORECASE)


@value()
class Silence:
    """One comment.

    Attributes:
        line: 1-based line of the text.
        rules: Codes, names and categories, which may hold wildcards; empty for all.
        range: "", "disable" or "enable".
        reason: What it says besides.
    """

    line: int
    rules: tuple[str, ...] = ()
    range: str = ""
    reason: str = ""

    def means(self, words: Iterable[str]) -> bool:
        """Whether it is about a rule that these words name."""
        return not self.rules or any(
            fnmatchcase(word, each) for word in words for each in self.rules
        )


def read_noqa(text: str) -> tuple[Silence, ...]:
    """The comments of a text."""
    if "noqa" not in text.lower():
        return ()
    return tuple(
        _silence(line + 1, match["said"] or "", comment[: match.start()])
        for line, comment in line_comments(text)
        if (match := _NOQA.search(comment))
    )


def _silence(line: int, said: str, before: str) -> Silence:
    ranged = _RANGE.match(said.strip())
    words = ranged[2] if ranged else said
    rules = tuple(word.strip().split()[0] for word in words.split(",") if word.strip())
    last = words.rpartition(",")[2].strip()
    reason = before.strip(" -") or last.partition(" ")[2].strip()
    return Silence(line, rules, ranged[1].lower() if ranged else "", reason)


def silenced_by(
    silences: tuple[Silence, ...], line: int, code: str, name: str, category: str
) -> Silence | None:
    """The comment that silences a finding.

    Args:
        silences: Those of the text.
        line: Of the finding, in that text.
        code: Of the rule, as the next two.
        name: Such as "safety.require_concurrent_index".
        category: Such as "locks"; to sqlfluff a group of rules, as is "confiture".
    """
    last: Silence | None = None
    for each in silences:
        if not each.means((code, name, category, *_ALL_OF_OURS)):
            continue
        if not each.range and each.line == line:
            return each
        if each.range and each.line <= line:
            last = each
    return last if last and last.range == "disable" else None


def unused_words(
    silences: tuple[Silence, ...], used: set[tuple[Silence, str]], running: set[str]
) -> Iterator[tuple[Silence, str, bool]]:
    """The codes of ours in comments on single lines that silenced nothing.

    Args:
        silences: The comments.
        used: Which of them silenced which code.
        running: The codes of the rules that ran; of another nobody can tell.

    Returns:
        The comment, the code, and whether no rule has it.
    """
    from confiture_flows.lint.every_rule import find_any_rule  # it imports all that there are

    for each in silences:
        for word in () if each.range else each.rules:
            if not OWN_CODE.fullmatch(word):
                continue  # a name, a wildcard, or a rule of sqlfluff
            if word in running and (each, word) not in used:
                yield each, word, False
            elif not find_any_rule(word):
                yield each, word, True
