"""Ratios -> the sentences of the README. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Each is said where all that it names was measured.
_APPLYING = (
    "Applying: the engine takes {engine:.2f} times a bare psycopg loop that checks nothing; a flow "
    "run costs {flow_seconds:.1f} s more than that loop, most of them Prefect's start and end."
)
_OTHERS = (
    "As a command, `migrate --plain` takes {plain:.2f} times the bare loop, its start included; "
    "alembic takes {alembic:.1f}, fraiseql-confiture {confiture:.1f} and dbmate {dbmate:.2f} times "
    "as long as `migrate --plain`."
)
_DRY_RUN = (
    "A dry run with its way back takes {dry_run:.1f} times a plain apply of the same migrations."
)
_LINTING = (
    "Linting with all rules and the whole history reads {sqlfluff:.0f} times as many files a "
    "second as sqlfluff with three rules, and {squawk:.2f} times as many as squawk, which sees "
    "each file alone."
)
_COPYING = (
    "An anonymized copy moves unmasked rows at {copy_plain:.2f} times the speed of a bare loop "
    "over binary COPY, and rows with four HMAC-SHA256 columns at {copy_hashes:.2f} times; a whole "
    "copy is {confiture_copy:.1f} times as fast as fraiseql-confiture's, and {pg_anon:.2f} times "
    "as fast as pg_anon's dump and restore with its own digest, which has no key "
    "({pg_anon_bare:.2f} times with PostgreSQL's sha256 in its place)."
)
_SENTENCES = (_APPLYING, _OTHERS, _DRY_RUN, _LINTING, _COPYING)


def claims(ratios: Mapping[str, float]) -> str:
    """The list of what was measured, in Markdown.

    Args:
        ratios: By the names that the sentences use.
    """
    said: list[str] = []
    for sentence in _SENTENCES:
        try:
            said.append(f"- {sentence.format_map(ratios)}")
        except KeyError:
            continue
    return "\n".join(said)
