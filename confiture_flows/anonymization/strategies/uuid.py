"""uuid: a random-looking UUID, the same for equal values."""

from __future__ import annotations

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._digest import DigestStrategy

_LENGTH = 36
# The two bits of the variant in the digit's place.
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


@register_strategy("uuid")
class Uuid(DigestStrategy):
    """A UUID of version 4 made of the value's digest; equal values get equal ones."""

    accepts = ("uuid", "text")
    unique = "probable"

    def prepare(self) -> None:
        """Refuse a column that is too short."""
        if self.room is not None and self.room < _LENGTH:
            raise ValueError(f"the column takes {self.room} characters, a UUID has {_LENGTH}")

    def of_digest(self, digest: bytes) -> str:
        """The UUID."""
        hexed = digest.hex()
        return (
            f"{hexed[:8]}-{hexed[8:12]}-4{hexed[13:16]}-"
            f"{_VARIANT[hexed[16]]}{hexed[17:20]}-{hexed[20:32]}"
        )

    def to_sql(self, column: str, *others: str) -> str | None:
        """The UUID, computed by the source."""
        source = self.sql_source(column)
        if source is None:
            return None
        bits = f"substr({self.key.sql(source)}, 1, 16)"
        # Bits count from a byte's lowest: version 4 in byte 6, variant 10 in byte 8.
        for place, bit in ((55, 0), (54, 1), (53, 0), (52, 0), (71, 1), (70, 0)):
            bits = f"set_bit({bits}, {place}, {bit})"
        made = f"encode({bits}, 'hex')::uuid"
        return made if self.column.type == "uuid" else f"{made}::text"

    def capacity(self) -> int:
        """122 bits."""
        return 2**122
