"""StrategyBase: what a strategy is and may do. Values in, values out; no database.

NULL never reaches a strategy. By default values are strings as PostgreSQL writes them; a strategy
that declares `takes = "python"` gets what psycopg makes of them (date, int, Decimal, dict, ...).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from confiture_flows.errors import StrategyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_flows.anonymization.keys import Key

Uniqueness = Literal["no", "probable", "bijective"]
Form = Literal["text", "python"]

# What `accepts` may name beside the names of types themselves.
TYPE_GROUPS: dict[str, tuple[str, ...]] = {
    "text": ("text", "varchar", "bpchar", "citext", "name"),
    "integer": ("int2", "int4", "int8"),
    "number": ("int2", "int4", "int8", "numeric", "float4", "float8", "money"),
    "timestamp": ("timestamp", "timestamptz"),
    "day": ("date", "timestamp", "timestamptz"),
    "json": ("json", "jsonb"),
    "ip": ("inet", "cidr"),
}
ANY_TYPE = "any"


@dataclass(frozen=True, slots=True)
class Column:
    """A column as a strategy sees it.

    Attributes:
        schema: Of its table.
        table: Its table.
        name: Its own name.
        type: The name in pg_type, such as "varchar"; of a domain, that of its base type; of an
            array, that of its elements with "[]".
        oid: The type's, for psycopg's adapters.
        max_length: Of varchar and char, in characters.
        nullable: Whether it may be NULL.
        labels: Of an enum, its values.
    """

    schema: str
    table: str
    name: str
    type: str
    oid: int = 25
    max_length: int | None = None
    nullable: bool = True
    labels: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}.{self.name}"


class UnfitValue(ValueError):
    """A value that a strategy cannot anonymize; it is told by its column and count alone."""


class StrategyBase:
    """How the values of a column become others.

    Attributes:
        name: As column rules name it; `register_strategy` sets it.
        accepts: Names of types or of `TYPE_GROUPS`, or "any".
        unique: Whether different values stay different: no, probably (the birthday bound over
            `capacity` holds), or always.
        keyed: Whether it uses `self.key`, and so needs a secret.
        composite: Whether it is made of other strategies. It gets a key where there is a secret,
            and what it is made of says whether one is needed.
        takes: Values as PostgreSQL's text, or as psycopg's objects.
        keeps: Whether a result may be the value itself; the copy stops at a strategy that hands
            values back unless it says so.
        walls: What stands around the process that runs it; empty is this process.

    `unique` and `keeps` may depend on the options: `prepare` may set them on the instance.
    """

    name: ClassVar[str] = ""
    accepts: ClassVar[tuple[str, ...]] = ("text",)
    unique: Uniqueness = "no"
    keyed: ClassVar[bool] = False
    composite: ClassVar[bool] = False
    takes: ClassVar[Form] = "text"
    keeps: bool = False
    walls: tuple[str, ...] = ()

    class Config(BaseModel):
        """The options of a column rule; the base has none."""

        model_config = ConfigDict(extra="forbid", frozen=True)

    def __init__(self, config: Any, column: Column, key: Key | None = None) -> None:
        self.config: Any = config
        self.column = column
        self._key = key
        self.prepare()

    @property
    def key(self) -> Key:
        """The key of the rule's domain.

        Raises:
            StrategyError: The class does not declare `keyed = True`.
        """
        if self._key is None:
            raise StrategyError(
                f"The strategy {self.name!r} uses a key and does not say so.",
                next_step="Declare `keyed = True` in its class.",
            )
        return self._key

    def __reduce__(self) -> tuple[Any, ...]:
        # What `prepare` looked up is looked up again where it is unpickled: tables may be large,
        # and closures do not pickle.
        from confiture_flows.anonymization.pickling import reduced

        return reduced(self)

    @classmethod
    def reference(cls) -> str:
        """How `StrategyRegistry.find` finds the class in another process."""
        return f"{cls.__module__}:{cls.__qualname__}"

    @property
    def budget(self) -> float | None:
        """The epsilon of differential privacy that each value costs, for the report."""
        return None

    def prepare(self) -> None:
        """Look things up once, before the first value.

        Raises:
            ValueError: The configuration does not fit the column; the message is shown.
        """

    def needs(self) -> tuple[str, ...]:
        """Other columns of the row, whose source values come as further arguments."""
        return ()

    def anonymize(self, value: Any, *others: Any) -> Any:
        """The value that takes a value's place.

        Args:
            value: Never None.
            *others: Of the columns that `needs` names; may be None.

        Raises:
            UnfitValue: There is none; the rule's `on_unfit` says what becomes of it.
        """
        raise StrategyError(
            f"{self.column}: the strategy {self.name!r} has SQL only, which Python cannot compute.",
            next_step="Use engine = 'auto' or 'sql', or another strategy.",
        )

    def anonymize_batch(self, values: Sequence[Any], *others: Sequence[Any]) -> Sequence[Any]:
        """The same for many values in order; worth writing where it is faster."""
        return list(map(self.anonymize, values, *others))

    def to_sql(self, column: str, *others: str) -> str | None:
        """The same as an SQL expression of the column's type, or None where there is none.

        Args:
            column: The column's reference, quoted.
            *others: Those of the columns that `needs` names.
        """
        return None

    def capacity(self) -> int | None:
        """How many different values it can give; None is more than anybody has."""
        return None

    def validate(self, value: Any) -> bool:
        """Whether it can anonymize a value; a value that it cannot is unfit."""
        return True


def accepts_type(accepts: tuple[str, ...], type_name: str) -> bool:
    """Whether a strategy that accepts these takes values of a type."""
    return any(
        each in (ANY_TYPE, type_name) or type_name in TYPE_GROUPS.get(each, ()) for each in accepts
    )


def is_sql_only(strategy: type[StrategyBase]) -> bool:
    """Whether a strategy has no Python at all, and its column is masked by the source alone."""
    return (
        strategy.anonymize is StrategyBase.anonymize
        and strategy.anonymize_batch is StrategyBase.anonymize_batch
    )
