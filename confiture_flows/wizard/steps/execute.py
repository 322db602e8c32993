"""ExecutionMonitor: run what was reviewed, show how it goes, choose what a failure leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from confiture_flows.wizard.prompts import Screen
    from confiture_flows.wizard.state import WizardState


class ExecutionMonitor:
    """The run."""

    name: ClassVar[str] = "execute"
    title: ClassVar[str] = "Run"
    keys: ClassVar[tuple[str, ...]] = ("execute.after_error", "execute.after_rollback")

    def skipped(self, state: WizardState) -> str | None:
        """Never."""
        return None

    def run(self, screen: Screen, state: WizardState) -> WizardState:
        """See `WizardStep`; the one step that changes a database.

        Raises:
            ConfitureFlowsError: The run failed, and there is nobody to choose what becomes of it.
        """
        if state.copies:
            from confiture_flows.wizard.copying import make_copy

            state = make_copy(screen, state)
        if state.migrates:
            from confiture_flows.wizard.migrating import MigrationRun

            state = MigrationRun(screen, state).run()
        return state
