"""`confiture-flows demo`."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

from confiture_flows.cli._frame import exit_code
from confiture_flows.report.console import console


def demo(*, stay: Annotated[bool, Parameter(negative="")] = False) -> int:
    """See it work: a throw-away PostgreSQL, a small shop, a flow run, a failure undone.

    Needs nothing but this package with its extra `embedded`, and leaves nothing behind.
    With PREFECT_API_URL set, the runs are shown by that Prefect server.

    Args:
        stay: Keep the servers until Ctrl-C, to look at the runs in the Prefect UI.
    """
    from confiture_flows.cli._demo_story import tell
    from confiture_flows.errors import ConfitureFlowsError
    from confiture_flows.report.text import print_error

    out = console(sys.stdout)
    try:
        tell(out, stay=stay)
    except (ConfitureFlowsError, KeyboardInterrupt) as error:
        print_error(out, error)
        return exit_code(error)
    return 0
