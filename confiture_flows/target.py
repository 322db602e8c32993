"""Target and connect(target): the only place where a connection is opened.

Refuses a connection string it cannot read, without repeating it: what stands in a
broken one may be the password.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from confiture_flows.config import (
    DEFAULT_LIMITS,
    Limits,
    expand_variables,
    placeholder_values,
)
from confiture_flows.errors import ConfigError, TargetError, TargetUnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from psycopg import Connection

    from confiture_flows.config import (
        ApproveName,
        DryRunName,
        FlushName,
        GateName,
        OnError,
        OutOfOrder,
        Project,
        VerifyName,
    )

DSN_VARIABLE = "CONFITURE_DSN"
# Parameters of libpq whose values nobody may see. Source: PostgreSQL docs, Database Connection
# Control Functions.
SECRET_PARAMETERS = (
    "password",
    "sslpassword",
    "oauth_client_secret",
    "scram_client_key",
    "scram_server_key",
)
IN_VARIABLE = "env:"  # and the name of an environment variable that holds a connection string


@dataclass(frozen=True, slots=True)
class Target:
    """A database to work on.

    Attributes:
        name: What people call it; safe to show.
        dsn: Connection string or URL as libpq takes it; may hold a password, never shown.
        production: Makes policies strict.
        fail_on: The severity at which findings stop a run.
        limits: How long a run waits.
        ledger: Name of the ledger table; may be qualified by a schema.
        out_of_order: As in `TargetConfig`.
        placeholders: Values for scripts, by `placeholder_key`; may be secrets, never shown.
        verify: What is checked after an apply: nothing, the verify scripts, or also whether
            the database is what its history makes when it is replayed.
        scratch: Connection string of a server to replay on; None starts one. Never shown.
        flush: As in `TargetConfig`.
        on_error: Whether the migrations of a failed run are kept or rolled back.
        dry_run: As in `TargetConfig`.
        approve: As in `TargetConfig`.
        approve_timeout: As in `TargetConfig`; seconds.
    """

    name: str
    dsn: str = field(repr=False)
    production: bool = False
    fail_on: GateName = "error"
    limits: Limits = DEFAULT_LIMITS
    ledger: str = "tb_confiture"
    out_of_order: OutOfOrder | None = None
    placeholders: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    verify: VerifyName = "scripts"
    scratch: str | None = field(default=None, repr=False)
    flush: FlushName = "commit"
    on_error: OnError = "keep"
    dry_run: DryRunName = "off"
    approve: ApproveName = "never"
    approve_timeout: float = 86_400.0

    @classmethod
    def from_dsn(cls, dsn: str, *, name: str | None = None) -> Target:
        """A target for a connection string, named by its database and host unless told.

        Raises:
            ConfigError: The string cannot be read.
        """
        return cls(name=name or describe_dsn(dsn), dsn=dsn)


def configured_target(project: Project, name: str | None, dsn: str | None = None) -> Target | None:
    """Choose a target: the DSN given, the target named, CONFITURE_DSN, the only target there is.

    Returns:
        The target, or None when `name` is not one of the project's.

    Raises:
        ConfigError: Nothing says which, or both a name and a DSN do.
    """
    # Most likely an unset variable: "$UNSET" must not lead to some other database.
    if "" in (name, dsn, os.environ.get(DSN_VARIABLE) if name is None and dsn is None else None):
        raise ConfigError(
            "The target, or the connection string, is empty.",
            next_step=f"Check the variable it comes from: --target, --dsn, {DSN_VARIABLE}.",
        )
    if name and dsn:
        raise ConfigError("Both a target and a DSN are given.", next_step="Leave one of them out.")
    given = dsn or (os.environ.get(DSN_VARIABLE) if name is None else None)
    if given:
        return replace(Target.from_dsn(given), placeholders=placeholder_values(project))
    if name is None:
        if len(project.targets) != 1:
            known = f" Targets are: {', '.join(sorted(project.targets))}."
            raise ConfigError(
                f"No target is named.{known if project.targets else ''}",
                next_step="Name one with --target, or give a connection string with --dsn or "
                f"in {DSN_VARIABLE}.",
            )
        name = next(iter(project.targets))
    if name.startswith(IN_VARIABLE):
        return _in_variable(name.removeprefix(IN_VARIABLE), project)
    if name not in project.targets:
        return None
    said = project.targets[name]
    return Target(
        name=name,
        dsn=expand_variables(said.dsn, file=project.source),
        production=said.production,
        fail_on=said.fail_on,
        limits=said.limits,
        ledger=said.ledger,
        out_of_order=said.out_of_order,
        placeholders=placeholder_values(project, name),
        verify=said.verify,
        scratch=expand_variables(said.scratch, file=project.source) if said.scratch else None,
        flush=said.flush,
        on_error=said.on_error,
        dry_run=said.dry_run,
        approve=said.approve,
        approve_timeout=said.approve_timeout,
    )


def _in_variable(name: str, project: Project) -> Target:
    dsn = os.environ.get(name)
    if not dsn:
        raise ConfigError(
            f"The environment variable {name} is not set.",
            next_step=f"Set it to a connection string: export {name}=...",
        )
    return replace(Target.from_dsn(dsn), placeholders=placeholder_values(project))


def describe_dsn(dsn: str) -> str:
    """Name what a connection string points to, without user or password: "shop@db.example:5432".

    Raises:
        ConfigError: The string cannot be read.
    """
    parts = _parse(dsn)
    host = parts.get("host") or parts.get("hostaddr") or "local"
    if host.startswith("/"):
        host = "local"
    port = parts.get("port")
    where = f"{host}:{port}" if port and host != "local" else host
    return f"{parts.get('dbname') or parts.get('user') or 'default'}@{where}"


def _parse(dsn: str) -> dict[str, str]:
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    broken = ConfigError(
        "The connection string cannot be read.",
        next_step="It looks like postgresql://user:password@host:5432/database; percent-encode "
        "@ : / % in a password, or leave it out and set PGPASSWORD.",
    )
    try:
        parts = {key: str(value) for key, value in conninfo_to_dict(dsn).items() if value}
    except (ProgrammingError, UnicodeDecodeError):
        raise broken from None
    if _is_misread(dsn, parts):
        raise broken
    return parts


def _is_misread(dsn: str, parts: dict[str, str]) -> bool:
    """Whether an unescaped character of the password has moved its rest into a part we show."""
    is_url = dsn.startswith(("postgresql://", "postgres://"))
    return (
        "\0" in dsn
        or "@" in parts.get("host", "")
        or "://" in parts.get("dbname", "")
        or (is_url and "@" in parts.get("dbname", ""))
        or not all(port.isdecimal() for port in parts.get("port", "0").split(",") if port)
        or not parts.get("connect_timeout", "0").lstrip("-").isdecimal()
    )


@contextmanager
def connect(target: Target, purpose: str) -> Iterator[Connection]:
    """Open a connection in autocommit; end its query and close it on the way out.

    Whatever leaves the block early (a timeout, a cancel, Ctrl-C) ends the running
    query on the server too: closing the socket alone would leave it running, locks held.

    Args:
        target: The database.
        purpose: What the session is for; part of its application_name.

    Raises:
        ConfigError: The connection string cannot be read.
        TargetUnreachableError: Nobody answers there.
        TargetError: The server refuses the connection, or a query in the block.
    """
    import psycopg
    from psycopg.pq import TransactionStatus

    from confiture_flows._connection import Connection

    parts = _parse(target.dsn)
    timeout = int(parts["connect_timeout"]) if "connect_timeout" in parts else 10
    try:
        conn = Connection.connect(
            target.dsn,
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=timeout,
            client_encoding="UTF8",  # what scripts are written in, whatever the database's own
            application_name=parts.get("application_name", f"confiture-flows {purpose}"),
        )
    except psycopg.Error as error:
        raise _refusal(target, str(error)) from None
    try:
        yield conn
    except psycopg.Error as error:
        where = describe_dsn(target.dsn)
        if conn.closed or conn.broken:
            raise TargetUnreachableError(
                f"The connection to {where} broke.", next_step="Run again."
            ) from None
        # Statements of migrations are diagnosed where they run; this is one of our own.
        raise TargetError(
            f"{where} refuses a query: {error.diag.message_primary or error}.",
            sqlstate=error.sqlstate,
            next_step="Check the rights of the user of this target.",
        ) from error
    except BaseException:
        if conn.info.transaction_status == TransactionStatus.ACTIVE:
            with suppress(psycopg.Error):  # a server that is gone must not hide what happened
                conn.cancel_safe(timeout=5)
        raise
    finally:
        conn.close()


def _refusal(target: Target, text: str) -> TargetError:
    # libpq gives no SQLSTATE for a connection that never came to be; what the server
    # itself said starts with its severity.
    _, said, reason = text.partition("FATAL:")
    where = describe_dsn(target.dsn)
    if not said:
        detail = text.removeprefix("connection failed: ").split("\n")[0].strip()
        return TargetUnreachableError(
            f"Nothing answers at {where}: {detail}.",
            next_step="Check host, port and network, and that the server is running.",
        )
    reason = reason.strip().split("\n")[0]
    if "starting up" in reason or "shutting down" in reason or "too many" in reason:
        return TargetUnreachableError(f"{where} takes no connections now: {reason}.")
    return TargetError(
        f"{where} refuses the connection: {reason}.",
        next_step="Check user, password and database name, and pg_hba.conf on the server.",
    )
