"""shuffle: the values of a block of rows, handed out among them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategy import ANY_TYPE, StrategyBase, UnfitValue

if TYPE_CHECKING:
    from collections.abc import Sequence


@register_strategy("shuffle")
class Shuffle(StrategyBase):
    """The values of each block of rows, handed out among the same rows in another order.

    A block is what the copy hands to `anonymize_batch` at once: some thousand rows that lie
    together. Every value stays in the copy, in the same number and near its old place, and
    belongs to another row: the statistics of a column stay, and so do rare values that name
    somebody by themselves. Each row gets the value of another row, which may be an equal one.
    Columns are shuffled apart from one another. A block of one row cannot be shuffled: its value
    is unfit.
    """

    accepts = (ANY_TYPE,)
    keyed = True
    # A block may hold nothing but equal values.
    keeps = True

    def anonymize(self, value: str, *others: Any) -> str:
        """Nothing: a value alone cannot be shuffled.

        Raises:
            UnfitValue: Always.
        """
        raise UnfitValue

    def anonymize_batch(self, values: Sequence[Any], *others: Sequence[Any]) -> list[Any]:
        """The values in another order."""
        count = len(values)
        if count == 1:
            raise UnfitValue
        if not count:
            return []
        # The order depends on the block, so that two blocks do not share theirs.
        digest = self.key.digest
        seed = digest(f"{self.column}\0{count}\0{values[0]}\0{values[-1]}".encode())
        order = sorted(
            range(count), key=[digest(seed + b"%d" % n) for n in range(count)].__getitem__
        )
        made: list[Any] = [None] * count
        for place, row in enumerate(order):
            # The next in that order: a cycle through all rows leaves none with its own.
            made[row] = values[order[place - 1]]
        return made
