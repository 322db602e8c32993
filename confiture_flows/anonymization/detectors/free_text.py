"""Running text: several words, hardly one twice. What people write may hold anything."""

from __future__ import annotations

from confiture_flows.anonymization.detector import Samples, ValueDetector

_WORDS, _LETTERS = 4, 20
_DISTINCT = 0.5
# Of so many samples, so few different ones are a program's choice of fixed words.
_MANY, _FIXED = 20, 0.2


def is_running(value: str) -> bool:
    """Whether it is long enough for a sentence, and made of words."""
    words = value.split()
    if len(value) < _LETTERS or len(words) < _WORDS:
        return False
    letters = sum(1 for each in value if each.isalpha() or each.isspace())
    return letters >= 0.75 * len(value)


def is_worded(value: str) -> bool:
    """Whether it may be said by a person: two words, or one in letters that may need no spaces."""
    words = [each for each in value.split() if any(map(str.isalpha, each))]
    return len(words) > 1 or any(each.isalpha() and not each.isascii() for each in value)


def _running(samples: Samples) -> int:
    found = [value for value in samples.values if is_running(value)]
    # Templates and fixed messages come again and again.
    return len(found) if len(set(found)) >= _DISTINCT * len(found) else 0


def _worded(samples: Samples) -> int:
    size = len(samples.values)
    if size >= _MANY and samples.distinct <= _FIXED * size:
        return 0
    return sum(1 for value in samples.values if is_worded(value))


DETECTORS = (
    # Descriptions of products are running text too, so that a name has to say more.
    ValueDetector("running texts", "free text", _running, alone=0.25, least=0.3, full=0.6),
    # Statuses, identities and paths are not what people write, whatever their column is called.
    ValueDetector("texts in words", "free text", _worded, alone=0.0, refutes=True),
)
