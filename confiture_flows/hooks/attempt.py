"""One call of a hook -> HookResult or HookError: its connection, its limits, what it returns."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_flows.errors import (
    ConfitureFlowsError,
    HookError,
    HookTimeoutError,
    RunCancelledError,
)
from confiture_flows.hooks.limits import TimeIsUp, WasStopped, time_limit
from confiture_flows.hooks.model import Hook, HookContext, HookKind, HookResult
from confiture_flows.hooks.output import printing_to, without
from confiture_flows.migrations.nesting import inside_hook
from confiture_flows.sql.secrets import told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from psycopg import Connection

    from confiture_flows.target import Target

_LONGEST = 500  # characters of a message


@dataclass(frozen=True, slots=True)
class Attempt:
    """A hook, and what it is called with.

    Attributes:
        hook: What to call.
        context: What it is told.
        target: The run's.
        tell: Hears what it prints.
        secrets: What must not be shown.
        conn: The migration's connection, for a hook in its transaction.
        stopped: Whether somebody has stopped the run.
    """

    hook: Hook
    context: HookContext
    target: Target
    tell: Callable[[str], None]
    secrets: tuple[str, ...] = ()
    conn: Connection | None = None
    stopped: Callable[[], bool] | None = None

    def run(self, call: Callable[..., Any]) -> HookResult:
        """Call it once.

        Args:
            call: The hook, or what makes a run of Prefect's out of it.

        Raises:
            HookError: It failed, or said that it did, or ran out of time.
            RunCancelledError: Somebody has stopped the run.
        """
        started = time.monotonic()
        try:
            with inside_hook(self.target), printing_to(self._print):
                value = self._in_its_transaction(call)
            result = self._result(value)
        except TimeIsUp:
            raise self._error(
                f"ran out of time ({self.hook.timeout:g} s) and was ended",
                kind=HookTimeoutError,
                next_step="Give it more time (timeout), or see what it waits for.",
            ) from None
        except WasStopped:
            raise RunCancelledError(
                f"The run was cancelled, and its hook {self.hook.label} was ended.",
                next_step="Run again to go on: what is applied stays applied.",
            ) from None
        except HookError as error:
            raise self._completed(error) from None
        except (Exception, SystemExit) as error:
            raise self._failure(error) from None
        return replace(result, duration=time.monotonic() - started)

    def _in_its_transaction(self, call: Callable[..., Any]) -> Any:
        if self.hook.transaction == "migration":
            return self._in_the_migrations(call)
        if self.hook.transaction == "none":
            with time_limit(self.hook.timeout, stopped=self.stopped):
                return self._called(call, self.target if self.hook.takes == "target" else None)
        import psycopg

        from confiture_flows.target import connect

        with connect(self.target, f"hook {self.hook.name}") as conn:
            # Ended with us, whatever becomes of this process.
            if conn.info.server_version >= 140000:
                conn.execute("SET client_connection_check_interval = 500")
            try:
                with self._limit(conn), conn.transaction():
                    value = self._result(self._called(call, conn))
                    _check_not_failed(conn)
                    return value
            except psycopg.Error as error:
                # Of the hook: what leaves the block of `connect` is taken for one of ours.
                raise self._failure(error) from None

    def _limit(self, conn: Connection) -> AbstractContextManager[None]:
        return time_limit(self.hook.timeout, conn, self.stopped)

    def _in_the_migrations(self, call: Callable[..., Any]) -> Any:
        import psycopg
        from psycopg.pq import TransactionStatus

        conn = self.conn
        if conn is None:
            raise TypeError("A hook of a migration's transaction needs its connection.")
        before = _transaction_id(conn)
        try:
            # In a savepoint, in which psycopg refuses commit() and rollback().
            with time_limit(self.hook.timeout, conn), conn.transaction():
                value = self._result(self._called(call, conn))
                _check_not_failed(conn)
            ended = _transaction_id(conn) != before
        except BaseException as error:
            if conn.info.transaction_status == TransactionStatus.ACTIVE:
                conn.close()  # nobody can tell what the server is at; it rolls back
            gone = conn.info.transaction_status == TransactionStatus.IDLE
            lost = isinstance(error, psycopg.errors.InvalidSavepointSpecification)
            if not (gone or lost):
                raise
            ended, value = True, None
        if ended:
            error = self._error(
                "ended the migration's transaction",
                next_step="Take the COMMIT or ROLLBACK out of it, or give it a transaction of its "
                'own (transaction = "own"). What was committed by it has no ledger row: see '
                "confiture-flows resolve.",
            )
            error.escaped = True
            raise error
        return value

    def _called(self, call: Callable[..., Any], second: object) -> Any:
        context = self.context
        first = context.summary() if self.hook.kind is HookKind.FLOW else context
        value = call(first) if second is None else call(first, second)
        if inspect.isawaitable(value):
            return _run_async(value)
        return value

    def _result(self, value: object) -> HookResult:
        if value is None:
            return HookResult()
        if isinstance(value, str):
            value = HookResult(message=value)
        if not isinstance(value, HookResult) or not _is_plain(value):
            shown = without(repr(value), self.secrets)[:100]
            raise self._error(
                f"returned {shown}, which says nothing",
                next_step="Return None, one line of text, or a HookResult with plain data.",
            )
        message = without(value.message, self.secrets)[:_LONGEST]
        if not value.ok:
            raise self._error(message or "says that it failed")
        return replace(value, message=message)

    def _failure(self, error: BaseException) -> HookError:
        line = _own_line(error)
        first = without(
            error.message if isinstance(error, ConfitureFlowsError) else told(error), self.secrets
        )
        return self._error(
            first,
            file=line[0] if line else None,
            line=line[1] if line else None,
            sqlstate=getattr(error, "sqlstate", None),
            next_step=getattr(error, "next_step", None),
        )

    def _error(self, what: str, *, kind: type[HookError] = HookError, **fields: Any) -> HookError:
        migration = self.context.migration
        version = migration.version if migration else None
        about = f" ({migration.label})" if migration else ""
        return kind(
            f"Hook {self.hook.label}{about}: {what.rstrip('.')}.", version=version, **fields
        )

    def _completed(self, error: HookError) -> HookError:
        """One that the hook itself has raised is given the hook's name."""
        if error.message.startswith("Hook "):
            return error
        made = self._error(
            without(error.message, self.secrets), kind=type(error), next_step=error.next_step
        )
        made.__dict__.update({k: v for k, v in error.__dict__.items() if k not in made.__dict__})
        return made

    def _print(self, line: str) -> None:
        if line.strip():
            self.tell(f"{self.hook.name}: {without(line, self.secrets)[:_LONGEST]}")


