"""Pairs whose versions may repeat, as Concourse has them. Identity: VERSION_name.

Never detected: a repeated version is far more often a mistake than a custom.
"""

from __future__ import annotations

from functools import partial

from confiture_flows.migrations.layouts import Layout
from confiture_flows.migrations.layouts._pairs import read_pairs, scaffold_pair

LAYOUT = Layout(
    name="pairs-by-name",
    summary="VERSION_name.up.sql, .down.sql where versions may repeat (concourse)",
    rank=31,
    detect=lambda _directory: False,
    read=partial(read_pairs, identity_is_stem=True),
    scaffold=scaffold_pair,
)
