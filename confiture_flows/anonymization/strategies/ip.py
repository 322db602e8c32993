"""ip: an address of a documentation range, or within the value's own network."""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Any, Literal

from pydantic import Field

from confiture_flows.anonymization.keys import NUMBER_BYTES
from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._sql import entry, once
from confiture_flows.anonymization.strategy import StrategyBase, UnfitValue

# RFC 5737 and RFC 3849: addresses for documentation, which are nobody's.
_DOCUMENTATION = tuple(
    f"{net}.{host}" for net in ("192.0.2", "198.51.100", "203.0.113") for host in range(1, 255)
)
_DOCUMENTATION_6 = "2001:db8"


@register_strategy("ip")
class Ip(StrategyBase):
    """A fictional address, or the value's network with another host or none.

    `documentation` picks from the 762 IPv4 addresses of RFC 5737, and from 2001:db8::/32 for
    IPv6; with `unique` from the latter for both. `prefix` keeps the first bits and keys the
    others; `generalise` sets the others to 0, and cuts the netmask of a cidr.
    """

    accepts = ("ip", "text")
    keyed = True

    class Config(StrategyBase.Config):
        """Options of ip."""

        form: Literal["documentation", "prefix", "generalise"] = Field(
            default="documentation", description="What the result is made of."
        )
        bits: int = Field(default=24, ge=0, le=31, description="Bits of an IPv4 address that stay.")
        bits6: int = Field(default=48, ge=0, le=127, description="The same for IPv6.")
        unique: bool = Field(
            default=False, description="Different values get different (IPv6) addresses."
        )

    config: Config

    def prepare(self) -> None:
        """Check that the options go together."""
        if self.config.unique:
            if self.config.form != "documentation":
                raise ValueError("unique needs form = 'documentation'")
            self.unique = "probable"
        if self.config.form == "prefix" and self.column.type == "cidr":
            raise ValueError("a cidr has no host to replace; use form = 'generalise'")
        # A network may have no host bits to begin with.
        self.keeps = self.config.form == "generalise"
        room = self.column.max_length
        if room is not None and room < 43:
            raise ValueError(f"the column takes {room} characters, an address may have 43")

    def anonymize(self, value: str, *others: Any) -> str:
        """The address."""
        host, slash, mask = value.partition("/")
        if self.config.form == "documentation":
            if self.column.type == "inet" and mask == ("128" if ":" in host else "32"):
                value = host  # as COPY writes it
            return self._fictional(self.key.digest(value.encode()), ":" in host)
        six = ":" in host
        family, size = (AF_INET6, 16) if six else (AF_INET, 4)
        try:
            number = int.from_bytes(inet_pton(family, host), "big")
        except (OSError, ValueError):
            raise UnfitValue from None
        kept = self.config.bits6 if six else self.config.bits
        free = (1 << (8 * size - kept)) - 1
        made = number & ~free
        if self.config.form == "prefix":
            digest = self.key.digest(value.encode())
            chosen = int.from_bytes(digest[:16], "big") & free
            made |= chosen if made | chosen != number else chosen ^ 1
        elif self.column.type == "cidr":
            mask = str(min(int(mask), kept))
        return f"{inet_ntop(family, made.to_bytes(size, 'big'))}{slash}{mask}"

    def _fictional(self, digest: bytes, six: bool) -> str:
        if six or self.config.unique:
            hexed = digest.hex()
            groups = ":".join(hexed[place : place + 4] for place in range(0, 24, 4))
            made = f"{_DOCUMENTATION_6}:{groups}"
        else:
            picked = int.from_bytes(digest[:NUMBER_BYTES], "big") % len(_DOCUMENTATION)
            made = _DOCUMENTATION[picked]
        if self.column.type != "cidr":
            return made
        return f"{made}/{128 if ':' in made else 32}"

    def to_sql(self, column: str, *others: str) -> str | None:
        """Fictional or generalised addresses, made by the source; for inet."""
        if self.config.form == "prefix" or self.column.type != "inet":
            return None
        if self.config.form == "documentation":
            return self._fictional_sql(column)
        kept = f"CASE family({column}) WHEN 4 THEN {self.config.bits} ELSE {self.config.bits6} END"
        network = f"host(network(set_masklen({column}, {kept})))::inet"
        return f"set_masklen({network}, masklen({column}))"

    def _fictional_sql(self, column: str) -> str:
        groups = " || ':' || ".join(f"substr(h, {place}, 4)" for place in range(1, 25, 4))
        made = f"'{_DOCUMENTATION_6}:' || {groups}"
        if not self.config.unique:
            number = f"('x' || left(h, {2 * NUMBER_BYTES}))::bit({8 * NUMBER_BYTES})::bigint"
            four = entry(_DOCUMENTATION, f"mod({number}, {len(_DOCUMENTATION)})")
            made = f"CASE WHEN family({column}) = 4 THEN {four} ELSE {made} END"
        # abbrev of an inet is what COPY writes; a cast to text adds a netmask.
        digest = f"encode({self.key.sql(f'abbrev({column})')}, 'hex')"
        return f"{once(digest, 'h', made)}::inet"

    def capacity(self) -> int | None:
        """How many addresses there are to pick from."""
        if self.config.form != "documentation":
            return None
        return 2**96 if self.config.unique else len(_DOCUMENTATION)
