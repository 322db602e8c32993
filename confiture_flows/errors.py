"""The whole error hierarchy, with the exit code of the command line.

    ConfitureFlowsError
    |-- ConfigError (ValueError)         2  a wrong option, file or setting
    |-- EmbeddedServerError              2  no PostgreSQL could be found or started
    |-- TargetError (ConnectionError)    3  the target refuses us
    |   `-- TargetUnreachableError       3  nobody answers, or the connection broke    [retryable]
    |-- PrefectUnreachableError (ConnectionError)  3  no Prefect server is set, or none answers
    |-- MigrationFileError (ValueError)  4  a file that cannot be run
    |-- GateError                        4  findings at or above the gate
    |   |-- HistoryError                 5  ledger and directory disagree
    |   `-- LeakError                    4  the proof of an anonymized copy failed
    |-- PlanError (ValueError)           2  the plan asked for does not exist
    |   `-- IrreversibleError            7  a step back has no down script
    |-- LedgerError                      1  the ledger table is not what it should be
    |-- LockError (TimeoutError)         6  patience ended while others held a lock    [retryable]
    |-- RehearsalError                   1  a dry run says that the plan would fail
    |-- RunTimeoutError (TimeoutError)   1  the time that the run was given is up
    |-- RunCancelledError              130  somebody cancelled the run
    |-- ApprovalError                    8  a plan has to be approved, and cannot be here
    |   |-- ApprovalRejectedError        8  somebody rejected it
    |   `-- ApprovalTimeoutError (TimeoutError)  8  nobody approved it in time
    |-- HookError                        1  a hook failed whose failure ends the run
    |   `-- HookTimeoutError             1  a hook ran out of time and was ended
    |-- RunCrashedError                  1  the process of a run is gone
    |-- RunFailedError                   1  a triggered run failed by an error that is not ours
    |-- RunStillGoingError (TimeoutError) 10  the time to wait for a triggered run is up
    |-- StrategyError                    1  a strategy broke its promise or failed
    |   `-- StrategyCrashError           1  the process of an untrusted one died or was killed
    |-- CopyError                        1  an anonymized copy failed; the target is as it was
    |   `-- CopyInterruptedError         1  a connection of it broke                     [retryable]
    `-- ApplyError                       1  a statement failed; rolled back
        |-- TransientApplyError          1  40001, 40P01: the same again may succeed   [retryable]
        `-- PartialApplyError            9  some statements are committed for good
            |-- ResumableApplyError      9  the same, and the next try goes on   [retryable]
            `-- UnresolvedError          9  only a person can tell what is committed

Every error knows what is true (its message), where (file, line, statement,
SQLSTATE) and what to do next. `retryable` is what Prefect's retries read: for what
ran in one transaction the ledger makes a retry of the whole stage safe, and the journal
what did not; so it says whether a retry is useful.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from pathlib import Path


class ConfitureFlowsError(Exception):
    """Something went wrong in confiture_flows.

    Args:
        message: What is true. The class docstring's first line when not given.
        next_step: What the reader can do about it, ready to type where possible.
        version: The migration's version.
        file: The file the error stands in.
        line: 1-based line in `file`.
        statement: 1-based number of the statement in its script.
        sqlstate: PostgreSQL's five-character code.
        excerpt: The first line of the failing SQL, without secrets.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str = "",
        *,
        next_step: str | None = None,
        version: str | None = None,
        file: Path | None = None,
        line: int | None = None,
        statement: int | None = None,
        sqlstate: str | None = None,
        excerpt: str | None = None,
    ) -> None:
        self.message = message or (type(self).__doc__ or "").partition("\n")[0]
        self.next_step = next_step
        self.version = version
        self.file = file
        self.line = line
        self.statement = statement
        self.sqlstate = sqlstate
        self.excerpt = excerpt
        super().__init__(self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions pickle by their positional arguments alone; ours live in keywords.
        return (_rebuild, (type(self), self.__dict__))

    def __str__(self) -> str:
        parts = [self.message]
        if self.file is not None:
            parts.append(f"at {self.file}" + (f":{self.line}" if self.line else ""))
        if self.next_step:
            parts.append(self.next_step)
        return "\n".join(parts)


def _rebuild(cls: type[ConfitureFlowsError], fields: dict[str, Any]) -> ConfitureFlowsError:
    error = cls.__new__(cls)
    Exception.__init__(error, fields["message"])
    error.__dict__.update(fields)
    return error


class ConfigError(ConfitureFlowsError, ValueError):
    """An option, a file or a setting is wrong."""

    code = "config"
    exit_code = 2


class EmbeddedServerError(ConfitureFlowsError):
    """No PostgreSQL server could be found or started."""

    code = "embedded_server"
    exit_code = 2


class TargetError(ConfitureFlowsError, ConnectionError):
    """The target refused the connection or the right to work on it."""

    code = "target_refused"
    exit_code = 3


class TargetUnreachableError(TargetError):
    """The target did not answer, or the connection to it broke."""

    code = "target_unreachable"
    retryable = True


class MigrationFileError(ConfitureFlowsError, ValueError):
    """A migration file cannot be run as it stands."""

    code = "migration_file"
    exit_code = 4


class GateError(ConfitureFlowsError):
    """There are findings at or above the gate."""

    code = "gate"
    exit_code = 4


class HistoryError(GateError):
    """What is applied and what is on disk do not match."""

    code = "history"
    exit_code = 5


class LeakError(GateError):
    """The proof of an anonymized copy failed; the target is as it was."""

    code = "leak"


class PlanError(ConfitureFlowsError, ValueError):
    """The plan that was asked for does not exist."""

    code = "plan"
    exit_code = 2


class IrreversibleError(PlanError):
    """A migration on the way back has no down script."""

    code = "irreversible"
    exit_code = 7


class LedgerError(ConfitureFlowsError):
    """The ledger table is not what it should be."""

    code = "ledger"


class LockError(ConfitureFlowsError, TimeoutError):
    """A lock was not obtained within the run's patience."""

    code = "lock_timeout"
    exit_code = 6
    retryable = True


class RehearsalError(ConfitureFlowsError):
    """The plan would fail, by what a dry run has seen."""

    code = "rehearsal"


class RunTimeoutError(ConfitureFlowsError, TimeoutError):
    """The time that the run was given is up."""

    code = "run_timeout"


class PrefectUnreachableError(ConfitureFlowsError, ConnectionError):
    """No Prefect server is configured, or it does not answer."""

    code = "prefect_unreachable"
    exit_code = 3


class RunFailedError(ConfitureFlowsError):
    """A triggered run failed by an error that is not one of ours."""

    code = "run_failed"


class RunStillGoingError(ConfitureFlowsError, TimeoutError):
    """The time to wait for a triggered run is up."""

    code = "run_still_going"
    exit_code = 10


class RunCancelledError(ConfitureFlowsError):
    """Somebody cancelled the run."""

    code = "run_cancelled"
    exit_code = 130


class ApprovalError(ConfitureFlowsError):
    """The plan has to be approved, which nobody can do here; nothing was done."""

    code = "approval"
    exit_code = 8


class ApprovalRejectedError(ApprovalError):
    """Somebody has rejected the plan; nothing was done."""

    code = "approval_rejected"


class ApprovalTimeoutError(ApprovalError, TimeoutError):
    """Nobody has approved the plan in time; nothing was done."""

    code = "approval_timeout"


class HookError(ConfitureFlowsError):
    """A hook failed.

    Attributes:
        takes_back: Whether what the run has done is to be undone.
        escaped: Whether it has ended the migration's transaction in which it was called.
    """

    code = "hook"
    takes_back: bool = False
    escaped: bool = False


class HookTimeoutError(HookError):
    """A hook ran out of time and was ended."""

    code = "hook_timeout"


class RunCrashedError(ConfitureFlowsError):
    """The process of a run is gone."""

    code = "run_crashed"


class StrategyError(ConfitureFlowsError):
    """A strategy failed, or did what it says it never does."""

    code = "strategy"


class StrategyCrashError(StrategyError):
    """The process of an untrusted strategy died, or was killed for the time it took."""

    code = "strategy_crash"


class CopyError(ConfitureFlowsError):
    """An anonymized copy failed; the target is as it was."""

    code = "copy"


class CopyInterruptedError(CopyError):
    """A connection of an anonymized copy broke; what it copied last can be copied again."""

    code = "copy_interrupted"
    retryable = True


class ApplyError(ConfitureFlowsError):
    """A statement failed and its migration was rolled back."""

    code = "apply"


class TransientApplyError(ApplyError):
    """A statement failed for a reason that may be gone on the next try."""

    code = "apply_transient"
    retryable = True


class PartialApplyError(ApplyError):
    """A migration stopped after some of its statements were committed."""

    code = "apply_partial"
    exit_code = 9


class ResumableApplyError(PartialApplyError):
    """A migration stopped half way for a reason that may be gone when the next try goes on."""

    code = "apply_interrupted"
    retryable = True


class UnresolvedError(PartialApplyError):
    """A migration was stopped in a statement that may have taken effect or not."""

    code = "unresolved"
