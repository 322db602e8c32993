"""PostgresTarget: a database to migrate, kept on the Prefect server with its password encrypted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from httpx import HTTPError
from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.settings import get_current_settings
from pydantic import Field, HttpUrl, SecretStr, model_validator

from confiture_flows.config import DEFAULT_LIMITS, Limits, placeholder_values
from confiture_flows.errors import ConfigError
from confiture_flows.target import Target, connect

if TYPE_CHECKING:
    from confiture_flows.config import Project


class PostgresTarget(Block):
    """A PostgreSQL database that migrations work on.

    Give either `dsn`, or host, database and user, and save it under the name of the target.

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

    dsn: SecretStr | None = Field(
        default=None, description="A whole connection string, instead of the fields below."
    )
    host: str = Field(default="localhost", description="Name or address of the server.")
    port: int = Field(default=5432, ge=1, le=65535, description="TCP port of the server.")
    database: str | None = Field(default=None, description="Name of the database.")
    user: str | None = Field(default=None, description="Role to connect as.")
    password: SecretStr | None = Field(
        default=None, description="Its password; empty where the server asks for none."
    )
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] | None = (
        Field(default=None, description="How far TLS is asked for; the server's default if empty.")
    )
    production: bool = Field(default=False, description="Makes policies strict.")
    fail_on: Literal["info", "warning", "error"] = Field(
        default="error", description="The severity at which findings stop a run."
    )
    ledger: str = Field(default="tb_confiture", description="Name of the ledger table.")
    lock_timeout_ms: int = Field(
        default=DEFAULT_LIMITS.lock_timeout_ms,
        ge=0,
        description="How long a statement queues for a table before its migration backs off.",
    )
    statement_timeout_ms: int = Field(
        default=DEFAULT_LIMITS.statement_timeout_ms,
        ge=0,
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
    flush: Literal["commit", "run"] = Field(
        default="commit",
        description="What waits for the disk: each commit, or a run before it tells of any.",
    )

    @model_validator(mode="after")
    def _names_a_database(self) -> Self:
        if self.dsn is None and self.database is None:
            raise ValueError("Give a dsn, or a database.")
        return self

    def to_target(self, name: str) -> Target:
        """The target this block describes.

        Args:
            name: What to call it; the block's own name, usually.
        """
        return Target(
            name=name,
            dsn=self.dsn.get_secret_value() if self.dsn else self._conninfo(),
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

    def _conninfo(self) -> str:
        from psycopg.conninfo import make_conninfo

        return make_conninfo(
            host=self.host,
            port=self.port,
            dbname=self.database,
            user=self.user,
            password=self.password.get_secret_value() if self.password else None,
            sslmode=self.sslmode,
        )


def load_target(name: str, project: Project) -> Target:
    """The target that a block of this name describes.

    Raises:
        ConfigError: There is no such block either, or no Prefect server to ask.
    """
    if not _blocks_are_kept():
        raise _unknown(name, project)
    try:
        block = PostgresTarget.load(name, _sync=True)  # pyright: ignore[reportCallIssue]
    except ValueError:
        raise _unknown(name, project) from None
    except (PrefectException, HTTPError, OSError, RuntimeError) as error:
        raise ConfigError(
            f"{name!r} is not in the configuration, and the Prefect server could not be asked "
            f"for a block: {error}",
            next_step="Check PREFECT_API_URL, or name the target in confiture.toml.",
        ) from None
    return replace(block.to_target(name), placeholders=placeholder_values(project))


def saved_targets() -> tuple[str, ...]:
    """The names of all PostgresTarget blocks of the Prefect server, sorted.

    Raises:
        ConfigError: It cannot be asked.
    """
    try:
        with get_client(sync_client=True) as client:
            found = client.read_block_documents_by_type(
                PostgresTarget.get_block_type_slug(), include_secrets=False
            )
    except ObjectNotFound:
        return ()  # no block of this type was ever saved there
    except (PrefectException, HTTPError, OSError, RuntimeError) as error:
        raise ConfigError(
            f"The Prefect server could not be asked for blocks: {error}",
            next_step="Check PREFECT_API_URL, or name the target in confiture.toml.",
        ) from None
    return tuple(sorted(each.name for each in found if each.name))


def _blocks_are_kept() -> bool:
    """Whether there is a place where blocks are kept: a server, or what earlier runs have left.

    Without either, to ask would start a server of Prefect's own, which takes ten seconds.
    """
    settings = get_current_settings()
    if settings.api.url:
        return True
    url = settings.server.database.connection_url
    prefix, _, path = (url.get_secret_value() if url else "").partition(":///")
    return not prefix.startswith("sqlite") or Path(path.partition("?")[0]).exists()


def _unknown(name: str, project: Project) -> ConfigError:
    known = ", ".join(sorted(project.targets)) or "none"
    return ConfigError(
        f"There is no target {name!r}: neither in the configuration ({known}) nor as a "
        "PostgresTarget block.",
        next_step="Add [targets."
        f"{name}] to confiture.toml, or save a PostgresTarget block of that name.",
    )
