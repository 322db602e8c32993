"""SQL text, or an error -> the text with the passwords in it masked, for messages and reports."""

from __future__ import annotations

import re

_SECRETS = (
    # A literal inside a literal, as in EXECUTE '... PASSWORD ''x'' ...'.
    re.compile(r"(\bPASSWORD\s*=?\s*)''.*?''(?!')", re.IGNORECASE | re.DOTALL),
    # In a connection string, inside a literal; then as PASSWORD 'literal'; then in a URL.
    re.compile(
        r"(\b(?:(?:ssl)?password|oauth_client_secret|scram_(?:client|server)_key)\s*=\s*)"
        r"(?!(?:E|U&)')(?:''[^']*''|[^\s'&]+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"(\bPASSWORD\s*=?\s*)"
        r"(?:E'(?:[^'\\]|''|\\.)*'|(?:U&)?'(?:[^']|'')*'|\$(\w*)\$.*?\$\2\$)",
        re.IGNORECASE | re.DOTALL,
    ),
    re.compile(r"(://[^\s:/@']*:)[^\s@']+(?=@)"),
)


def masked(sql: str) -> str:
    """The text with passwords masked."""
    for secret in _SECRETS:
        sql = secret.sub(r"\1***", sql)
    return sql


def told(error: BaseException) -> str:
    """Type and first line of what was raised, passwords masked."""
    # Masked before it is cut: half a URL has lost what its password is known by.
    first = masked(str(error)).strip().partition("\n")[0][:300]
    name = type(error).__name__
    return f"{name}: {first}" if first else name
