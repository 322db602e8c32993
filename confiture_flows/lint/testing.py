"""For the tests of lint rules: what a rule says of a piece of SQL, and cases in YAML.

Raises AssertionError, so that it serves every test runner. A file of cases:

    before: CREATE TABLE orders (id bigint PRIMARY KEY);
    fail:
      - sql: CREATE INDEX orders_id ON orders (id);
        line: 1
        count: 1
        severity: error
        fix: CREATE INDEX CONCURRENTLY orders_id ON orders (id);
    pass:
      - sql: CREATE INDEX CONCURRENTLY orders_id ON orders (id);

`before` is an earlier migration, of all cases or of one; a case may have a `down` script, one that
is pending with it, `beside`, and a later migration, `after`. `rows` of tables, as
`{orders: 5000000}`, are what statistics say.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from confiture_flows.lint.fixes import apply_edits
from confiture_flows.lint.runner import lint_migrations
from confiture_flows.lint.settings import LintSettings
from confiture_flows.lint.statistics import TableFacts, TableStatistics
from confiture_flows.migrations.discovery import discover
from confiture_flows.sql.parts import ObjectName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from confiture_flows.lint.report import LintFinding
    from confiture_flows.lint.rule import Rule

# What a row of a case takes, so that rows alone say how large a table is.
_ROW_BYTES = 1


@dataclass(frozen=True, slots=True)
class RuleCase:
    """A migration, and what a rule says of it.

    Attributes:
        sql: The migration.
        before: The migration before it.
        beside: A migration between the two that is judged with it as one set.
        down: Its way back.
        after: The migration after it.
        count: How often the rule speaks; 0 when it has to be silent.
        line: Where it speaks first.
        severity: How bad that is; None does not ask.
        fix: The migration when it is mended; None does not ask.
        adds: What a new migration does to mend it; None does not ask.
        down_fix: Its way back when it is mended; None does not ask.
        rows: How many rows tables of the schema public have; of others nobody knows.
    """

    sql: str
    before: str = ""
    beside: str = ""
    down: str = ""
    after: str = ""
    count: int = 1
    line: int = 1
    severity: str | None = None
    fix: str | None = None
    adds: str | None = None
    down_fix: str | None = None
    rows: Mapping[str, int] = field(default_factory=dict)

    @property
    def mends(self) -> bool:
        """Whether it asks what a program mends."""
        return any(each is not None for each in (self.fix, self.adds, self.down_fix))

    def check(
        self, rule: Rule, *, settings: LintSettings | None = None, beside: Iterable[Rule] = ()
    ) -> None:
        """See that a rule says what the case says, and that its fix leaves nothing to mend.

        Args:
            rule: The rule.
            settings: What the project says.
            beside: Rules that run too, and whose findings do not count.

        Raises:
            AssertionError: It says something else.
        """
        found = findings_of_rule(rule, self, settings=settings, beside=beside)
        said = [f"line {each.line}: {each.message}" for each in found]
        _same(
            f"{rule.code} has to speak {self.count} times, and says {said}", len(found), self.count
        )
        if not found:
            return
        _same(f"{rule.code} speaks of another line", found[0].line, self.line)
        if self.severity is not None:
            _same(f"{rule.code} is as bad", found[0].severity.label, self.severity)
        for each in found:
            _same(f"{each.next_step!r} ends in a full stop", each.next_step.endswith("."), True)
        if self.adds is not None:
            added = ";".join(each.adds for each in found)
            _same(f"{rule.code} writes a migration", added, self.adds)
        if self.down_fix is not None:
            edits = [edit for each in found if each.elsewhere for edit in each.elsewhere[1]]
            down = apply_edits(self.down, edits)
            _same(f"{rule.code} mends the way back", down, self.down_fix)
            left = (
                findings_of_rule(rule, replace(self, down=down), settings=settings) if edits else ()
            )
            _same(f"{rule.code} mends it once and for all", left, ())
        if self.fix is not None:
            mended = apply_edits(self.sql, [edit for each in found for edit in each.edits])
            _same(f"{rule.code} mends it", mended, self.fix)
            down = self.down if mended == self.sql else ""
            twice = replace(self, sql=mended, down=down)
            again = findings_of_rule(rule, twice, settings=settings, beside=beside)
            left = [edit for each in again for edit in each.edits]
            _same(f"{rule.code} mends it once and for all", left, [])


def assert_finds(rule: Rule, sql: str, **case: Any) -> None:
    """See that a rule speaks of a migration; keywords are those of `RuleCase`.

    Raises:
        AssertionError: It does not, or says something else.
    """
    RuleCase(sql, **case).check(rule)


def assert_silent(rule: Rule, sql: str, **case: Any) -> None:
    """See that a rule says nothing of a migration; keywords are those of `RuleCase`.

    Raises:
        AssertionError: It speaks.
    """
    RuleCase(sql, count=0, **case).check(rule)


def read_cases(path: Path) -> tuple[RuleCase, ...]:
    """The cases of a file: those of `fail` first, then those of `pass`."""
    import yaml

    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    shared = {"before": table.get("before", ""), "rows": table.get("rows", {})}
    return (
        *(RuleCase(**shared | each) for each in table.get("fail", ())),
        *(RuleCase(**shared | each | {"count": 0}) for each in table.get("pass", ())),
    )


def check_cases(rule: Rule, path: Path, *, settings: LintSettings | None = None) -> None:
    """See that a rule says what a file of cases says, two or more of each kind.

    Raises:
        AssertionError: It says something else.
    """
    cases = read_cases(path)
    failing = [each for each in cases if each.count]
    for what, number in (("fail", len(failing)), ("pass", len(cases) - len(failing))):
        _same(f"{path.name} has two or more cases that {what}", number >= 2, True)
    mends = any(each.mends for each in failing)
    _same(f"{path.name} shows what {rule.code} mends", mends, rule.fixable)
    for each in cases:
        each.check(rule, settings=settings)


def findings_of_rule(
    rule: Rule,
    case: RuleCase,
    *,
    settings: LintSettings | None = None,
    beside: Iterable[Rule] = (),
) -> tuple[LintFinding, ...]:
    """What a rule says of a migration.

    Args:
        rule: The rule.
        case: The migration, with what is before and after it.
        settings: What the project says.
        beside: Rules that run too, and whose findings are left out.
    """
    files = {
        "0_before.up.sql": case.before,
        "1_beside.up.sql": case.beside,
        "2_case.up.sql": case.sql,
        "2_case.down.sql": case.down,
        "3_after.up.sql": case.after,
    }
    if case.rows:
        tables = {
            ObjectName("public", name): TableFacts(rows, rows * _ROW_BYTES)
            for name, rows in case.rows.items()
        }
        statistics = TableStatistics(date.today(), tables)
        settings = replace(settings or LintSettings(), statistics=statistics)
    with TemporaryDirectory(prefix="confiture-rule-") as name:
        for file, text in files.items():
            if text:
                (Path(name) / file).write_text(text, encoding="utf-8", newline="")
        migrations = discover(Path(name), as_written=True).migrations
        report = lint_migrations(
            migrations,
            only=frozenset(("1", "2") if case.beside else ("2",)),
            together=bool(case.beside),
            settings=settings,
            rules=(rule, *(each for each in beside if each.code != rule.code)),
        )
    return tuple(each for each in report.findings if each.rule == rule.code and each.version == "2")


def _same(what: str, said: object, wanted: object) -> None:
    if said != wanted:
        raise AssertionError(f"{what}: {said!r}, not {wanted!r}")
