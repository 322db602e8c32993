"""Judged: which rules were asked about which migrations. A pure value."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

# Codes of this package; those of others begin otherwise.
OWN_CODE = re.compile(r"CF[0-9A-Z]+")
# What judging the history asks, with a ledger or without.
_OF_THE_HISTORY = frozenset(("CF8D", "CF8E"))


@dataclass(frozen=True, slots=True)
class Judged:
    """What a report speaks of, so that its silence means something.

    Attributes:
        versions: Those that were judged.
        codes: Of the rules that were asked.
        there: All versions of the directory; None where only some were looked at.
    """

    versions: frozenset[str]
    codes: frozenset[str]
    there: frozenset[str] | None = None

    def with_history(self) -> Judged:
        """The same, where what is wrong with the history is told too."""
        return replace(self, codes=self.codes | _OF_THE_HISTORY)

    def covers(self, code: str, version: str) -> bool:
        """Whether a finding would have been told if there were one."""
        # Where nothing has changed the rules need not be imported.
        from confiture_flows.lint.every_rule import find_any_rule

        if self.there is None and version not in self.versions:
            return False
        if OWN_CODE.fullmatch(code) and not find_any_rule(code):
            return True  # no rule has that code any more
        if code not in self.codes:
            return False
        gone = self.there is not None and bool(version) and version not in self.there
        return gone or version in self.versions or self.versions == self.there
