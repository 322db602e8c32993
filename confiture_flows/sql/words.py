"""SQL text -> its words, and where a keyword ends in it, by PostgreSQL's own scanner. Pure."""

from __future__ import annotations

from functools import lru_cache


def word_end(sql: str, *words: str) -> int | None:
    """Where a row of words first ends in a statement, in characters; None when it is not there.

    Args:
        sql: The statement.
        words: What to look for, in any case, with only space and comments between; quoted names
            and text in comments or strings are no words.
    """
    wanted = [word.lower() for word in words]
    row: list[str] = []
    for word, _, end in words_of(sql):
        row = [*row, word.lower()][-len(wanted) :]
        if row == wanted:
            return end
    return None


@lru_cache(maxsize=16)  # each column of a table asks for the words of its statement
def words_of(sql: str) -> tuple[tuple[str, int, int], ...]:
    """The words and signs of a text: each as it stands, and from where to where, in characters.

    Comments are none.

    Args:
        sql: The text, which need not be a whole statement.
    """
    import postgast

    encoded = sql.encode()
    # Without a character of several bytes the places are the same.
    plain = len(encoded) == len(sql)
    found: list[tuple[str, int, int]] = []
    for token in postgast.scan(sql).tokens:
        start, end = token.start, token.end
        word = sql[start:end] if plain else encoded[start:end].decode()
        if not word.startswith(("--", "/*")):
            at = start if plain else len(encoded[:start].decode())
            found.append((word, at, at + len(word)))
    return tuple(found)
