"""HookPoint, HookContext, HookResult, Hook: what hooks get, give back, and are. Frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from confiture_flows.errors import ConfitureFlowsError
from confiture_flows.sql.secrets import masked, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.migration import Migration
    from confiture_flows.migrations.plan import Plan
    from confiture_flows.report.finding import Finding

Transaction = Literal["none", "own", "migration"]
OnFailure = Literal["abort", "warn", "rollback"]
Way = Literal["up", "down", "both"]
Scalar = str | int | float | bool | None

DEFAULT_TIMEOUT = 600.0  # seconds
DEFAULT_PRIORITY = 100


class HookPoint(StrEnum):
    """When a hook fires."""

    BEFORE_VALIDATE = "before_validate"
    BEFORE_APPLY = "before_apply"
    AFTER_APPLY = "after_apply"
    ON_ERROR = "on_error"


class HookKind(StrEnum):
    """What a hook is."""

    FUNCTION = "function"
    ASYNC_FUNCTION = "async function"
    TASK = "Prefect task"
    FLOW = "Prefect flow"


@dataclass(frozen=True, slots=True)
class HookSummary:
    """A context in plain values: what a Prefect flow gets, whose parameters are stored and shown.

    Attributes:
        point: When it fires.
        key: The same for the same event, however often it is told.
        run_id: The flow run's id.
        target: The target's name.
        direction: "up" or "down".
        planned: Versions, in order; empty before there is a plan.
        done: Versions that the run has applied or rolled back, and that still stand.
        taken_back: Versions that were done and undone again.
        version: Of the migration at hand.
        error: What ended the run, in one line without passwords.
        elapsed: Seconds since the run began.
    """

    point: str
    key: str
    run_id: str
    target: str
    direction: str
    planned: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    taken_back: tuple[str, ...] = ()
    version: str | None = None
    error: str | None = None
    elapsed: float = 0.0


@dataclass(frozen=True, slots=True)
class HookContext:
    """What a hook is told.

    Attributes:
        point: When it fires.
        hook: The hook's own name.
        run_id: The same for all hooks of a run; in a flow, the flow run's id.
        target: The target's name.
        production: Whether the target is one.
        direction: "up" or "down".
        plan: What the run does; None before there is a plan.
        migration: The migration at hand, for a hook with `each`.
        done: Rows that the run has written or erased; None when that is not known.
        taken_back: Rows that were written and erased again, since the run failed.
        findings: So far.
        error: What ended the run.
        elapsed: Seconds since the run began.
        attempt: How often this key was told by now; above 1 when a stage was tried again.
        depth: How many runs of other targets this one is started from, by their hooks.
    """

    point: HookPoint
    hook: str
    run_id: str
    target: str
    production: bool = False
    direction: str = "up"
    plan: Plan | None = None
    migration: Migration | None = None
    done: tuple[LedgerRow, ...] | None = ()
    taken_back: tuple[LedgerRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    error: BaseException | None = None
    elapsed: float = 0.0
    attempt: int = 1
    depth: int = 0

    @property
    def key(self) -> str:
        """The same for the same event, however often it is told: an idempotency key."""
        parts = [self.run_id, self.point.value, self.hook]
        return ":".join([*parts, self.migration.version] if self.migration else parts)

    @property
    def error_message(self) -> str | None:
        """What ended the run, in one line without passwords."""
        if self.error is None:
            return None
        if isinstance(self.error, ConfitureFlowsError):
            return masked(self.error.message)
        return told(self.error)

    def summary(self) -> HookSummary:
        """The same in plain values."""
        steps = self.plan.steps if self.plan else ()
        return HookSummary(
            point=self.point.value,
            key=self.key,
            run_id=self.run_id,
            target=self.target,
            direction=self.direction,
            planned=tuple(step.migration.version for step in steps),
            done=tuple(row.version for row in self.done or ()),
            taken_back=tuple(row.version for row in self.taken_back),
            version=self.migration.version if self.migration else None,
            error=self.error_message,
            elapsed=round(self.elapsed, 3),
        )


@dataclass(frozen=True, slots=True)
class HookResult:
    """How a hook went.

    Attributes:
        ok: False is a failure, whatever the message says.
        message: One line, for logs and reports.
        data: Numbers and short texts, for artifacts; never a secret.
        duration: Seconds; the executor fills it in.
    """

    ok: bool = True
    message: str = ""
    data: Mapping[str, Scalar] = field(default_factory=dict)
    duration: float = 0.0


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook as it was registered.

    Attributes:
        name: What people call it.
        point: When it fires.
        call: A function, or a Prefect task or flow.
        kind: Which of them.
        takes: What it gets beside the context: nothing, a connection, or the target.
        each: Whether it fires once a migration.
        direction: Which runs it is for.
        transaction: What it runs in.
        on_failure: What becomes of the run when it fails.
        timeout: Seconds; 0 is no limit.
        retries: How often it is tried again.
        priority: Lower is earlier.
        after: Names of hooks that come before it.
        settings: The options of a built-in hook as the configuration has them, in one text; may
            hold secrets, never shown.
    """

    name: str
    point: HookPoint
    call: Callable[..., Any]
    kind: HookKind = HookKind.FUNCTION
    takes: Literal["", "conn", "target"] = ""
    each: bool = False
    direction: Way = "up"
    transaction: Transaction = "none"
    on_failure: OnFailure = "abort"
    timeout: float = DEFAULT_TIMEOUT
    retries: int = 0
    priority: int = DEFAULT_PRIORITY
    after: tuple[str, ...] = ()
    settings: str = field(default="", repr=False)

    @property
    def label(self) -> str:
        """Point and name, as runs in Prefect and findings are called."""
        return f"{self.point.value}: {self.name}"
