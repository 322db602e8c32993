"""Catalog -> findings: what failed or unfinished steps have left behind. Pure.

An index that is being built this moment is as invalid as one whose build failed; whoever calls
says which are, since a catalog does not know.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confiture_flows.report.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.catalog.model import Catalog, CatalogObject

# Source: PostgreSQL docs, REINDEX, "Rebuilding Indexes Concurrently".
_REINDEX_LEFT = re.compile(r"_cc(?P<which>new|old)\d*\"?$")


# The parts of a snapshot that are looked at; to read all of it takes five times as long.
KINDS_LEFT_BEHIND = frozenset({"indexes", "constraints", "domain_constraints", "triggers"})


def left_behind(catalog: Catalog, in_build: frozenset[str] = frozenset()) -> tuple[Finding, ...]:
    """Find invalid indexes, constraints not validated and triggers that are switched off.

    Args:
        catalog: As read from the database.
        in_build: Names of indexes that some session is building now.
    """
    return tuple(_findings(catalog, in_build))


def _findings(catalog: Catalog, in_build: frozenset[str]) -> Iterator[Finding]:
    for each in catalog.objects:
        if each.kind == "index" and not each.valid:
            yield _invalid_index(each, each.name in in_build)
        elif each.kind in ("constraint", "domain constraint") and not each.valid:
            yield _not_validated(each)
        elif each.kind == "constraint" and each.definition.endswith("(its triggers are disabled)"):
            yield Finding(
                "catalog.constraint_disabled",
                Severity.WARNING,
                f"Constraint {each.name} is not enforced: its triggers are disabled.",
                next_step=f"ALTER TABLE {each.part_of} ENABLE TRIGGER ALL; and look for rows "
                "that break it.",
            )
        elif each.kind == "trigger" and each.definition.endswith("(disabled)"):
            trigger = each.name.removeprefix(f"{each.part_of}.")
            yield Finding(
                "catalog.trigger_disabled",
                Severity.INFO,
                f"Trigger {each.name} is disabled.",
                next_step=f"ALTER TABLE {each.part_of} ENABLE TRIGGER {trigger}; unless it is "
                "meant to be.",
            )


def _invalid_index(index: CatalogObject, in_build: bool) -> Finding:
    severity = Severity.WARNING
    if in_build:
        severity = Severity.INFO
        said, step = "is being built by another session.", "Look again when that has ended."
    elif " ON ONLY " in index.definition:
        said = "is invalid: not every partition has its part of it."
        step = (
            "CREATE INDEX CONCURRENTLY on each partition that lacks it, then "
            f"ALTER INDEX {index.name} ATTACH PARTITION ...; for each."
        )
    elif left := _REINDEX_LEFT.search(index.name):
        said = "is left over from a REINDEX CONCURRENTLY that did not finish."
        step = f"DROP INDEX CONCURRENTLY {index.name}; " + (
            "and REINDEX again; the index it was to replace is still there."
            if left["which"] == "new"
            else "Its replacement is in place."
        )
    else:
        said = "is invalid: its concurrent build did not finish."
        step = f"DROP INDEX CONCURRENTLY {index.name}; and build it again."
    return Finding("catalog.invalid_index", severity, f"Index {index.name} {said}", next_step=step)


def _not_validated(constraint: CatalogObject) -> Finding:
    own = constraint.name.removeprefix(f"{constraint.part_of}.")
    domain = constraint.kind == "domain constraint"
    what = "values" if domain else "rows"
    return Finding(
        "catalog.not_validated",
        Severity.INFO,
        f"{constraint.kind.capitalize()} {constraint.name} is not validated: {what} from before "
        "it may break it.",
        next_step=f"ALTER {'DOMAIN' if domain else 'TABLE'} {constraint.part_of} "
        f"VALIDATE CONSTRAINT {own}; in a later migration.",
    )
