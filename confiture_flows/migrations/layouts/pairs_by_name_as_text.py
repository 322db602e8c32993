"""Pairs whose versions may repeat, in the order of their names' text. Identity: VERSION_name.

The order of prisma's folders. Never detected, as the other layouts of that kind.
"""

from __future__ import annotations

from functools import partial

from confiture_flows.migrations.layouts import Layout
from confiture_flows.migrations.layouts._pairs import read_pairs, scaffold_pair

LAYOUT = Layout(
    name="pairs-by-name-as-text",
    summary="VERSION_name.up.sql, .down.sql in the order of their names' text",
    rank=33,
    detect=lambda _directory: False,
    read=partial(read_pairs, identity_is_stem=True, order_as_text=True),
    scaffold=scaffold_pair,
)
