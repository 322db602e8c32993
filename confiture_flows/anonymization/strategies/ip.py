"""ip: an address of a documentation range, or within the value's own network."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, Literal

from pydantic import Field

from confiture_flows.anonymization.keys import NUMBER_BYTES
from confiture_flows.anonymization.registry import register_strategy
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
            return self._fictional(self.key.digest(value.encode()), ":" in host)
        try:
            address = ip_address(host)
        except ValueError:
            raise UnfitValue from None
        if address.version == 6 and address.scope_id:
            raise UnfitValue
        kept = self.config.bits6 if address.version == 6 else self.config.bits
        number = int(address)
        free = (1 << (address.max_prefixlen - kept)) - 1
        made = number & ~free
        if self.config.form == "prefix":
            digest = self.key.digest(value.encode())
            chosen = int.from_bytes(digest[:16], "big") & free
            made |= chosen if made | chosen != number else chosen ^ 1
        elif self.column.type == "cidr":
            mask = str(min(int(mask), kept))
        return f"{type(address)(made)}{slash}{mask}"

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
        """Generalised addresses, made by the source."""
        if self.config.form != "generalise" or self.column.type != "inet":
            return None
        kept = f"CASE family({column}) WHEN 4 THEN {self.config.bits} ELSE {self.config.bits6} END"
        network = f"host(network(set_masklen({column}, {kept})))::inet"
        return f"set_masklen({network}, masklen({column}))"

    def capacity(self) -> int | None:
        """How many addresses there are to pick from."""
        if self.config.form != "documentation":
            return None
        return 2**96 if self.config.unique else len(_DOCUMENTATION)
