"""TableStatistics: rows, bytes and writes of a database's tables, and the file that keeps them.

The file lets a build without a database judge by the sizes of production. It holds no values of
rows; its numbers are rounded, so that it changes when a table has grown, not each time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from confiture_flows._files import write_whole
from confiture_flows.errors import ConfigError
from confiture_flows.sql.parts import ObjectName

if TYPE_CHECKING:
    from pathlib import Path

_DIGITS = 2
_LEAST_RATE = 0.1  # what is less is hardly written to
# Counters of less than this say more about the moment than about the table.
SHORTEST_COUNT_S = 3600.0
_NAMED = 5  # of the tables that are locked
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What is known of a table's rows.

    Attributes:
        rows: About how many.
        bytes: On disk, without indexes.
        writes_per_second: Rows inserted, updated and deleted; None when nobody counted for long.
    """

    rows: int
    bytes: int
    writes_per_second: float | None = None

    @property
    def sentence(self) -> str:
        """In a few words."""
        said = f"{_rounded(self.rows):,} rows, {_size(self.bytes)}"
        rate = self.writes_per_second
        return (
            said if rate is None or rate < _LEAST_RATE else f"{said}, {_rounded(rate):g} writes/s"
        )


@dataclass(frozen=True, slots=True)
class TableStatistics:
    """What is known of a database's tables, and since when.

    Attributes:
        measured: The day.
        tables: What is known, by full name.
        locked: The tables that somebody kept locked, so that their sizes are unknown.
    """

    measured: date
    tables: dict[ObjectName, TableFacts] = field(default_factory=dict)
    locked: tuple[ObjectName, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What somebody should know of them."""
        if not self.locked:
            return ()
        names = ", ".join(map(str, self.locked[:_NAMED]))
        more = f" and {len(self.locked) - _NAMED} more" if len(self.locked) > _NAMED else ""
        size = "its size is" if len(self.locked) == 1 else "their sizes are"
        return (f"Another session keeps {names}{more} locked: {size} unknown.",)


def write_rate(writes: int, seconds: float | None) -> float | None:
    """Writes a second, of rows written in a time; None for a time too short to say anything."""
    if seconds is None or seconds < SHORTEST_COUNT_S:
        return None
    return writes / seconds


def write_statistics(statistics: TableStatistics, path: Path) -> int:
    """Write what is known of tables into a file, by schema and name.

    Returns:
        How many tables there are.

    Raises:
        ConfigError: The file cannot be written.
    """
    schemas: dict[str, dict[str, Any]] = {}
    for name, facts in sorted(statistics.tables.items()):
        said: dict[str, Any] = {"rows": _rounded(facts.rows), "bytes": _rounded(facts.bytes)}
        if facts.writes_per_second is not None:
            said["writes_per_second"] = _rounded(facts.writes_per_second)
        schemas.setdefault(name.schema, {})[name.name] = said
    whole = {"measured": statistics.measured.isoformat(), "tables": schemas}
    try:
        write_whole(path, (json.dumps(whole, indent=1) + "\n").encode())
    except OSError as error:
        raise ConfigError(f"It cannot be written: {error.strerror}.", file=path) from None
    return len(statistics.tables)


def read_statistics(path: Path) -> TableStatistics:
    """What a file says of tables.

    Raises:
        ConfigError: The file cannot be read, or is no such file.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        tables = {
            ObjectName(schema, name): _facts(facts)
            for schema, inside in said["tables"].items()
            for name, facts in inside.items()
        }
        return TableStatistics(date.fromisoformat(said["measured"]), tables)
    except OSError as error:
        raise ConfigError(f"It cannot be read: {error.strerror}.", file=path) from None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise ConfigError(
            "These are no statistics of tables.",
            file=path,
            next_step="Write them anew: confiture-flows lint --live TARGET --write-statistics FILE",
        ) from None


def _facts(said: dict[str, Any]) -> TableFacts:
    rate = said.get("writes_per_second")
    return TableFacts(int(said["rows"]), int(said["bytes"]), None if rate is None else float(rate))


def _rounded(number: float) -> float:
    """To the digits that matter, as 1,234,567 to 1,200,000."""
    rough = float(f"{number:.{_DIGITS}g}")
    return int(rough) if isinstance(number, int) else rough


def _size(size: float) -> str:
    for unit in _UNITS[:-1]:
        if size < 1024:
            return f"{size:.0f} {unit}" if size >= 10 or unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.0f} {_UNITS[-1]}"
