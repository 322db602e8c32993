"""MigrationProject: where migrations are and how strict runs are about them."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from prefect.blocks.core import Block
from prefect.runner.storage import GitRepository
from prefect.utilities.asyncutils import run_coro_as_sync
from pydantic import ConfigDict, Field, HttpUrl, SecretStr, model_validator

from confiture_flows.blocks._asking import load_block
from confiture_flows.blocks._form import readable_form, without_empty
from confiture_flows.config import DEFAULT_DIRECTORY, load_project, read_project
from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.config import Project


class MigrationProject(Block):
    """A directory of migrations, on the worker or in a git repository, and its gates.

    What is empty, the project's own confiture.toml says.

    Example:
        ```python
        from confiture_flows.blocks import MigrationProject

        project = MigrationProject.load("BLOCK_NAME")
        with project.checked_out() as configuration:
            print(configuration.directory)
        ```
    """

    _block_type_name = "Migration Project"
    _block_type_slug = "migration-project"
    _description = "A directory of PostgreSQL migrations that confiture-flows applies."
    _documentation_url = HttpUrl("https://docs.prefect.io/v3/concepts/blocks")
    # What is refused may hold a password.
    model_config = ConfigDict(hide_input_in_errors=True, json_schema_extra=readable_form)

    directory: str | None = Field(
        default=None,
        description="Where the migrations are, from the root of the repository, or on the worker.",
    )
    git_url: str | None = Field(
        default=None,
        title="Git URL",
        description="URL of a git repository, cloned for each run; the worker's own files if "
        "empty.",
    )
    git_branch: str | None = Field(
        default=None, description="Branch or tag to take; the repository's default if empty."
    )
    git_commit: str | None = Field(
        default=None,
        pattern=r"^[0-9a-fA-F]{7,64}$",
        description="Commit to take, instead of a branch.",
    )
    git_token: SecretStr | None = Field(
        default=None, description="Access token for an https URL; empty where none is needed."
    )
    layout: str | None = Field(
        default=None, description="How migrations are written down; detected if empty."
    )
    transaction: Literal["auto", "as-written"] | None = Field(
        default=None, description="Whether files may hold their own BEGIN and COMMIT."
    )
    fail_on: Literal["info", "warning", "error"] | None = Field(
        default=None,
        description="The severity at which findings stop a run, where the target is less strict.",
    )
    lint: bool | None = Field(
        default=None, description="Whether what is pending is linted before it is applied."
    )
    dry_run: Literal["off", "static", "scratch"] | None = Field(
        default=None,
        description="How far a dry run goes before every apply, where the target goes less far.",
    )

    @model_validator(mode="before")
    @classmethod
    def _leaves_empty_fields(cls, given: Any) -> Any:
        return without_empty(given)

    @model_validator(mode="after")
    def _names_one_place(self) -> Self:
        if self.git_url is None and (self.git_branch or self.git_commit or self.git_token):
            raise ValueError("git_branch, git_commit and git_token need a git_url.")
        if self.git_branch and self.git_commit:
            raise ValueError("Give git_branch or git_commit.")
        if self.git_url is not None:
            _refuse_password(self.git_url)
            if self.directory and (
                Path(self.directory).is_absolute() or ".." in Path(self.directory).parts
            ):
                raise ValueError("directory lies in the repository: a relative path without '..'.")
        return self

    @contextmanager
    def checked_out(self) -> Iterator[Project]:
        """The project's configuration, with its files at hand for the length of the block.

        Raises:
            ConfigError: The repository cannot be cloned, or its confiture.toml is wrong.
        """
        if self.git_url is None:
            yield self._over(load_project(), Path())
            return
        with tempfile.TemporaryDirectory(prefix="confiture-project-") as folder:
            root = self._clone(self.git_url, Path(folder))
            yield self._over(read_project(root), root)

    def _clone(self, url: str, folder: Path) -> Path:
        storage = GitRepository(
            url,
            credentials={"access_token": self.git_token} if self.git_token else None,
            name="repository",
            branch=self.git_branch,
            commit_sha=self.git_commit,
        )
        storage.set_base_path(folder)
        try:
            run_coro_as_sync(storage.pull_code())
        except (RuntimeError, OSError, ValueError) as error:
            # Prefect takes the token out of what git says; the cause would still hold it.
            raise ConfigError(
                f"The repository of the MigrationProject block cannot be cloned: {error}",
                next_step="Check git_url, branch, commit and token of the block, and that git is "
                "installed where the flow runs.",
            ) from None
        return storage.destination

    def _over(self, project: Project, root: Path) -> Project:
        """What the block says, over what the file says."""
        directory = project.directory
        if self.directory is not None:
            directory = root / self.directory
        elif project.source is None:
            directory = root / DEFAULT_DIRECTORY
        lint = project.lint if self.lint is None else replace(project.lint, gate=self.lint)
        return replace(
            project,
            directory=directory,
            layout=self.layout or project.layout,
            as_written=(
                project.as_written if self.transaction is None else self.transaction == "as-written"
            ),
            lint=lint,
            fail_on=self.fail_on,
            dry_run=self.dry_run,
            checked_out=self.git_url is not None,
        )


def load_migration_project(name: str) -> MigrationProject:
    """The MigrationProject block of that name.

    Raises:
        ConfigError: There is none, or no Prefect server to ask.
    """
    return load_block(
        MigrationProject,
        name,
        ConfigError(
            f"There is no MigrationProject block {name!r}.",
            next_step="Save one of that name, or leave the project out.",
        ),
    )


def _refuse_password(url: str) -> None:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("git_url is not a URL.") from None
    # Tokens stand as the name of a user, too.
    if parts.password or (parts.username and parts.scheme in ("http", "https")):
        raise ValueError(
            "git_url holds a user or a password, which would be shown; give a token as git_token."
        )
