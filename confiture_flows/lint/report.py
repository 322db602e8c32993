"""LintFinding, Coverage, LintReport: what linting gives back. Pure values."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_flows.errors import GateError
from confiture_flows.report.document import Document, Paragraph, Table
from confiture_flows.report.finding import Finding, Location, Severity
from confiture_flows.report.remark import Remark
from confiture_flows.sql.value import value

if TYPE_CHECKING:
    from datetime import date

    from confiture_flows.errors import MigrationFileError
    from confiture_flows.lint.baseline import KnownFinding
    from confiture_flows.lint.judged import Judged
    from confiture_flows.lint.text_edit import TextEdit

# Entries of a baseline file in one sentence.
_SHOWN = 5


@value()
class LintFinding:
    """A finding of a rule, with what editors and fixes need beside it.

    Attributes:
        rule: The code, such as "CF01".
        name: The rule's name.
        title: What the rule demands.
        severity: As computed.
        message: What is true.
        next_step: What to do.
        reason: What is locked, for how long, and the table's size, where these decide the severity.
        version: The migration.
        path: The file.
        line: 1-based line of the file.
        text_line: 1-based line of the text that was read, which may be a part of the file.
        text_byte: Where that text starts in the file, if it is a piece of a large one.
        offset: The character of that text.
        statement: The SQL of the statement.
        subject: The table that it is about.
        edits: What mends it.
        replaced: The name that they take away, and the one that serves instead.
        adds: The statement of a new migration that mends it.
        elsewhere: The edits that mend it in another file, and that file.
    """

    rule: str
    name: str
    title: str
    severity: Severity
    message: str
    next_step: str
    version: str
    path: Path
    line: int
    text_line: int = 1
    text_byte: int | None = None
    offset: int = 0
    statement: str = ""
    subject: str = ""
    edits: tuple[TextEdit, ...] = ()
    reason: str = ""
    replaced: tuple[str, str] | None = None
    adds: str = ""
    elsewhere: tuple[Path, tuple[TextEdit, ...]] | None = None

    @property
    def mendable(self) -> bool:
        """Whether a program can mend it."""
        return bool(self.edits or self.adds or self.elsewhere)

    def text_start(self, text: str, mark: int = 0) -> int:
        """Where the text that it is counted from starts in its file, in characters.

        Args:
            text: What stands in the file, without a byte order mark.
            mark: The bytes of the mark.
        """
        if self.text_byte is not None:
            return len(text.encode()[: self.text_byte - mark].decode())
        start = 0
        for _ in range(self.line - self.text_line):
            start = text.index("\n", start) + 1
        return start

    @property
    def told(self) -> str:
        """What is true, and why it is as bad as it is."""
        return f"{self.message} [{self.reason}]" if self.reason else self.message

    @classmethod
    def unreadable(cls, error: MigrationFileError, path: Path, version: str) -> LintFinding:
        """The finding for a file that cannot be read, or not as a migration."""
        return cls(
            rule="CF90",
            name="meta.unread_statement",
            title="Write statements that can be read",
            severity=Severity.ERROR,
            message=error.message,
            next_step=error.next_step or "Mend the file.",
            version=version,
            path=error.file or path,
            line=error.line or 1,
        )

    @property
    def fingerprint(self) -> str:
        """What tells it from others wherever it moves: its rule, subject and statement."""
        plain = re.sub(r"\s+", " ", re.sub(r"--[^\n]*", "", self.statement)).strip().lower()
        said = "\0".join((self.rule, self.subject, self.version, plain))
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def remark(self) -> Remark:
        """As formats for machines want it."""
        here = Path.cwd()
        path = self.path.resolve()
        return Remark(
            code=self.rule,
            name=self.name,
            title=self.title,
            severity=self.severity,
            message=self.told,
            next_step=self.next_step,
            file=path.relative_to(here) if path.is_relative_to(here) else self.path,
            line=self.line,
            fingerprint=self.fingerprint,
        )

    def finding(self) -> Finding:
        """As every other stage gives it."""
        return Finding(
            self.rule,
            self.severity,
            self.told,
            next_step=self.next_step,
            version=self.version,
            location=Location(self.path, self.line),
        )


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much was read.

    Attributes:
        files: Scripts that were judged.
        statements: Their statements.
        unread: Statements and bodies that could not be read.
        dynamic: EXECUTE of text that is put together when it runs.
        python: Migrations in Python, which no rule reads.
    """

    files: int
    statements: int
    unread: int
    dynamic: int
    python: int

    @property
    def sentence(self) -> str:
        """In words."""
        read = f"Read {_count(self.statements, 'statement')} of {_count(self.files, 'file')}"
        gaps = [
            _count(number, what)
            for number, what in (
                (self.unread, "statement or body not understood"),
                (self.dynamic, "EXECUTE of text known only when it runs"),
                (self.python, "Python migration not judged"),
            )
            if number
        ]
        return f"{read}; {', '.join(gaps)}." if gaps else f"{read}, all of them."


