"""Migrations + ledger rows -> Plan. Pure: no database, no clock. A plan never mixes directions.

Refuses a version nobody knows, a way back through a migration without a down script, and
a `to` that lies in the other direction.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from confiture_flows.errors import IrreversibleError, PlanError

if TYPE_CHECKING:
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.migration import Migration, Runnable

ZERO = "zero"  # the `to` of a rollback that leaves nothing applied


class Direction(StrEnum):
    """Which way a plan goes."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Step:
    """One migration in one direction.

    Attributes:
        migration: What it is about.
        direction: Up applies, down rolls back.
        replaces: The checksum of the last run of a repeatable migration; None is its first.
    """

    migration: Migration
    direction: Direction
    replaces: str | None = None

    def is_done(self, row: LedgerRow | None) -> bool:
        """Whether a step up has been taken, by what the ledger has of its migration."""
        if row is None:
            return False
        return not self.migration.repeatable or row.checksum == self.migration.checksum

    @property
    def script(self) -> Runnable:
        """What runs. A plan is only made where it exists."""
        down = self.migration.down
        if self.direction is Direction.UP or down is None:
            return self.migration.up
        return down


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do.

    Attributes:
        direction: Of all steps.
        steps: In order.
        applied: The versions that were applied when the plan was made.
        to: The version asked for; None is all the way, or one step back.
        stays: Repeatable migrations that a way back to nothing leaves as they are.
    """

    direction: Direction
    steps: tuple[Step, ...]
    applied: frozenset[str] = frozenset()
    to: str | None = None
    stays: tuple[str, ...] = ()

    @property
    def span(self) -> str:
        """The versions from first to last, for names of runs: "0042..0047", "0042", "nothing"."""
        if not self.steps:
            return "nothing"
        first, last = self.steps[0].migration.version, self.steps[-1].migration.version
        return first if first == last else f"{first}..{last}"


def plan_forward(
    migrations: tuple[Migration, ...], rows: tuple[LedgerRow, ...], to: str | None = None
) -> Plan:
    """Plan to apply what is pending, in the directory's order.

    Repeatable migrations come last, and only if nothing of the directory's order is left out:
    they are written for what the last version makes.

    Args:
        migrations: As discovered.
        rows: As read from the ledger.
        to: The last version to apply; None is all.

    Raises:
        PlanError: `to` is not in the directory, or migrations after it are applied.
    """
    applied = frozenset(row.version for row in rows)
    versions = wanted = tuple(each for each in migrations if not each.repeatable)
    if to is not None:
        position = _position(migrations, to)
        wanted, beyond = versions[: position + 1], versions[position + 1 :]
        if to in applied and any(migration.version in applied for migration in beyond):
            raise PlanError(
                f"{to} is already applied, and so are migrations after it.",
                next_step=f"To go back to it: confiture-flows rollback --to {to}",
            )
    steps = [
        Step(migration, Direction.UP) for migration in wanted if migration.version not in applied
    ]
    if wanted == versions:
        last_run = {row.version: row for row in rows}
        for migration in migrations:
            row = last_run.get(migration.version)
            step = Step(migration, Direction.UP, row.checksum if row else None)
            if migration.repeatable and not step.is_done(row):
                steps.append(step)
    return Plan(Direction.UP, tuple(steps), applied, to)


def plan_back(
    migrations: tuple[Migration, ...], rows: tuple[LedgerRow, ...], to: str | None = None
) -> Plan:
    """Plan to undo what was applied after `to`, the latest first.

    Repeatable migrations stay as they are: nothing says what was there before them.

    Args:
        migrations: As discovered.
        rows: As read from the ledger, in the order in which they were applied.
        to: The last version to keep; "zero" keeps none; None undoes one migration.

    Raises:
        PlanError: `to` is not applied, or the files of a migration on the way are gone.
        IrreversibleError: A migration on the way has no down script.
    """
    live = [row for row in rows if row.archived_into is None]
    order = [row.version for row in live if not row.repeatable]
    if to is None:
        undone = order[-1:]
    elif to == ZERO:
        undone = order
    elif to in order:
        undone = order[order.index(to) + 1 :]
    else:
        known = any(migration.version == to for migration in migrations)
        raise PlanError(
            f"{to} is not applied, so there is no way back to it."
            if known
            else f"There is no migration {to}.",
            next_step="See what is applied: confiture-flows status. To undo everything: "
            "confiture-flows rollback --to zero",
        )
    by_version = {migration.version: migration for migration in migrations}
    if missing := [version for version in undone if version not in by_version]:
        raise PlanError(
            f"Migrations applied but not on disk: {', '.join(missing)}.",
            next_step="Restore their files; without their down scripts they cannot be undone.",
        )
    back = [by_version[version] for version in reversed(undone)]
    for migration in back:
        if migration.down is None:
            raise IrreversibleError(
                f"{migration.label} has no down script.",
                version=migration.version,
                file=migration.up.path,
                next_step="Write one, or go forward with a new migration that undoes it.",
            )
    steps = tuple(Step(migration, Direction.DOWN) for migration in back)
    stays = tuple(row.version for row in live if row.repeatable) if undone == order else ()
    return Plan(Direction.DOWN, steps, frozenset(row.version for row in live), to, stays)


def _position(migrations: tuple[Migration, ...], version: str) -> int:
    for position, migration in enumerate(migrations):
        if migration.version == version and migration.repeatable:
            raise PlanError(
                f"{version} is repeatable: it has no place in the order, and runs after all "
                "versions.",
                next_step="Leave --to out.",
            )
        if migration.version == version:
            return position
    raise PlanError(
        f"There is no migration {version}.",
        next_step="See what there is: confiture-flows status",
    )
