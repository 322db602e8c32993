"""Project + two targets -> a copy that is planned and tried, before a byte moves."""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_flows.anonymization.copying.sessions import set_text_forms, values_untold
from confiture_flows.anonymization.factory import StrategyFactory
from confiture_flows.anonymization.keys import secret_findings
from confiture_flows.anonymization.planning import plan_copy
from confiture_flows.anonymization.registry import load_strategies
from confiture_flows.anonymization.rules import rules_of
from confiture_flows.anonymization.trial import DEFAULT_ROWS, try_plan
from confiture_flows.errors import ConfigError
from confiture_flows.target import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from confiture_flows.anonymization.keys import Secret
    from confiture_flows.anonymization.planning import Planned
    from confiture_flows.config import Project
    from confiture_flows.target import Target


@contextmanager
def folder_of_keys() -> Iterator[Path]:
    """A folder for the keys of a subset; readable by this user only, gone with the block."""
    with tempfile.TemporaryDirectory(prefix="confiture-keys-") as folder:
        yield Path(folder)


def prepare_copy(
    conn: Connection,
    project: Project,
    source: Target,
    target: Target | Path,
    secret: Secret | None,
    folder: Path,
    rows: int = DEFAULT_ROWS,
) -> Planned:
    """Plan a copy, and try it on sample rows unless its rules are wrong already.

    Args:
        conn: The source; only read.
        project: What the configuration says.
        source: Where `conn` leads.
        target: The database to become the copy, or a folder.
        secret: What keys are made from.
        folder: Where the keys of a subset are written; they have to stay until the copy is done.
        rows: How many rows of each table are tried; 0 tries none.

    Raises:
        ConfigError: A name is not written as one, a module of strategies cannot be imported, or
            the target is none to be replaced.
        CopyError: A condition on rows fails on a value.
        TargetError: The source refuses.
    """
    refuse_target(source, target)
    import_strategies(project)
    samples = project.anonymization.detection.samples
    # Keys and rows that are read here as text are read again by the sessions that copy.
    set_text_forms(conn)
    with values_untold(f"Looking at the rows of {source.name}"):
        planned = plan_copy(conn, rules_of(project), StrategyFactory(secret), folder, samples)
        planned = planned.with_findings(secret_findings(project))
        if planned.plan.errors or not rows:
            return planned
        return planned.with_findings(try_plan(conn, planned, source, target, rows))


def import_strategies(project: Project) -> None:
    """Import the modules of a project's strategies, so that the processes that copy can as well.

    Raises:
        ConfigError: One cannot be imported, or registers a name that is taken.
    """
    if project.anonymization.strategies and project.source is not None:
        folder = str(project.source.parent.resolve())
        # For good: the processes that copy get this path, and rules may say module:Class.
        if folder not in sys.path:
            sys.path.append(folder)
    load_strategies(project)


def refuse_target(source: Target, target: Target | Path) -> None:
    """Refuse what the configuration alone says cannot be replaced.

    Raises:
        ConfigError: The target is production's, or is the source.
    """
    if isinstance(target, Path):
        return
    if target.production:
        raise ConfigError(
            f"{target.name} is a production target: no copy replaces it.",
            next_step="Name another target.",
        )
    if source.name == target.name or source.dsn == target.dsn:
        raise ConfigError(
            f"{source.name} and {target.name} are one database: a copy would replace its source.",
            next_step="Name another target.",
        )


@contextmanager
def prepared(
    project: Project, source: Target, target: Target | Path, secret: Secret | None
) -> Iterator[tuple[Connection, Planned]]:
    """The source's connection and a planned copy, for the block.

    Raises:
        ConfigError: See `prepare_copy`.
        TargetError: The source does not answer, or refuses.
    """
    with folder_of_keys() as folder, connect(source, "anonymize") as conn:
        yield conn, prepare_copy(conn, project, source, target, secret, folder)
