"""TextEdit: what a rule changes in the text of a script. A pure value.

Apart from the rules, since a report that was kept holds edits and needs no rule.
"""

from __future__ import annotations

from confiture_flows.sql.value import value


@value()
class TextEdit:
    """Characters `start` to `end` of the script's text become `text`."""

    start: int
    end: int
    text: str
