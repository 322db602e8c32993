"""A stream -> a console of rich; it knows a pipe, and bears a reader who leaves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console


def silence(stream: TextIO) -> None:
    """Let a stream go nowhere: its reader (head, less) has left, and closing it would complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def console(stream: TextIO) -> Console:
    """A stream to print on; lines are never broken when it is a pipe."""
    from rich.console import Console

    class PatientConsole(Console):
        def on_broken_pipe(self) -> None:
            # rich would exit; but a reader that left (head, less) must not stop a migration.
            self.quiet = True
            silence(stream)

    return PatientConsole(file=stream, soft_wrap=not stream.isatty())
