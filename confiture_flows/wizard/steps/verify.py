"""RunVerification: what was done is looked at; the plan is saved, and may become a deployment."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from confiture_flows.errors import ConfigError, GateError
from confiture_flows.plan_file import PLAN_NAME, write_plan_file
from confiture_flows.report.finding import Severity
from confiture_flows.wizard.chosen import plan_of, project_of, request_of, target_of
from confiture_flows.wizard.prefect_profile import prefect_is_configured
from confiture_flows.wizard.prompts import Choice, Leave

if TYPE_CHECKING:
    from confiture_flows.wizard.prompts import Screen
    from confiture_flows.wizard.state import WizardState

_NO_FILE = "-"


class RunVerification:
    """The checks, and what is kept for the next time."""

    name: ClassVar[str] = "verify"
    title: ClassVar[str] = "Checks"
    keys: ClassVar[tuple[str, ...]] = (
        "verify.replay",
        "verify.file",
        "verify.overwrite",
        "verify.deploy",
        "verify.pool",
        "verify.new_pool",
        "verify.cron",
        "verify.time_zone",
    )

    def skipped(self, state: WizardState) -> str | None:
        """Never."""
        return None

    def run(self, screen: Screen, state: WizardState) -> WizardState:
        """See `WizardStep`; what is found changes nothing any more."""
        try:
            return _checked_and_kept(screen, state)
        except Leave as left:
            raise Leave(left.state or state, "Left the wizard; the run itself is done.") from None


def _checked_and_kept(screen: Screen, state: WizardState) -> WizardState:
    if state.copies:
        _show_copy(screen)
    failed = _verify(screen, state) if state.migrates else None
    if screen.page:
        screen.say(f"The run: {screen.page}")
    file = _save(screen, state)
    if file is not None and not screen.offline and prefect_is_configured():
        _deploy(screen, state, file)
    if failed is not None:
        raise failed
    return state


def _show_copy(screen: Screen) -> None:
    from confiture_flows.report.text import print_document

    if screen.copy is None:
        screen.say(
            "The copy was proven before it took its name, in an earlier walk; its report is with "
            "that run."
        )
        return
    print_document(screen.console, screen.copy.document())


def _verify(screen: Screen, state: WizardState) -> GateError | None:
    """Run the verify scripts of all that is applied, and replay the history if wanted.

    Returns:
        What the findings come to, where they reach the gate; told already.
    """
    from confiture_flows.migrations.ledger import read_ledger
    from confiture_flows.migrations.plain import applied_migrations, discover_for
    from confiture_flows.migrations.validate import contradictions, stop_at_gate
    from confiture_flows.migrations.verification import run_verification, verification_document
    from confiture_flows.report.text import print_document, print_findings
    from confiture_flows.target import connect

    target = target_of(screen, state)
    directory = discover_for(request_of(project_of(screen, state), state), target)
    message = "Also replay the history in a scratch database, and compare?"
    replayed = screen.prompter.confirm("verify.replay", message, target.verify == "replay")
    with connect(target, "verify") as conn:
        rows = read_ledger(conn, target.ledger)
        found = run_verification(
            conn,
            target,
            applied_migrations(directory, rows),
            history=directory.migrations if replayed else None,
            known=contradictions(directory, rows),
        )
    print_document(screen.console, verification_document(found, target.name))
    told = [each for each in found.findings if each not in found.differences]
    if told:
        print_findings(screen.console, tuple(told))
    try:
        stop_at_gate(found.findings, Severity.of(target.fail_on))
    except GateError as error:
        screen.told = error
        return error
    return None


def _save(screen: Screen, state: WizardState) -> Path | None:
    """Write the plan; None where nobody wants it."""

    def wrong(text: str) -> str | None:
        path = Path(text)
        if not text:
            return f"Name a file, or {_NO_FILE}."
        if text != _NO_FILE and not path.parent.is_dir():
            return f"There is no folder {path.parent}."
        return f"{text} is a folder." if path.is_dir() else None

    while True:
        message = f"Save what was chosen, to run it again ({_NO_FILE} saves nothing):"
        path = Path(screen.prompter.text("verify.file", message, PLAN_NAME, wrong))
        if str(path) == _NO_FILE:
            return None
        if not path.exists() or screen.prompter.confirm(
            "verify.overwrite", f"{path} is there. Overwrite it?", True
        ):
            break
    write_plan_file(plan_of(state, path.resolve().parent), path)
    screen.say(f"Saved: {path}. Without a person it runs by:", "green")
    for command, applies in (("anonymize", state.copies), ("migrate", state.migrates)):
        if applies:
            screen.say(f"  confiture-flows {command} --plan-file {shlex.quote(str(path))}")
    return path


def _deploy(screen: Screen, state: WizardState, file: Path) -> None:
    """Offer a deployment with a schedule; a server that refuses is told, and costs nothing."""
    if not screen.prompter.confirm(
        "verify.deploy", "Create a Prefect deployment of it, with a schedule?", False
    ):
        return
    from confiture_flows.flows.plan_deployment import deploy_plan

    try:
        pool = _pool(screen)
        cron = screen.prompter.text("verify.cron", "When (cron)?", "0 3 * * *", _wrong_cron)
        zone = screen.prompter.text("verify.time_zone", "In which time zone?", "UTC", _wrong_zone)
        plan = plan_of(state, file.resolve().parent)
        made = deploy_plan(plan, file, pool=pool, cron=cron, time_zone=zone)
    except ConfigError as error:
        screen.tell(error)
        return
    screen.say(f"Deployed: {made.name}, by {cron} in {zone}.", "green")
    screen.say("A worker on this machine runs it, with the same environment variables:")
    screen.say(f"  {made.start}")


def _pool(screen: Screen) -> str:
    """A work pool whose workers run beside the file; made where there is none."""
    from confiture_flows.flows.plan_deployment import make_process_pool, process_pools

    pools = process_pools()
    if pools:
        choices = [Choice(each, each) for each in pools]
        return screen.prompter.select("verify.pool", "Which work pool runs it?", choices)
    name = screen.prompter.text(
        "verify.new_pool",
        "The Prefect server has no work pool of type process. Make one with the name:",
        "migrations",
        lambda text: None if text.strip() else "A work pool has a name.",
    )
    make_process_pool(name)
    screen.say(f"Made: the work pool {name}.", "green")
    return name


def _wrong_cron(text: str) -> str | None:
    from prefect.schedules import Cron

    try:
        Cron(text)
    except ValueError:
        return "This is no cron expression. Minute, hour, day, month, weekday: 0 3 * * 1"
    return None


def _wrong_zone(text: str) -> str | None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "Nobody knows this time zone. It is written like Europe/Berlin."
    return None
