"""Running text: several words, hardly one twice. What people write may hold anything."""

from __future__ import annotations

from confiture_flows.anonymization.detector import Samples, ValueDetector

_WORDS, _LETTERS = 4, 20
_DISTINCT = 0.5


def is_running(value: str) -> bool:
    """Whether it is long enough for a sentence, and made of words."""
    words = value.split()
    if len(value) < _LETTERS or len(words) < _WORDS:
        return False
    letters = sum(1 for each in value if each.isalpha() or each.isspace())
    return letters >= 0.75 * len(value)


def _running(samples: Samples) -> int:
    found = [value for value in samples.values if is_running(value)]
    # Templates and fixed messages come again and again.
    return len(found) if len(set(found)) >= _DISTINCT * len(found) else 0


# Descriptions of products are running text too, so that a name has to say more.
DETECTORS = (
    ValueDetector("running texts", "free text", _running, alone=0.25, least=0.3, full=0.6),
)