def _count(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {_plural(what)}"


def _plural(what: str) -> str:
    first, _, rest = what.partition(" ")
    if what == "entry":
        return "entries"
    if first == "Python":
        return what.replace("migration", "migrations")
    if first == "EXECUTE":
        return what
    return f"{first}s {rest}".strip().replace(" or body ", " or bodies ")


@dataclass(frozen=True, slots=True)
class LintReport:
    """All findings, in the order of the files, and how much was read.

    Attributes:
        findings: What the rules say.
        coverage: How much was read.
        known: How many findings a baseline file has, which are not among them.
        database: What the catalog rules say of the live database.
        measured: When the sizes of tables were; None where nobody knows any.
        notes: What else has to be known of how it was judged, in sentences.
        judged: What was asked about what; None where nobody has noted it.
        unmatched: Entries of a baseline file that match nothing any more.
        baseline: That file.
    """

    findings: tuple[LintFinding, ...]
    coverage: Coverage
    known: int = 0
    database: tuple[Finding, ...] = ()
    measured: date | None = None
    notes: tuple[str, ...] = ()
    judged: Judged | None = None
    unmatched: tuple[KnownFinding, ...] = ()
    baseline: Path | None = None

    @property
    def plain(self) -> tuple[Finding, ...]:
        """The findings as every other stage gives them."""
        return (*(each.finding() for each in self.findings), *self.database)

    def beside(self, history: tuple[LintFinding, ...]) -> LintReport:
        """The same, and before it what is wrong with the history."""
        judged = self.judged.with_history() if self.judged else None
        return replace(self, findings=(*history, *self.findings), judged=judged)

    def count(self, severity: Severity) -> int:
        """How many findings of a severity."""
        return sum(each.severity is severity for each in self.plain)

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """The findings as formats for machines want them."""
        return tuple(each.remark() for each in self.findings)

    @property
    def verdict(self) -> str:
        """In a line: how many of each severity."""
        if not self.plain:
            return "No findings."
        counts = [
            _count(number, severity.label)
            for severity in (Severity.ERROR, Severity.WARNING)
            if (number := self.count(severity))
        ]
        if info := self.count(Severity.INFO):
            counts.append(f"{info} info")
        return ", ".join(counts) + "."

    def document(self, where: str) -> Document:
        """The report for people."""
        worst = max((each.severity for each in self.plain), default=None)
        tone = "good" if worst is None else "bad" if worst is Severity.ERROR else "plain"
        rows = tuple(
            (
                f"{_short(each.path)}:{each.line}",
                each.rule,
                each.severity.label,
                each.told,
            )
            for each in self.findings
        )
        steps = dict.fromkeys((each.rule, each.next_step) for each in self.findings)
        blocks: list[Paragraph | Table] = [Paragraph(self.verdict, tone)]
        if rows:
            blocks.append(Table(("where", "rule", "severity", "what is true"), rows))
            blocks.append(Table(("rule", "what to do"), tuple(sorted(steps))))
        if self.database:
            said = tuple(
                (each.code, each.severity.label, each.message, each.next_step or "")
                for each in self.database
            )
            blocks.append(Paragraph("In the database:"))
            blocks.append(Table(("rule", "severity", "what is true", "what to do"), said))
        if self.known:
            known = f"{_count(self.known, 'finding')} of the baseline file left out."
            blocks.append(Paragraph(known, "muted"))
        if self.unmatched:
            blocks.append(Paragraph(self._unmatched_sentence))
        if self.measured:
            blocks.append(Paragraph(f"Sizes of tables are those of {self.measured}.", "muted"))
        blocks += [Paragraph(each) for each in self.notes]
        blocks.append(Paragraph(self.coverage.sentence, "muted"))
        return Document(f"Lint of {where}", tuple(blocks))

    @property
    def _unmatched_sentence(self) -> str:
        """Which entries of the baseline file are superfluous, and what takes them out."""
        shown = [f"{each.rule} of {each.version or 'the directory'}" for each in self.unmatched]
        more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
        one = len(shown) == 1
        return (
            f"{_count(len(shown), 'entry')} of {self.baseline} {'matches' if one else 'match'} "
            f"nothing any more: {', '.join(shown[:_SHOWN])}{more}. Take {'it' if one else 'them'} "
            f"out with: confiture-flows lint --write-baseline {self.baseline}"
        )

    def json(self) -> dict[str, Any]:
        """The `result` of the command's JSON."""
        coverage = self.coverage
        return {
            "verdict": self.verdict,
            "coverage": {name: getattr(coverage, name) for name in coverage.__slots__},
            "known": self.known,
            "unmatched": [each._asdict() for each in self.unmatched],
            "measured": self.measured.isoformat() if self.measured else None,
            "notes": list(self.notes),
            "findings": [
                {
                    "rule": each.rule,
                    "name": each.name,
                    "severity": each.severity.label,
                    "message": each.message,
                    "reason": each.reason,
                    "next_step": each.next_step,
                    "version": each.version,
                    "file": str(each.path),
                    "line": each.line,
                    "fingerprint": each.fingerprint,
                    "fixable": each.mendable,
                }
                for each in self.findings
            ],
        }


def _short(path: Path) -> str:
    """The file's name; with its folder where all files have one name."""
    same = path.stem in ("up", "migration", "down")
    return f"{path.parent.name}/{path.name}" if same else path.name


def gate_error(report: LintReport, gate: Severity) -> GateError | None:
    """The error for a report with findings at or above the gate."""
    stopping = [each for each in report.plain if each.severity >= gate]
    if not stopping:
        return None
    first = stopping[0]
    more = f" ({len(stopping) - 1} more like it.)" if len(stopping) > 1 else ""
    return GateError(
        f"{first.code}: {first.message}{more}",
        next_step=first.next_step,
        version=first.version,
        file=first.location.file if first.location else None,
        line=first.location.line if first.location else None,
    )
