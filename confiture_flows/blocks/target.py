"""PostgresTarget: a database to migrate, kept on the Prefect server with its password encrypted."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Self

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, HttpUrl, SecretStr, model_validator

from confiture_flows.blocks._asking import load_block, saved_names
from confiture_flows.blocks._form import readable_form, without_empty
from confiture_flows.config import (
    DEFAULT_LIMITS,
    Limits,
    expand_variables,
    placeholder_values,
)
from confiture_flows.errors import ConfigError
from confiture_flows.target import SECRET_PARAMETERS, Target, connect

if TYPE_CHECKING:
    from confiture_flows.config import Project

_FIELDS_OF_LIBPQ = {
    *("host", "hostaddr", "port", "dbname", "user", "sslmode", "sslrootcert", "sslcert", "sslkey")
}
# Files with secrets are named on the worker: by PGPASSFILE, or in a dsn_variable. The last one
# would have libpq write down the keys of the session.
_FILES_OF_SECRETS = {"passfile", "servicefile", "sslkeylogfile"}
_LIKE_A_SECRET = re.compile(r"password|secret|token|_key$")


class PostgresTarget(Block):
    """A PostgreSQL database that migrations work on.

    Give one of `dsn`, `dsn_variable`, and `database` with its host and user, and save it under the
    name of the target.

    Example:
        ```python
        from confiture_flows.blocks import PostgresTarget

        target = PostgresTarget.load("BLOCK_NAME")
        target.test_connection()
        ```
    """

    _block_type_name = "Postgres Target"
    _block_type_slug = "postgres-target"
    _description = "A PostgreSQL database that confiture-flows migrates."
    _documentation_url = HttpUrl("https://docs.prefect.io/v3/concepts/blocks")
    # What is refused may hold a password.
    model_config = ConfigDict(hide_input_in_errors=True, json_schema_extra=readable_form)

    dsn: SecretStr | None = Field(
        default=None,
        title="DSN",
        description="A whole connection string, instead of the fields below.",
    )
    dsn_variable: str | None = Field(
        default=None,
        title="DSN variable",
        pattern=r"^[A-Za-z_]\w*$",
        description="Environment variable of the worker that holds the connection string, instead "
        "of the fields below.",
    )
    host: str = Field(default="localhost", description="Name or address of the server.")
    port: int = Field(default=5432, ge=1, le=65535, description="TCP port of the server.")
    database: str | None = Field(default=None, description="Name of the database.")
    user: str | None = Field(default=None, description="Role to connect as.")
    password: SecretStr | None = Field(
        default=None, description="Its password; empty where the server asks for none."
    )
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] | None = (
        Field(
            default=None,
            title="TLS mode",
            description="How far TLS is asked for; the server's default if empty.",
        )
    )
    sslrootcert: str | None = Field(
        default=None,
        title="TLS authorities",
        description="File on the worker with the certificates of authorities, or `system`.",
    )
    sslcert: str | None = Field(
        default=None,
        title="TLS certificate",
        description="File on the worker with the certificate of the role.",
    )
    sslkey: str | None = Field(
        default=None,
        title="TLS key",
        description="File on the worker with the key of that certificate.",
    )
    options: dict[str, str] = Field(
        default={},
        description="Further parameters of libpq, such as connect_timeout or options.",
    )
    production: bool = Field(default=False, description="Makes policies strict.")
    fail_on: Literal["info", "warning", "error"] = Field(
        default="error", description="The severity at which findings stop a run."
    )
    ledger: str = Field(default="tb_confiture", description="Name of the ledger table.")
    lock_timeout_ms: int = Field(
        default=DEFAULT_LIMITS.lock_timeout_ms,
        ge=0,
        title="Lock timeout (ms)",
        description="How long a statement queues for a table before its migration backs off.",
    )
    statement_timeout_ms: int = Field(
        default=DEFAULT_LIMITS.statement_timeout_ms,
        ge=0,
        title="Statement timeout (ms)",
        description="The longest a statement may take; 0 is no limit.",
    )
    lock_patience: float = Field(
        default=DEFAULT_LIMITS.lock_patience,
        ge=0,
        description="Seconds to wait for another run on the same database to end.",
    )
    busy_patience: float = Field(
        default=DEFAULT_LIMITS.busy_patience,
        ge=0,
        description="Seconds to go on retrying a migration that meets a busy table.",
    )

    out_of_order: Literal["refuse", "apply"] | None = Field(
        default=None,
        description="What becomes of a migration that is pending although a later one is applied; "
        "refused on production targets if empty.",
    )
    verify: Literal["off", "scripts", "replay"] = Field(
        default="scripts", description="What is checked after an apply."
    )
    on_error: Literal["keep", "rollback"] = Field(
        default="keep", description="Whether the migrations of a failed run are rolled back."
    )
    scratch: SecretStr | None = Field(
        default=None,
        description="Connection string of a server to replay migrations on; one is started if "
        "empty.",
    )
    dry_run: Literal["off", "static", "scratch"] = Field(
        default="off", description="How far a dry run goes before every apply."
    )
    approve: Literal["never", "always", "above:info", "above:warning", "above:error"] = Field(
        default="never",
        description="When a person has to approve a plan before it runs: always, or when findings "
        "are at or above a severity.",
    )
    approve_timeout: float = Field(
        default=86_400, gt=0, description="Seconds that a run waits to be approved."
    )
    flush: Literal["commit", "run"] = Field(
        default="commit",
        description="What waits for the disk: each commit, or a run before it tells of any.",
    )

    @model_validator(mode="before")
    @classmethod
    def _leaves_empty_fields(cls, given: Any) -> Any:
        return without_empty(given)

    @model_validator(mode="after")
    def _names_a_database(self) -> Self:
        given = [each for each in (self.dsn, self.dsn_variable, self.database) if each is not None]
        if not given:
            raise ValueError("Give a dsn, or a database, or the name of a variable that has a dsn.")
        if len(given) > 1:
            raise ValueError("Give one of dsn, dsn_variable and database; the others stay empty.")
        return self

    @model_validator(mode="after")
    def _has_no_field_twice(self) -> Self:
        given = {each.strip().lower() for each in self.options}
        if twice := sorted(_FIELDS_OF_LIBPQ & given):
            raise ValueError(f"These options have fields of their own: {', '.join(twice)}.")
        # Neither may a secret be where nothing hides it.
        never = {*SECRET_PARAMETERS, *_FILES_OF_SECRETS}
        if wrong := sorted(each for each in given if each in never or _LIKE_A_SECRET.search(each)):
            raise ValueError(
                f"These options are secrets, or files of them: {', '.join(wrong)}. The password "
                "has a field; a dsn, which is kept encrypted, or a dsn_variable takes the others."
            )
        if self.options and self.database is None:
            raise ValueError("options go with a database; a dsn holds its own.")
        return self

    def to_target(self, name: str) -> Target:
        """The target this block describes.

        Args:
            name: What to call it; the block's own name, usually.

        Raises:
            ConfigError: The environment variable is not set, or an option is not one of libpq's.
        """
        return Target(
            name=name,
            dsn=self._connection_string(),
            production=self.production,
            fail_on=self.fail_on,
            limits=Limits(
                self.lock_timeout_ms,
                self.statement_timeout_ms,
                self.lock_patience,
                self.busy_patience,
            ),
            ledger=self.ledger,
            out_of_order=self.out_of_order,
            verify=self.verify,
            scratch=self.scratch.get_secret_value() if self.scratch else None,
            flush=self.flush,
            on_error=self.on_error,
            dry_run=self.dry_run,
            approve=self.approve,
            approve_timeout=self.approve_timeout,
        )

    def test_connection(self) -> str:
        """Connect once.

        Returns:
            The server's version.

        Raises:
            TargetError: The server does not answer, or refuses.
        """
        with connect(self.to_target("test"), "test") as conn:
            return conn.info.parameter_status("server_version") or ""

    def _connection_string(self) -> str:
        if self.dsn is not None:
            return self.dsn.get_secret_value()
        if self.dsn_variable is not None:
            return expand_variables(f"${{{self.dsn_variable}}}")
        from psycopg import ProgrammingError
        from psycopg.conninfo import make_conninfo

        try:
            return make_conninfo(
                host=self.host,
                port=self.port,
                dbname=self.database,
                user=self.user,
                password=self.password.get_secret_value() if self.password else None,
                sslmode=self.sslmode,
                sslrootcert=self.sslrootcert,
                sslcert=self.sslcert,
                sslkey=self.sslkey,
                **self.options,
            )
        except ProgrammingError as error:
            raise ConfigError(
                f"The options of the PostgresTarget block are refused: {error}",
                next_step="libpq's documentation lists its parameters.",
            ) from None


def load_target(name: str, project: Project) -> Target:
    """The target that a block of this name describes.

    Raises:
        ConfigError: There is no such block either, or no Prefect server to ask.
    """
    block = load_block(PostgresTarget, name, unknown_target(name, project))
    return replace(block.to_target(name), placeholders=placeholder_values(project))


def saved_targets() -> tuple[str, ...]:
    """The names of all PostgresTarget blocks of the Prefect server, sorted.

    Raises:
        ConfigError: It cannot be asked.
    """
    return saved_names(PostgresTarget)


def unknown_target(name: str, project: Project) -> ConfigError:
    """The error for a name that is neither in the configuration nor, as it turns out, a block."""
    known = ", ".join(sorted(project.targets)) or "none"
    return ConfigError(
        f"There is no target {name!r}: neither in the configuration ({known}) nor as a "
        "PostgresTarget block.",
        next_step="Add [targets."
        f"{name}] to confiture.toml, or save a PostgresTarget block of that name.",
    )
