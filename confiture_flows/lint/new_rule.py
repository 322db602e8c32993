"""A name -> the files of a lint rule of one's own: the rule, its cases, its test.

The rule that is written works and passes its test; what it demands is to be replaced. Refuses a
name that sqlfluff would refuse, and never overwrites a file.
"""

from __future__ import annotations

import re
from string import Template
from typing import TYPE_CHECKING

from confiture_flows.errors import ConfigError
from confiture_flows.lint.registry import all_rules
from confiture_flows.lint.rule_index import ENTRY_POINTS

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r"(?P<category>[a-z][a-z_]+)\.(?P<rule>[a-z][a-z_]+)")

_RULE = Template('''\
"""Give every table a comment.

Nobody remembers what a table was for.

**Anti-pattern**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY);
```

**Best practice**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY);
COMMENT ON TABLE orders IS 'What customers have paid for.';
```
"""

from collections.abc import Iterator

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op


def check(said: op.CreateTable, scene: Scene) -> Iterator[Problem]:
    """A problem for each table that the script says nothing about."""
    told = {each.name for each in scene.later() if isinstance(each, op.AlterObject)}
    if said.table not in told:
        yield Problem(f"{said.table} has no comment.", "Add COMMENT ON TABLE.", table=said.table)


RULE = Rule(
    code="$code",
    name="$name",
    category="$category",
    severity=Severity.WARNING,
    on=(op.CreateTable,),
    check=check,
    doc=__doc__,
)
''')

_CASES = """\
fail:
  - sql: CREATE TABLE orders (id bigint);
  - sql: CREATE TABLE orders (id bigint); CREATE TABLE "Users" (id bigint);
    count: 2
pass:
  - sql: CREATE TABLE orders (id bigint); COMMENT ON TABLE orders IS 'What was paid for.';
  - sql: CREATE INDEX orders_id ON orders (id);
"""

_TEST = Template('''\
"""The rule on its cases."""

from pathlib import Path

from $module import RULE

from confiture_flows.lint.testing import assert_finds, check_cases


def test_cases() -> None:
    check_cases(RULE, Path(__file__).with_name("$module.yml"))


def test_table_of_an_earlier_migration_is_not_judged_again() -> None:
    assert_finds(RULE, "CREATE TABLE b (id int);", before="CREATE TABLE a (id int);")
''')


def write_rule(folder: Path, name: str) -> tuple[str, tuple[Path, ...]]:
    """Write the files of a rule.

    Args:
        folder: Where; it has to be there.
        name: Its category and demand, such as "shop.comment_tables".

    Returns:
        What pyproject.toml has to say for the rule to be found, and the files.

    Raises:
        ConfigError: The name is none, a file is already there or cannot be written.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise ConfigError(
            f"{name!r} is no name of a rule." if name else "Which rule?",
            next_step="Give a category and a demand in small letters: shop.comment_tables",
        )
    module, code = match["rule"], _free_code(match["category"])
    words = {"code": code, "name": name, "category": match["category"], "module": module}
    files = {
        folder / f"{module}.py": _RULE.substitute(words),
        folder / f"{module}.yml": _CASES,
        folder / f"test_{module}.py": _TEST.substitute(words),
    }
    for path in files:
        if path.exists():
            raise ConfigError(f"{path} is already there.", next_step="Choose another name.")
    for path, text in files.items():
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}.") from None
    return f'[project.entry-points."{ENTRY_POINTS}"]\n{module} = "{module}:RULE"\n', tuple(files)


def _free_code(category: str) -> str:
    """Four letters and digits that no rule has, from the category."""
    taken = {each.code for each in all_rules()}
    letters = re.sub(r"[^A-Z]", "", category.upper())[:2].ljust(2, "X")
    return next(code for number in range(1, 100) if (code := f"{letters}{number:02}") not in taken)
