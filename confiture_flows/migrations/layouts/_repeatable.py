"""`R__description.sql` -> Found value: a migration that runs again whenever it changes.

The name is Flyway's in every layout that has them: golang-migrate and fraiseql-confiture look
at `.up.sql` files only and leave it alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confiture_flows.migrations.layouts import Found
from confiture_flows.migrations.migration import REPEATABLE_PREFIX

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.migrations.migration import Script

REPEATABLE_NAME = f"{REPEATABLE_PREFIX}description.sql"
# The ends that pairs give to their files would make a description of a mistake.
_NAME = re.compile(
    rf"^{REPEATABLE_PREFIX}(?P<description>.+?)(?<!\.up)(?<!\.down)(?<!\.verify)\.sql$"
)


def is_repeatable(path: Path) -> bool:
    """Whether a file is named as a repeatable migration."""
    return _NAME.match(path.name) is not None


def repeatable(script: Script) -> Found:
    """The migration of a file that `is_repeatable`.

    Identity and order are those of the description, in which Flyway reads `_` as a space.
    """
    description = script.path.name.removeprefix(REPEATABLE_PREFIX).removesuffix(".sql")
    return Found(
        version=REPEATABLE_PREFIX + description,
        name=description,
        key=(description.replace("_", " "),),
        up=script,
        repeatable=True,
    )
