"""What lets in: keys with a known prefix, hashes of passwords, tokens, private keys, randomness."""

from __future__ import annotations

import math
import re
from collections import Counter

from confiture_flows.anonymization.detector import Samples, ValueDetector, each_value

# Prefixes that issuers publish so that scanners find what leaked.
_KNOWN = re.compile(
    r"(?:gh[pousr]_|github_pat_|glpat-|sk_(?:live|test)_|rk_(?:live|test)_|pk_live_|whsec_|"
    r"xox[abeoprs]-|AKIA|ASIA|AIza|ya29\.|npm_|pypi-|dop_v1_|SG\.|hf_|sk-|shpat_|hooks\.slack\.com/"
    r"|eyJ[\w-]{8,}\.eyJ)[\w.\-/+=]{8,}"
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_JWK = re.compile(r'"kty"\s*:.*"d"\s*:')
_PASSWORD_HASH = re.compile(
    r"\$(?:2[abxy]?|argon2(?:id|i|d)|scrypt|pbkdf2[\w-]*|[156]|y|7|P|H)\$.{10,}"
    r"|(?:pbkdf2_sha\d+|bcrypt_sha256|argon2|scrypt|sha1|md5)\$.{8,}"
    r"|SCRAM-SHA-256\$\d+:.+|md5[0-9a-f]{32}|\{S?SHA\d*\}[A-Za-z0-9+/=]{20,}"
)
_WITH_PASSWORD = re.compile(r"\b[a-z][a-z0-9+.-]+://[^\s:/@]+:[^\s@/]+@")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_RANDOM = re.compile(r"[A-Za-z0-9_\-+/=.~:$]{16,}")
_DISTINCT = 0.8


def is_credential(value: str) -> bool:
    """Whether its form says that it lets somebody in."""
    text = value.strip()
    return bool(
        _KNOWN.match(text)
        or _PASSWORD_HASH.fullmatch(text)
        or _PRIVATE_KEY.search(text)
        or _JWK.search(text)
        or _WITH_PASSWORD.search(text)
    )


def is_random(value: str) -> bool:
    """Whether it is one long word without sense: a token, a digest, an encrypted value."""
    text = value.strip()
    if text.startswith("\\x"):
        text = text[2:]
    if not _RANDOM.fullmatch(text) or _UUID.fullmatch(text):
        return False
    return _bits(text) >= 3.0 and any(map(str.isdigit, text))


def _bits(text: str) -> float:
    """The bits a character, by how often each occurs."""
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values())


def _random(samples: Samples) -> int:
    found = [value for value in samples.values if is_random(value) or _UUID.fullmatch(value)]
    return len(found) if len(set(found)) >= _DISTINCT * len(found) else 0


DETECTORS = (
    ValueDetector(
        "keys, tokens or hashes of passwords",
        "credentials",
        each_value(is_credential),
        alone=0.95,
        least=0.2,
        full=0.6,
    ),
    # Checksums and identities are random as well, so that a name has to say more.
    ValueDetector(
        "long random words", "credentials", _random, alone=0.1, types=("text", "bytea", "uuid")
    ),
)
