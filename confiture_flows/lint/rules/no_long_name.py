"""Keep names to 63 bytes.

PostgreSQL cuts longer names with no more than a notice: two of them may become one, and IF
EXISTS looks for a name that is not there.

**Anti-pattern**

```sql
CREATE TABLE
  a_name_that_goes_on_and_on_and_on_until_nobody_remembers_how_it_began (id bigint PRIMARY KEY);
```

**Best practice**

```sql
CREATE TABLE a_short_name (id bigint PRIMARY KEY);
```

`--fix` writes the name as PostgreSQL cuts it, which changes nothing but what people read.

Source: PostgreSQL docs, Lexical Structure, Identifiers and Key Words
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._words import NAMING, cut_words, new_names, was_cut
from confiture_flows.lint.rule import Problem, Rule, Scene, TextEdit
from confiture_flows.report.finding import Severity
from confiture_flows.sql.parts import Inside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.sql import operation as op


def _check(said: op.Operation, scene: Scene) -> Iterator[Problem]:
    cut: set[str] = set()
    for kind, word in new_names(said):
        if was_cut(word, scene.statement.sql):
            yield Problem(
                f"The {kind} {word}... is longer than 63 bytes and will be cut.",
                "Use a shorter name.",
                edits=_shortened(said, word, scene) if word not in cut else (),
            )
            cut.add(word)


def _shortened(said: op.Operation, word: str, scene: Scene) -> tuple[TextEdit, ...]:
    """The name as PostgreSQL cuts it, wherever the statement has it."""
    if said.inside is not Inside.SCRIPT:
        return ()
    edits: list[TextEdit] = []
    for written, start, end in cut_words(word, scene.statement.sql):
        quoted = '"' + word.replace('"', '""') + '"'
        short = quoted if written.startswith('"') else written[: len(word)]
        place = scene.statement.start
        edits.append(TextEdit(place + start, place + end, short))
    return tuple(edits)


RULES = (
    Rule(
        code="CF62",
        name="naming.no_long_name",
        category="naming",
        severity=Severity.WARNING,
        on=NAMING,
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=True,
    ),
)
