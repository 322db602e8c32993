"""E-mail addresses; also inside running text, where few are enough."""

from __future__ import annotations

import re

from confiture_flows.anonymization.detector import ValueDetector, each_value

_LOCAL = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\u00a1-\uffff-]{1,64}"
_DOMAIN = r"(?:[A-Za-z0-9\u00a1-\uffff](?:[A-Za-z0-9\u00a1-\uffff-]*[A-Za-z0-9\u00a1-\uffff])?\.)+"
_TOP = r"[A-Za-z\u00a1-\uffff][A-Za-z0-9\u00a1-\uffff-]*[A-Za-z\u00a1-\uffff]"
_ADDRESS = re.compile(rf"(?:mailto:)?{_LOCAL}@{_DOMAIN}{_TOP}")
_NAMED = re.compile(rf"[^<>@]*<{_LOCAL}@{_DOMAIN}{_TOP}>")
_INSIDE = re.compile(r"(?<![\w.+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}\b")
# Domains that nobody can have an address in (RFC 2606, RFC 6761), and those of machines.
_RESERVED = re.compile(
    r"(?:@|\.)(?:example\.(?:com|net|org)|example|test|invalid|localhost|local|internal)>?$"
    r"|@users\.noreply\.github\.com>?$",
    re.IGNORECASE,
)
_LONGEST = 320


def is_email(value: str) -> bool:
    """Whether it is an address that somebody could have."""
    return _is_written_as_one(value) and not is_nobodys(value)


def is_nobodys(value: str) -> bool:
    """Whether it is an address in a domain that nobody can have one in."""
    return _is_written_as_one(value) and bool(_RESERVED.search(value.strip()))


def _is_written_as_one(value: str) -> bool:
    text = value.strip()
    if "@" not in text or len(text) > _LONGEST:
        return False
    return bool(_ADDRESS.fullmatch(text) or _NAMED.fullmatch(text))


def holds_email(value: str) -> bool:
    """Whether an address stands somewhere in running text."""
    if "@" not in value or " " not in value.strip():
        return False
    return any(not _RESERVED.search(each[0]) for each in _INSIDE.finditer(value))


DETECTORS = (
    ValueDetector("e-mail addresses", "e-mail", each_value(is_email), alone=0.98, refutes=True),
    # They say nothing by themselves, and nothing against a column that is called e-mail: what is
    # made up today holds customers' tomorrow.
    ValueDetector("made-up addresses", "e-mail", each_value(is_nobodys), alone=0.0, refutes=True),
    ValueDetector(
        "texts with an e-mail address in them",
        "free text",
        each_value(lambda value: not is_email(value) and holds_email(value)),
        alone=0.9,
        least=0.01,
        full=0.1,
    ),
)
