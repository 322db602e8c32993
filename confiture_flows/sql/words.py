"""SQL text -> where a keyword ends in it, by PostgreSQL's own scanner. Pure."""

from __future__ import annotations


def word_end(sql: str, *words: str, nth: int = 1) -> int | None:
    """Where a row of words ends in a statement, in characters; None when it is not there.

    Args:
        sql: The statement.
        words: What to look for, in any case, with only space and comments between; quoted names
            and text in comments or strings are no words.
        nth: Which time it stands there.
    """
    import postgast

    encoded = sql.encode()
    wanted = [word.lower() for word in words]
    row: list[str] = []
    for token in postgast.scan(sql).tokens:
        text = encoded[token.start : token.end].decode()
        if text.startswith(("--", "/*")):
            continue
        row = [*row, text.lower()][-len(wanted) :]
        if row == wanted:
            nth -= 1
            if not nth:
                return len(encoded[: token.end].decode())
    return None
