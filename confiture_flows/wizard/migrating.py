"""Step 6 of a migration: run it, show it, say what a failure has undone, ask what comes next."""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from confiture_flows.errors import (
    ApprovalError,
    ConfitureFlowsError,
    RunCancelledError,
    TargetError,
    TargetUnreachableError,
)
from confiture_flows.migrations.report import count
from confiture_flows.wizard.chosen import own_target, project_of, request_of, target_of
from confiture_flows.wizard.monitor import Monitor, interrupted_words, stream_of
from confiture_flows.wizard.prompts import Choice, Leave, NeedsAnswer

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.lifecycle import RunReport
    from confiture_flows.migrations.resolve import Unfinished
    from confiture_flows.target import Target
    from confiture_flows.wizard.prompts import Screen
    from confiture_flows.wizard.state import WizardState

_PATIENCE = 300.0  # seconds for which a database that went away is asked for
_ASK_EVERY = 1.0
_STILL_RUNNING = 30.0  # seconds for a session that does not know yet that its client is gone

_RETRY = Choice("retry", "Try again", "what is applied stays; the rest runs")
_LEAVE = Choice("leave", "Leave it, and resume later", "what is applied stays")


@dataclass(frozen=True, slots=True)
class Standing:
    """What the target says after a failure.

    Attributes:
        done: Rows that this run has written and that are still there.
        unfinished: What is half done.
    """

    done: tuple[LedgerRow, ...]
    unfinished: tuple[Unfinished, ...] = ()

    @property
    def half_done(self) -> str | None:
        """The version that it was stopped in."""
        return self.unfinished[0].version if self.unfinished else None

    @property
    def undone_by_rollback(self) -> int:
        """How many migrations a rollback would undo."""
        return sum(not row.repeatable for row in self.done) + bool(self.unfinished)


