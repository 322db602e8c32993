"""permute: a short unique code becomes another one of the same form, never the same as another."""

from __future__ import annotations

from math import isqrt
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategy import StrategyBase, UnfitValue

# NIST SP 800-38G has 10 rounds in FF1 and 8 in FF3-1 for the same construction.
_ROUNDS = 10
# A digest has 256 bits; half of a number of so many characters has fewer than 128.
_LONGEST = 40
_LARGEST = {"int2": 2**15 - 1, "int4": 2**31 - 1, "int8": 2**63 - 1}
_CLASSES = {
    each: (number, alphabet.index(each), alphabet)
    for number, alphabet in enumerate((digits, ascii_lowercase, ascii_uppercase))
    for each in alphabet
}


@register_strategy("permute")
class Permute(StrategyBase):
    """A code of the same form: digits, small and capital letters become others of their class.

    Different codes always become different ones, and none becomes itself: a step along a keyed
    order (of a Feistel network that walks its cycle) of all codes of one form. What is neither an
    ASCII letter nor a digit stays. Numbers keep their sign and their number of digits. Forms with
    few codes (two digits) hide little.
    """

    accepts = ("text", "integer")
    unique = "bijective"
    keyed = True

    def anonymize(self, value: str, *others: Any) -> str:
        """The code."""
        largest = _LARGEST.get(self.column.type)
        return self._code(value) if largest is None else self._number(int(value), largest)

    def _number(self, value: int, largest: int) -> str:
        sign = "-" if value < 0 else ""
        size = abs(value)
        low = 10 ** (len(str(size)) - 1) if size > 9 else int(value < 0)
        high = min(10 ** len(str(size)) - 1, largest + int(value < 0))
        made = self._permuted(size - low, high - low + 1, f"{sign}{low}".encode())
        return f"{sign}{made + low}"

    def _code(self, value: str) -> str:
        number, count, places = 0, 1, []
        form = list(value)
        for place, each in enumerate(value):
            found = _CLASSES.get(each)
            if found is None:
                if each.isalnum():
                    raise UnfitValue
                continue
            kind, index, alphabet = found
            form[place] = "0aA"[kind]
            number, count = number * len(alphabet) + index, count * len(alphabet)
            places.append((place, alphabet))
        if not places or len(places) > _LONGEST:
            raise UnfitValue
        made = self._permuted(number, count, "".join(form).encode())
        for place, alphabet in reversed(places):
            made, index = divmod(made, len(alphabet))
            form[place] = alphabet[index]
        return "".join(form)

    def _permuted(self, number: int, count: int, form: bytes) -> int:
        """A number below `count` -> another one, never itself; for each form another permutation.

        It is a step along a secret order of all of them, from the last to the first: its place in
        that order, one more, and what stands there. A permutation alone has a fixed point on
        average, which for a copy is a value that was kept.
        """
        side = isqrt(count - 1) + 1
        tweak = self.key.digest(form)[:16]
        place = self._walked(number, count, side, tweak, range(_ROUNDS))
        return self._walked((place + 1) % count, count, side, tweak, range(_ROUNDS - 1, -1, -1))

    def _walked(self, number: int, count: int, side: int, tweak: bytes, turns: range) -> int:
        """A permutation of the numbers below `count`; the same turns backwards are its inverse."""
        digest, back = self.key.digest, turns.step < 0
        while True:
            left, right = divmod(number, side)
            for turn in turns:
                seen, other = (left, right) if back else (right, left)
                round_of = int.from_bytes(digest(b"%b%d:%d" % (tweak, turn, seen)), "big")
                if back:
                    left, right = (other - round_of) % side, seen
                else:
                    left, right = seen, (other + round_of) % side
            number = left * side + right
            # Those beyond the end are walked through: the permutation of the square comes back.
            if number < count:
                return number
