"""What all commands share: their options, how an outcome is printed, and the exit code."""

from __future__ import annotations

import json as jsonlib
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path  # noqa: TC003 - cyclopts reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from confiture_flows.errors import ConfigError, ConfitureFlowsError, RunCancelledError
from confiture_flows.report.console import console, silence
from confiture_flows.report.json import envelope, plain
from confiture_flows.runs import quiet_prefect

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_flows.config import OutOfOrder, Project
    from confiture_flows.migrations.lifecycle import Request
    from confiture_flows.report.document import Document
    from confiture_flows.report.finding import Finding
    from confiture_flows.target import Target

INTERRUPTED = 130


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class DirectoryOptions:
    """Which directory."""

    dir: Annotated[
        Path | None, Parameter(help="Directory of the migrations [default: db/migrations].")
    ] = None
    layout: Annotated[
        str | None, Parameter(help="How it writes migrations down [default: detected].")
    ] = None
    json: Annotated[bool, Parameter(help="Print one JSON object.", negative="")] = False


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Options(DirectoryOptions):
    """Which database and which directory."""

    target: Annotated[
        str | None, Parameter(help="A target of confiture.toml, or a PostgresTarget block.")
    ] = None
    dsn: Annotated[
        str | None,
        Parameter(help="Connection string instead of a target; also in CONFITURE_DSN."),
    ] = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command has to say.

    Attributes:
        result: For --json; None when the command did not get that far.
        document: For people.
        findings: Shown after the document.
        error: What ended the command.
        told: Those of the findings that the document shows already.
        page: Printed as it stands, instead of all that.
    """

    result: dict[str, Any] | None = None
    document: Document | None = None
    findings: tuple[Finding, ...] = ()
    error: BaseException | None = None
    told: tuple[Finding, ...] = ()
    page: str | None = None


@dataclass
class Work:
    """A command's surroundings, resolved from its options when it asks for them."""

    options: DirectoryOptions
    target_name: str | None = None
    findings: tuple[Finding, ...] = ()

    @cached_property
    def project(self) -> Project:
        """The configuration."""
        from confiture_flows.config import load_project

        return load_project()

    def target(self) -> Target:
        """The target that the options, the environment or the configuration name.

        Raises:
            ConfigError: None of them does, or nobody knows the name.
        """
        from confiture_flows.target import configured_target

        if not isinstance(self.options, Options):
            raise TypeError("This command has no target.")
        found = configured_target(self.project, self.options.target, self.options.dsn)
        if found is None:
            quiet_prefect()
            from confiture_flows.blocks.target import load_target

            found = load_target(str(self.options.target), self.project)
        self.target_name = found.name
        return found

    def request(self, to: str | None = None, out_of_order: OutOfOrder | None = None) -> Request:
        """What the options ask for.

        Raises:
            ConfigError: An option is empty, most likely an unset variable.
        """
        for option, value in (("--to", to), ("--layout", self.options.layout)):
            if value == "":
                raise ConfigError(f"{option} is empty.", next_step="Leave it out, or say which.")
        from confiture_flows.migrations.lifecycle import Request

        directory = self.options.dir or self.project.directory
        return Request(
            directory=directory,
            layout=self.options.layout or self.project.layout,
            as_written=self.project.as_written,
            to=to,
            replaced=self.project.replace_placeholders,
            root=self.project.include_root(directory),
            out_of_order=out_of_order,
        )


def can_ask(options: DirectoryOptions) -> bool:
    """Whether somebody is there to answer a question."""
    return not options.json and sys.stdin.isatty() and sys.stdout.isatty()


def says_yes(question: str) -> bool:
    """Ask a person; anything but yes is no."""
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:
        answer = ""
    return answer.strip().lower() in ("y", "yes")


def framed(command: str, options: DirectoryOptions, run: Callable[[Work], Outcome]) -> int:
    """Run a command and print its outcome.

    Returns:
        The exit code.
    """
    work = Work(options)
    try:
        outcome = run(work)
    except ConfitureFlowsError as error:
        outcome = Outcome(error=error)
    except KeyboardInterrupt:
        outcome = Outcome(error=interrupted())
    except Exception as error:
        if not options.json:
            raise  # a mistake of ours: the traceback is what a report of it needs
        outcome = Outcome(error=error)
    try:
        _show(command, work, outcome)
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout)  # the exit code still tells how it went
    return exit_code(outcome.error)


def _show(command: str, work: Work, outcome: Outcome) -> None:
    if not work.options.json:
        _print(outcome)
        return
    print_json(
        envelope(
            command,
            target=work.target_name,
            result=outcome.result,
            findings=outcome.findings,
            error=outcome.error,
        )
    )


def interrupted() -> RunCancelledError:
    """The error for Ctrl-C."""
    return RunCancelledError("Interrupted; what was running is cancelled.")


def exit_code(error: BaseException | None) -> int:
    """The exit code for what ended a command; docs/exit-codes.md lists them."""
    if error is None:
        return 0
    if isinstance(error, ConfitureFlowsError):
        return error.exit_code
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1


def print_json(value: dict[str, Any]) -> None:
    """Print the one JSON object of a command."""
    print(jsonlib.dumps(value, default=plain, indent=2))


def _print(outcome: Outcome) -> None:
    document, error = outcome.document, outcome.error
    if outcome.page is not None:
        sys.stdout.write(outcome.page)
        return
    if document and not document.blocks and not outcome.findings and not error:
        print(document.title)  # one line; rich would take a tenth of a second to import
        return
    from confiture_flows.report.text import print_document, print_error, print_findings

    if document:
        print_document(console(sys.stdout), document)
    elif error:
        print_error(console(sys.stderr), error)
    findings = tuple(each for each in outcome.findings if not _is_told(each, outcome))
    if findings:
        print_findings(console(sys.stderr), findings)


def _is_told(finding: Finding, outcome: Outcome) -> bool:
    """Whether the error that is shown is this finding."""
    error, document = outcome.error, outcome.document
    if finding in outcome.told:
        return True
    if not isinstance(error, ConfitureFlowsError) or not error.message.startswith(finding.message):
        return False
    # A run's document tells of the error that ended it; a status does not.
    if document is None:
        return finding.diff is None
    return any(getattr(block, "text", None) == error.message for block in document.blocks)
