"""Pairs in the order of their versions' text: "10" before "9". Identity: VERSION.

The order of fraiseql-confiture and of diesel, which differs where versions are of different
lengths. Never detected: what counts 1, 2, 10 far more often means the numbers.
"""

from __future__ import annotations

from functools import partial

from confiture_flows.migrations.layouts import Layout
from confiture_flows.migrations.layouts._pairs import read_pairs, scaffold_pair

LAYOUT = Layout(
    name="pairs-as-text",
    summary="VERSION_name.up.sql, .down.sql in the order of their text",
    rank=32,
    detect=lambda _directory: False,
    read=partial(read_pairs, identity_is_stem=False, order_as_text=True),
    scaffold=scaffold_pair,
)
