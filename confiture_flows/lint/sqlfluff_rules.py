"""Lint rules -> classes of sqlfluff. Each finds what our own runner finds, and nothing else.

sqlfluff's tree is used only to name places: the text is judged by PostgreSQL's parser.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sqlfluff.core.parser import KeywordSegment, WhitespaceSegment
from sqlfluff.core.parser.segments import SourceFix
from sqlfluff.core.rules import BaseRule, LintFix, LintResult, RuleContext
from sqlfluff.core.rules.crawlers import RootOnlyCrawler

from confiture_flows.errors import ConfigError
from confiture_flows.lint.rule_index import indexed_rules

if TYPE_CHECKING:
    from sqlfluff.core.parser import BaseSegment, RawSegment

    from confiture_flows.lint.report import LintFinding
    from confiture_flows.lint.rule import TextEdit
    from confiture_flows.lint.rule_index import IndexedRule

_MARK = "\ufeff"
# What sqlfluff may take for keywords and spaces.
_PLAIN = re.compile(r"[A-Za-z ]+")


def _findings(self: Any, context: RuleContext) -> list[LintResult] | None:
    """What a class of sqlfluff does for its rule: `_eval`."""
    if context.dialect.name != "postgres":
        return None
    text = context.segment.raw
    mark = 1 if text.startswith(_MARK) else 0
    read = _read(context, text[mark:], self.code)
    if read.refused and read.asked_by == self.code:
        return [LintResult(anchor=context.segment.raw_segments[0], description=read.refused)]
    found = [each for each in read.findings if each.rule == self.code]
    if not found:
        return None
    # Indents and the like have no text.
    raws = [each for each in context.segment.raw_segments if each.raw]
    starts = list(accumulate((len(raw.raw) for raw in raws), initial=0))
    return [_result(each, text, raws, starts, mark) for each in _joined(found)]


def _joined(found: list[LintFinding]) -> list[LintFinding]:
    """The findings, with what several of them put at one place as the edit of the first."""
    places = [(each.line - each.text_line, edit) for each in found for edit in set(each.edits)]
    texts: dict[tuple[int, int], set[str]] = {}
    for shift, edit in places:
        if edit.start == edit.end:
            texts.setdefault((shift, edit.start), set()).add(edit.text)
    done: list[LintFinding] = []
    for each in found:
        edits: list[TextEdit] = []
        for edit in each.edits:
            if edit.start != edit.end:
                edits.append(edit)
            elif here := texts.pop((each.line - each.text_line, edit.start), None):
                edits.append(replace(edit, text="".join(sorted(here))))
        done.append(replace(each, edits=tuple(edits)))
    return done


@dataclass(slots=True)
class _Read:
    """The file that was read last: sqlfluff shows one tree to rule after rule.

    A configuration that says something wrong is told by the rule that asked first. sqlfluff would
    print an exception with its stack, once for each rule.
    """

    tree: BaseSegment
    asked_by: str
    findings: tuple[LintFinding, ...] = ()
    refused: str = ""


_last: list[_Read] = []


def _read(context: RuleContext, text: str, code: str) -> _Read:
    # What judges is imported when something is to be judged, not at each start of sqlfluff.
    from confiture_flows.lint.siblings import findings_of

    if not _last or _last[0].tree is not context.segment:
        read = _Read(context.segment, code)
        try:
            read.findings = findings_of(context.path or Path("<stdin>"), text)
        except ConfigError as error:
            read.refused = " ".join(str(error).split("\n"))
        _last[:] = [read]
    return _last[0]


def _result(
    finding: LintFinding, text: str, raws: list[RawSegment], starts: list[int], mark: int
) -> LintResult:
    shift = mark + finding.text_start(text[mark:], len(_MARK[:mark].encode()))
    anchor = raws[min(bisect_right(starts, finding.offset + shift), len(raws)) - 1]
    fixes = [fix for edit in finding.edits if (fix := _fix(edit, raws, starts, shift))]
    if len(fixes) < len(finding.edits):
        fixes = _fixes_of_source(finding.edits, raws, starts, shift)
    said = f"{finding.severity.label}: {finding.message} {finding.next_step}"
    if anchor.pos_marker and anchor.pos_marker.source_position()[0] != finding.line:
        # The body of a DO block is one string to sqlfluff, and it tells what is equal once.
        said += f" (Line {finding.line}.)"
    return LintResult(anchor=anchor, fixes=fixes, description=said)


def _fix(edit: TextEdit, raws: list[RawSegment], starts: list[int], shift: int) -> LintFix | None:
    """An insertion behind a whole word, which sqlfluff's next rules see."""
    at = edit.start + shift
    number = bisect_right(starts, at) - 2
    if (
        not _PLAIN.fullmatch(edit.text)
        or edit.end != edit.start
        or number < 0
        or starts[number + 1] != at
    ):
        return None
    words = re.findall(r"\s+|\S+", edit.text)
    pieces = [WhitespaceSegment(each) if each.isspace() else KeywordSegment(each) for each in words]
    return LintFix.create_after(raws[number], cast("list[BaseSegment]", pieces))


def _fixes_of_source(
    edits: tuple[TextEdit, ...], raws: list[RawSegment], starts: list[int], shift: int
) -> list[LintFix]:
    """Edits of the file's text, whatever sqlfluff's parser made of it; all of them or none.

    It makes them when it writes the file, so its own rules see the result at its next run. What
    it has been told in an earlier pass over the file is not told again.
    """
    fixes: dict[int, list[SourceFix]] = {}
    for edit in edits:
        start, end = edit.start + shift, edit.end + shift
        number = min(bisect_right(starts, start), len(raws)) - 1
        marker = raws[number].pos_marker
        last = raws[min(bisect_right(starts, max(end - 1, start)), len(raws)) - 1].pos_marker
        if marker is None or last is None:
            return []
        # What another rule has put in has no place in the file, and moves what comes after it.
        source = marker.source_slice
        width = source.stop - source.start
        gone = last.source_slice.stop - source.start
        if width != len(raws[number].raw) or gone < end - starts[number]:
            return []
        first = source.start + start - starts[number]
        fix = SourceFix(edit.text, slice(first, first + end - start), marker.templated_slice)
        if fix in raws[number].source_fixes:
            return []
        fixes.setdefault(number, list(raws[number].source_fixes)).append(fix)
    return [
        LintFix.replace(raws[number], [raws[number].edit(source_fixes=said)])
        for number, said in fixes.items()
    ]


@cache
def plugin_rules() -> tuple[type[BaseRule], ...]:
    """A class for each rule; sqlfluff takes the code from the class's name."""
    return tuple(_class_of(rule) for rule in indexed_rules())


def _class_of(rule: IndexedRule) -> type[BaseRule]:
    fields = {
        "__doc__": f"{rule.title}.\n\nconfiture-flows rules explain {rule.code}\n",
        "__module__": __name__,
        "name": rule.name,
        "groups": ("all", "confiture", rule.category),
        # What sqlfluff cannot parse, PostgreSQL mostly can.
        "crawl_behaviour": RootOnlyCrawler(works_on_unparsable=True),
        "is_fix_compatible": rule.fixable,
        "_eval": _findings,
    }
    metaclass: Any = type(BaseRule)
    return metaclass(f"Rule_{rule.code}", (BaseRule,), fields)
