"""What the command line and the wizard share: run plainly or as a flow, and watch it.

migrating.py and copying.py start a run in either way, taking_back.py undoes a failed one;
progress.py and copy_progress.py show it, as a bar or as lines.
"""

from __future__ import annotations

import os


def quiet_prefect() -> None:
    """Keep Prefect's lines for its server and off the terminal, where they would repeat ours.

    Prefect reads this when it is imported; who has set it wants it otherwise.
    """
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
