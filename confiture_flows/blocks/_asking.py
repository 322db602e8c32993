"""Asking a Prefect server for a block by its name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from httpx import HTTPError
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.settings import get_current_settings
from pydantic import ValidationError

from confiture_flows.errors import ConfigError

if TYPE_CHECKING:
    from prefect.blocks.core import Block

_Kind = TypeVar("_Kind", bound="Block")

# What Prefect's client raises when its server is away. What httpx raises is no OSError, and of a
# server that does not tell its version a RuntimeError speaks.
NO_ANSWER = (PrefectException, HTTPError, OSError, RuntimeError)


def load_block(kind: type[_Kind], name: str, unknown: ConfigError) -> _Kind:
    """Load a block.

    Args:
        kind: Its class.
        name: What it was saved under.
        unknown: What to raise when there is none, or no place where blocks are kept.

    Raises:
        ConfigError: There is none, it is wrong, or the Prefect server could not be asked.
    """
    if not _blocks_are_kept():
        raise unknown
    try:
        return kind.load(name, _sync=True)  # pyright: ignore[reportCallIssue]
    except ValueError:
        raise unknown from None
    except NO_ANSWER as error:
        if isinstance(wrong := error.__cause__, ValidationError):
            # A form in the UI checks less than the class does.
            said = "; ".join(each["msg"].removeprefix("Value error, ") for each in wrong.errors())
            raise ConfigError(
                f"The {kind.__name__} block {name!r} is not what it has to be: {said}",
                next_step="Change the block on the Prefect server.",
            ) from None
        raise ConfigError(
            f"The Prefect server could not be asked for a {kind.__name__} block {name!r}: {error}",
            next_step="Check PREFECT_API_URL, or the name, if confiture.toml was to know it.",
        ) from None


def saved_names(kind: type[Block]) -> tuple[str, ...]:
    """The names of all blocks of a class on the Prefect server, sorted.

    Raises:
        ConfigError: It cannot be asked.
    """
    try:
        with get_client(sync_client=True) as client:
            found = client.read_block_documents_by_type(
                kind.get_block_type_slug(), include_secrets=False
            )
    except ObjectNotFound:
        return ()  # no block of this type was ever saved there
    except NO_ANSWER as error:
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
