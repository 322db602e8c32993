"""A process that does jobs of a proof: `python -m confiture_flows.anonymization.proof.worker`."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from confiture_flows.anonymization.copying.process import serve
from confiture_flows.anonymization.copying.sessions import told_without_rows
from confiture_flows.anonymization.proof.jobs import Hands
from confiture_flows.anonymization.proof.sessions import SideSessions
from confiture_flows.errors import ConfitureFlowsError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from confiture_flows.anonymization.proof.jobs import Job


def do_jobs(parent: Connection) -> None:
    """Do jobs as they are asked for, until nobody asks any more."""
    try:
        sides, file = parent.recv()
        with closing(SideSessions(sides)) as sessions:
            hands = Hands(sessions, file)
            while True:
                job: Job = parent.recv()
                try:
                    with told_without_rows("Proving the copy"):
                        done = job.run(hands)
                except ConfitureFlowsError as error:
                    parent.send(("failed", error))
                else:
                    parent.send(("done", done))
    except EOFError:
        return


if __name__ == "__main__":
    serve(do_jobs)