def _is_plain(result: HookResult) -> bool:
    data: Mapping[Any, Any] = result.data
    return (
        isinstance(result.ok, bool)
        and isinstance(result.message, str)
        and hasattr(data, "items")
        and all(
            isinstance(key, str) and isinstance(value, str | int | float | bool | None)
            for key, value in data.items()
        )
    )


def _check_not_failed(conn: Connection) -> None:
    from psycopg.pq import TransactionStatus

    if conn.info.transaction_status == TransactionStatus.INERROR:
        raise HookError(
            "returned although a statement of it had failed, which ended its transaction",
            next_step="Let the error out, or put the statement into `with conn.transaction():` "
            "and catch it outside of that.",
        )


def _transaction_id(conn: Connection) -> int:
    row = conn.execute("SELECT pg_catalog.txid_current()").fetchone()
    return row[0] if row else 0


def _run_async(value: Any) -> Any:
    async def wait() -> Any:
        return await value

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(wait())
    # A sync flow that an async one calls runs beside a loop, which must not be entered twice.
    run = contextvars.copy_context().run
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run, asyncio.run, wait()).result()


def _own_line(error: BaseException) -> tuple[Path, int] | None:
    """The last line that is neither ours nor a library's on the way to where it was raised."""
    found = None
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename)
        own = "confiture_flows" in path.parts or "site-packages" in path.parts
        if not own and path.is_file() and "lib" not in path.parts and frame.lineno:
            found = path, frame.lineno
    return found
