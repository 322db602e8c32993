"""Where progress is told: lines on a stream, and on a terminal a bar below them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TextIO

from confiture_flows.report.console import console, silence

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar


class ProgressScreen:
    """Lines, and on a terminal a bar.

    In a pipe there are only the lines, and rich, which takes a tenth of a second to import, is
    not needed.

    Attributes:
        bar: None in a pipe, when quiet, and while nothing has begun or all is over.
    """

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        self.bar: Bar | None = None
        self._stream = stream
        self._quiet = quiet

    def start_bar(self, *, time_left: bool) -> Bar | None:
        """Show the bar, where there is one; a task's field `done` stands beside it.

        Args:
            time_left: Whether the time that is left stands at its end, and not the time it took.
        """
        if self._quiet or not self._stream.isatty():
            return None
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.progress import TimeElapsedColumn as Elapsed
        from rich.progress import TimeRemainingColumn as Remaining

        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[done]}"),
            Remaining() if time_left else Elapsed(),
            console=self._console,
            transient=True,
        )
        self.bar.start()
        return self.bar

    def stop_bar(self) -> None:
        """Take the bar away."""
        if self.bar:
            self.bar.stop()
            self.bar = None

    def line(self, text: str, style: str = "") -> None:
        """Print a line; its style is for terminals. A reader that has left ends all lines."""
        if self._quiet:
            return
        if self._stream.isatty():
            from rich.text import Text

            self._console.print(Text(text, style=style))
            return
        try:
            print(text, file=self._stream, flush=True)
        except BrokenPipeError:
            self._quiet = True  # which must not stop what is told about
            silence(self._stream)

    @cached_property
    def _console(self) -> Console:
        return console(self._stream)