@dataclass
class MigrationRun:
    """A run of the migrations that were reviewed, until it is done or somebody leaves.

    Attributes:
        screen: Where it is shown.
        state: What was chosen.
    """

    screen: Screen
    state: WizardState
    _before: dict[str, LedgerRow] = field(default_factory=dict)

    @property
    def target(self) -> Target:
        """Where it runs."""
        return target_of(self.screen, self.state)

    def run(self) -> WizardState:
        """Run it.

        Returns:
            The state, with the flow run's id.

        Raises:
            Back: Somebody wants to look at the plan again.
            Leave: Somebody left; what it says tells what stays applied.
            ConfitureFlowsError: It failed, and there is nobody to choose what becomes of it.
        """
        from confiture_flows.migrations.ledger import read_ledger
        from confiture_flows.migrations.report import run_headline
        from confiture_flows.target import connect

        with connect(self.target, "wizard") as conn:
            self._before = {row.version: row for row in read_ledger(conn, self.target.ledger)}
        while True:
            monitor, error = self._once()
            if monitor.url:
                self.screen.page = monitor.url
                self.state = self.state.but(run_id=monitor.url.rpartition("/")[2])
            if error is None:
                if monitor.report:
                    self.screen.say(run_headline(monitor.report), "green")
                return self.state
            self._failed(monitor.report, error)

    def _once(self) -> tuple[Monitor, ConfitureFlowsError | None]:
        from confiture_flows.migrations.observer import watched_by
        from confiture_flows.migrations.plan import Direction
        from confiture_flows.runs.interrupts import told_at_once
        from confiture_flows.runs.migrating import run_as_flow, run_plainly
        from confiture_flows.wizard.watching import Onlooker

        project, target = project_of(self.screen, self.state), own_target(self.screen, self.state)
        request = request_of(project, self.state)
        monitor = Monitor(stream_of(self.screen))
        with (
            monitor,
            Onlooker(target, monitor.doing),
            watched_by(monitor),
            told_at_once(monitor.said, interrupted_words(self.state)),
            # What a Python migration prints must not get between our lines.
            contextlib.redirect_stdout(sys.stderr),
        ):
            try:
                if self.state.plain:
                    run_plainly(project, target, request, Direction.UP, monitor)
                else:
                    run_as_flow(target, request, Direction.UP, monitor, "stage")
            except ConfitureFlowsError as error:
                return monitor, _what_ended(monitor, error)
            except KeyboardInterrupt:
                return monitor, RunCancelledError(
                    "The run was stopped, and its query was ended.",
                    next_step="Try again to go on, or leave it.",
                )
        return monitor, None

    def _failed(self, report: RunReport | None, error: ConfitureFlowsError) -> None:
        """Say how it stands; return to try again, leave otherwise."""
        if isinstance(error, TargetUnreachableError):
            self.screen.say(
                f"The connection to {self.target.name} is lost. What was not committed is "
                "rolled back by the server.",
                "bold red",
            )
        standing = self._standing()
        self._tell(report, error, standing)
        self._choose(error, standing)

    def _standing(self) -> Standing:
        """Ask the ledger anew, as soon as the target answers.

        Raises:
            Leave: It does not answer.
        """
        from confiture_flows.migrations.ledger import read_ledger
        from confiture_flows.migrations.resolve import read_unfinished
        from confiture_flows.target import connect

        unknown = Leave(
            self.state,
            f"Left the wizard; {self.target.name} does not answer. Its ledger knows what was "
            "applied, and --resume asks it.",
        )
        until, told = time.monotonic() + _PATIENCE, False
        while True:
            try:
                with connect(self.target, "wizard") as conn:
                    _wait_for_the_end(conn)
                    rows = read_ledger(conn, self.target.ledger)
                    done = tuple(row for row in rows if row != self._before.get(row.version))
                    return Standing(done, read_unfinished(conn, self.target.ledger))
            except TargetError:
                if time.monotonic() > until:
                    raise unknown from None
                if not told:
                    told = True
                    self.screen.say(
                        f"Waiting for {self.target.name} to answer; Ctrl-C leaves.", "yellow"
                    )
            except KeyboardInterrupt:
                raise unknown from None
            try:
                time.sleep(_ASK_EVERY)
            except KeyboardInterrupt:
                raise unknown from None

    def _tell(
        self, report: RunReport | None, error: ConfitureFlowsError, standing: Standing
    ) -> None:
        from confiture_flows.migrations.report import failure_document, unfinished_document
        from confiture_flows.report.text import print_document

        self.screen.say("")
        if report is None:
            self.screen.tell(error)
        else:
            report = replace(report, error=error, done=standing.done)
            print_document(self.screen.console, failure_document(report))
            self.screen.told = error
        if standing.unfinished:
            document = unfinished_document(standing.unfinished, self.target.name)
            print_document(self.screen.console, document)
        self.screen.say("")

    def _choose(self, error: ConfitureFlowsError, standing: Standing) -> None:
        """Return to try again.

        Raises:
            Leave: Somebody leaves it as it is.
        """
        while (answer := self._ask("execute.after_error", _ways(standing, self), error)) != "retry":
            if answer == "leave":
                raise Leave(self.state, _stays(standing))
            try:
                self._roll_back(standing)
            except (ConfitureFlowsError, KeyboardInterrupt) as second:
                if isinstance(second, ConfitureFlowsError):
                    self.screen.tell(second)
                self.screen.say("The rollback stopped; what was undone before stays undone.")
                standing = self._standing()
                continue
            self.screen.say("It is as it was before this run.", "green")
            standing = Standing(())
            if self._ask("execute.after_rollback", (_RETRY, _LEAVE), error) == "retry":
                return
            raise Leave(self.state, _stays(standing))

    def _ask(self, key: str, choices: tuple[Choice, ...], error: ConfitureFlowsError) -> str:
        try:
            return self.screen.prompter.select(key, "What now?", choices)
        except NeedsAnswer:
            raise error from None
        except (Leave, KeyboardInterrupt):
            return "leave"

    def refused(self, standing: Standing) -> str | None:
        """Why it cannot be rolled back; None when it can."""
        if not standing.undone_by_rollback:
            return "nothing of this run is applied"
        if self.state.plain and self._asks_somebody():
            return "a rollback has to be approved, which only a flow run can ask for"
        down = {each.version: each.down for each in self._directory().migrations}
        versions = [row.version for row in standing.done if not row.repeatable]
        versions += [standing.half_done] if standing.half_done else []
        stuck = [version for version in versions if down.get(version) is None]
        return f"{', '.join(stuck)} has no down script" if stuck else None

    def _directory(self) -> Directory:
        from confiture_flows.migrations.plain import discover_for

        request = request_of(project_of(self.screen, self.state), self.state)
        return discover_for(request, self.target)

    def _asks_somebody(self) -> bool:
        from confiture_flows.flows._approval_rule import approval_rule
        from confiture_flows.migrations.plan import Direction

        project = project_of(self.screen, self.state)
        return approval_rule(self.target, project, Direction.DOWN).when != "never"

    def _roll_back(self, standing: Standing) -> None:
        """Undo what this run has applied, as a flow run where it was one.

        Raises:
            ConfitureFlowsError: It failed, or somebody has to approve it and did not.
        """
        from confiture_flows.runs.taking_back import take_back_by_flow, take_back_plainly

        request = request_of(project_of(self.screen, self.state), self.state)
        done = tuple(row for row in standing.done if not row.repeatable)
        run = take_back_plainly if self.state.plain else take_back_by_flow
        target = own_target(self.screen, self.state)
        with Monitor(stream_of(self.screen)) as monitor, contextlib.redirect_stdout(sys.stderr):
            try:
                run(target, request, done, standing.half_done, monitor)
            except ConfitureFlowsError as error:
                raise _what_ended(monitor, error) from None


def _what_ended(monitor: Monitor, error: ConfitureFlowsError) -> ConfitureFlowsError:
    """What a run itself has told; Prefect only says that one which nobody approved is cancelled."""
    told = monitor.report.error if monitor.report else None
    return told if isinstance(told, ApprovalError) else error


def _ways(standing: Standing, run: MigrationRun) -> tuple[Choice, ...]:
    title = f"Roll back the {count(standing.undone_by_rollback)} of this run"
    note = "" if run.state.plain else "as a flow run of its own"
    return (_RETRY, Choice("roll-back", title, note, run.refused(standing)), _LEAVE)


def _stays(standing: Standing) -> str:
    stays = ", ".join(row.version for row in standing.done)
    if not stays:
        return "Left the wizard; nothing of this run is applied."
    return f"Left the wizard; applied, and staying: {stays}."


def _wait_for_the_end(conn: Connection) -> None:
    """Wait for a session that runs on after its client: what it does is not over."""
    from confiture_flows.migrations.lock import find_run

    until = time.monotonic() + _STILL_RUNNING
    while find_run(conn) is not None and time.monotonic() < until:
        time.sleep(0.1)
