"""`VERSION_name.up.sql` and `.down.sql`: confiture, golang-migrate, sqlx. Identity: VERSION.

`R__name.sql` beside them is repeatable.
"""

from __future__ import annotations

from functools import partial

from confiture_flows.migrations.layouts import Layout
from confiture_flows.migrations.layouts._pairs import is_pairs, read_pairs, scaffold_pair

LAYOUT = Layout(
    name="pairs",
    summary="VERSION_name.up.sql, .down.sql, .verify.sql (confiture, golang-migrate, sqlx)",
    rank=30,
    detect=is_pairs,
    read=partial(read_pairs, identity_is_stem=False),
    scaffold=scaffold_pair,
)
