"""Findings drawn by lot from real migrations, and what somebody judged of them.

`python -m tests.benchmarks.precision draw --seed N DIRECTORY ...` prints findings to judge: spread
over the rules, so that a frequent rule has no more of them than a rare one until that has no more.
`python -m tests.benchmarks.precision report` prints all judgements that are written down, in
Markdown. A draw is made before anybody looks; what was wrong is mended, and another draw follows.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_flows.lint.runner import lint_migrations
from confiture_flows.migrations.discovery import discover
from confiture_flows.report.document import Document, Paragraph, Table
from confiture_flows.report.markdown import render_markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from confiture_flows.lint.report import LintFinding

JUDGEMENTS = Path(__file__).with_name("lint_judgements.csv")
_RIGHT = (
    "How many findings are right. Each was looked at: the statement, and its file and history "
    "where they could make a difference. A finding is right when what it says is true of this "
    "migration, and worth a look, at its severity, for somebody who writes such a migration. "
    "It is wrong when it is false, when the history makes it harmless and the rule could have "
    "known, or when another finding has said it already. A matter of taste that is told as "
    "information is right when it is true; whoever does not share the taste will count fewer."
)
_LOTS = (
    "The findings are drawn by lot from six projects, each up script judged with those before "
    "it: one of each rule in turn, so that a rule which speaks often weighs no more than one "
    "which speaks seldom. What a draw had is left out of the next. Whoever judged also mended "
    "the rules, and nobody else has looked. What was wrong in a draw was mended before the "
    "next one, with a case for the rule's tests; what was wrong in the last, after it. The "
    "counts stand as they came out: a draw is judged once."
)
_CODES = (
    "Codes are those of today: what CF33 said of indexes, and CF40 of CASCADE, has codes of its "
    "own since. What rules have learnt to find after the last draw was judged by nobody."
)
_MADE = "Made by python -m tests.benchmarks.precision report, of lint_judgements.csv beside it."


@dataclass(frozen=True, slots=True)
class Judgement:
    """What somebody says of a finding.

    Attributes:
        draw: The seed of the draw.
        project: Whose migration it is.
        file: Its name.
        line: Where the finding is.
        rule: Whose finding it is.
        right: Whether what it says is true and worth a look.
        why: In a sentence.
    """

    draw: int
    project: str
    file: str
    line: int
    rule: str
    right: bool
    why: str


def draw(
    folders: Sequence[Path], seed: int, count: int, judged: Iterable[Judgement] = ()
) -> tuple[tuple[str, LintFinding], ...]:
    """Findings of directories by lot: one of each rule in turn, in an order by lot too.

    Args:
        folders: Directories of migrations, each in a folder that is called as its project.
        seed: The same lots come again for the same seed and findings.
        count: How many.
        judged: What earlier draws had is left out.
    """
    known = {(each.project, each.file, each.line, each.rule) for each in judged}
    by_rule: dict[str, list[tuple[str, LintFinding]]] = defaultdict(list)
    for folder in folders:
        project = folder.parent.name
        for each in lint_migrations(discover(folder).migrations).findings:
            if (project, file_of(each), each.line, each.rule) not in known:
                by_rule[each.rule].append((project, each))
    lots = random.Random(seed)
    for rule in sorted(by_rule):
        lots.shuffle(by_rule[rule])
    rules = sorted(by_rule)
    lots.shuffle(rules)
    drawn: list[tuple[str, LintFinding]] = []
    while len(drawn) < count and any(by_rule.values()):
        for rule in rules:
            if by_rule[rule] and len(drawn) < count:
                drawn.append(by_rule[rule].pop())
    return tuple(drawn)


def file_of(finding: LintFinding) -> str:
    """The file's name, with its folder where all files are called alike."""
    alike = finding.path.name in ("up.sql", "down.sql", "migration.sql")
    return str(Path(*finding.path.parts[-2:])) if alike else finding.path.name


def read_judgements(path: Path = JUDGEMENTS) -> tuple[Judgement, ...]:
    """What is written down."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            Judgement(
                int(row["draw"]),
                row["project"],
                row["file"],
                int(row["line"]),
                row["rule"],
                {"yes": True, "no": False}[row["right"]],
                row["why"],
            )
            for row in csv.DictReader(file)
        )


def report(judgements: Sequence[Judgement]) -> Document:
    """The judgements by draw, with their counts."""
    draws = {
        seed: [each for each in judgements if each.draw == seed]
        for seed in sorted({each.draw for each in judgements})
    }
    counts = tuple(
        (str(seed), str(len(found)), str(sum(each.right for each in found)))
        for seed, found in draws.items()
    )
    blocks: list[Paragraph | Table] = [
        *map(Paragraph, (_RIGHT, _LOTS, _CODES, _MADE)),
        Table(("draw", "findings", "right"), counts),
    ]
    for seed, of_draw in draws.items():
        blocks.append(Paragraph(f"Draw {seed}:"))
        rows = tuple(
            (
                each.rule,
                each.project,
                f"{each.file}:{each.line}",
                "right" if each.right else "WRONG",
                each.why,
            )
            for each in of_draw
        )
        blocks.append(Table(("rule", "project", "where", "judgement", "why"), rows))
    return Document("Are the findings right?", tuple(blocks))


def main() -> None:
    """Draw, or report."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.precision")
    commands = parser.add_subparsers(dest="command", required=True)
    drawing = commands.add_parser("draw")
    drawing.add_argument("folders", type=Path, nargs="+", metavar="DIRECTORY")
    drawing.add_argument("--seed", type=int, required=True)
    drawing.add_argument("--count", type=int, default=100)
    commands.add_parser("report")
    options = parser.parse_args()
    judged = read_judgements() if JUDGEMENTS.exists() else ()
    if options.command == "report":
        print(render_markdown(report(judged)))
        return
    found = draw(options.folders, options.seed, options.count, judged)
    for number, (project, each) in enumerate(found, 1):
        print(f"## {number} {each.rule} {each.name} [{each.severity.name.lower()}]")
        print(f"{project} {file_of(each)}:{each.line}  ({each.path})")
        print(f"{each.message}\n-> {each.next_step}\n{each.statement.strip()[:1500]}\n")


if __name__ == "__main__":
    main()
