"""A secret -> the Key of a domain: HMAC-SHA256, in Python and as SQL.

There is no default secret. Equal values of one domain get equal digests under one secret, so
that pseudonyms agree between tables and joins hold; of two domains, or two secrets, they have
nothing to do with one another.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from typing import TYPE_CHECKING

from confiture_flows.config import expand_variables
from confiture_flows.errors import ConfigError
from confiture_flows.report.finding import Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from confiture_flows.config import Project

SECRET_VARIABLE = "CONFITURE_ANONYMIZATION_SECRET"  # noqa: S105 - a variable's name
MIN_SECRET_BYTES = 16

_BLOCK = 64  # bytes of a block of SHA-256
_INNER = bytes(each ^ 0x36 for each in range(256))
_OUTER = bytes(each ^ 0x5C for each in range(256))
# 56 bits are a number that neither sign nor bigint troubles.
NUMBER_BYTES = 7
NUMBER_RANGE = 1 << (8 * NUMBER_BYTES)


class Secret:
    """What all keys of a run are made from; never printed, and pickled to workers only."""

    __slots__ = ("_bytes",)

    def __init__(self, value: bytes) -> None:
        """Take a secret.

        Args:
            value: At least 16 bytes.

        Raises:
            ConfigError: It is shorter.
        """
        if len(value) < MIN_SECRET_BYTES:
            raise ConfigError(
                f"The secret of the anonymization has {len(value)} bytes; it needs at least "
                f"{MIN_SECRET_BYTES}.",
                next_step="Make one: python -c 'import secrets; print(secrets.token_hex(32))'",
            )
        self._bytes = value

    @classmethod
    def random(cls) -> Secret:
        """A secret that nobody knows: pseudonyms agree within a run, and never again."""
        return cls(secrets.token_bytes(32))

    def __repr__(self) -> str:
        return "Secret(...)"

    def key(self, domain: str) -> Key:
        """The key of a domain."""
        material = hmac.digest(self._bytes, b"confiture-flows:" + domain.encode(), "sha256")
        return Key(material, self)


class Key:
    """HMAC-SHA256 under the key of one domain.

    `digest` costs 0.6 µs a value against 1.4 µs of hmac.digest: both hashes have read their
    padded key once, and are copied.
    """

    __slots__ = ("_inner", "_material", "_outer", "_secret", "digest", "hex_digests")

    digest: Callable[[bytes], bytes]
    hex_digests: Callable[[Iterable[str]], list[str]]

    def __init__(self, material: bytes, secret: Secret | None = None) -> None:
        self._material = material
        self._secret = secret
        padded = material.ljust(_BLOCK, b"\0")
        self._inner = padded.translate(_INNER)
        self._outer = padded.translate(_OUTER)
        inner, outer = hashlib.sha256(self._inner).copy, hashlib.sha256(self._outer).copy

        def digest(data: bytes) -> bytes:
            """The 32 bytes for a value."""
            first = inner()
            first.update(data)
            second = outer()
            second.update(first.digest())
            return second.digest()

        def hex_digests(texts: Iterable[str]) -> list[str]:
            """The 64 digits for each text; a fifth less than a call of `digest` each."""
            found: list[str] = []
            add = found.append
            for text in texts:
                first = inner()
                first.update(text.encode())
                second = outer()
                second.update(first.digest())
                add(second.hexdigest())
            return found

        self.digest = digest
        self.hex_digests = hex_digests

    def __repr__(self) -> str:
        return "Key(...)"

    def __reduce__(self) -> tuple[type[Key], tuple[bytes, Secret | None]]:
        return (Key, (self._material, self._secret))

    def sibling(self, domain: str) -> Key:
        """The key of another domain under the same secret, for a strategy within a strategy."""
        if self._secret is not None:
            return self._secret.key(domain)
        return Key(hmac.digest(self._material, b"sibling:" + domain.encode(), "sha256"))

    def export(self) -> bytes:
        """What it is made from, for a process that has to make it again; secret."""
        return self._material

    def number(self, data: bytes) -> int:
        """A number from 0 to 2**56 - 1 for a value, evenly spread."""
        return int.from_bytes(self.digest(data)[:NUMBER_BYTES], "big")

    @property
    def settings(self) -> Mapping[str, str]:
        """The session settings by which the SQL of this key finds it; values are secret.

        They are set by a parameter of `set_config`, so that no statement's text holds them.
        """
        return {f"{self._name}_inner": self._inner.hex(), f"{self._name}_outer": self._outer.hex()}

    def sql(self, text: str) -> str:
        """The SQL for the digest of a text expression, as bytea; PostgreSQL 11 and later.

        The settings stand in sub-selects, which are computed once a statement.
        """
        inner, outer = (
            f"(SELECT decode(current_setting('{name}'), 'hex'))" for name in self.settings
        )
        return f"sha256({outer} || sha256({inner} || convert_to({text}, 'UTF8')))"

    def sql_number(self, text: str) -> str:
        """The SQL for `number` of a text expression, as bigint."""
        digits = f"encode(substr({self.sql(text)}, 1, {NUMBER_BYTES}), 'hex')"
        return f"('x' || {digits})::bit({8 * NUMBER_BYTES})::bigint"

    @property
    def _name(self) -> str:
        # Tells keys of one session apart, and nothing about them.
        return "confiture_flows.k" + hashlib.sha256(b"name:" + self._material).hexdigest()[:16]


def secret_of(project: Project) -> Secret | None:
    """The secret that a project names, or the environment holds.

    Returns:
        None when there is none, or when it is in a Prefect block, which only flows can read.

    Raises:
        ConfigError: A variable or the file is not there, or the secret is too short.
    """
    said = project.anonymization
    if said.random:
        return Secret.random()
    try:
        if said.secret is not None:
            return Secret(expand_variables(said.secret, file=project.source).encode())
        if said.secret_file is not None:
            return Secret(said.secret_file.read_bytes().strip())
    except OSError as error:
        raise ConfigError(
            f"The secret of the anonymization cannot be read: {error.strerror}.",
            file=said.secret_file,
        ) from None
    except ConfigError as error:
        error.file = error.file or said.secret_file or project.source
        raise
    given = os.environ.get(SECRET_VARIABLE)
    # The bytes that were set, whatever characters they are.
    return Secret(os.fsencode(given)) if given and said.secret_block is None else None


def secret_findings(project: Project) -> tuple[Finding, ...]:
    """What a person should know of where the secret is kept.

    A file that everybody may read is no error: that is how containers are given secrets.
    """
    said = project.anonymization
    found: list[Finding] = []
    if said.secret is not None and "${" not in said.secret and project.source:
        found.append(
            Finding(
                "anonymization.secret_in_file",
                Severity.WARNING,
                "The secret of the anonymization stands in the configuration itself.",
                next_step='Write secret = "${NAME}" and set that variable, or use secret_file.',
                location=Location(project.source),
            )
        )
    if said.secret_file is not None and said.secret_file.is_file():
        mode = said.secret_file.stat().st_mode
        if mode & stat.S_IROTH:
            found.append(
                Finding(
                    "anonymization.secret_readable",
                    Severity.INFO,
                    "Every user of this machine may read the secret of the anonymization.",
                    next_step=f"chmod 600 {said.secret_file}",
                    location=Location(said.secret_file),
                )
            )
    return tuple(found)
