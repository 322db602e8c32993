"""`confiture-flows new`."""

from __future__ import annotations

from confiture_flows.cli._frame import DirectoryOptions, Outcome, Work, framed

_DEFAULTS = DirectoryOptions()


def new(title: str, /, *, options: DirectoryOptions = _DEFAULTS) -> int:
    """Write the empty files of a new migration, in the directory's own layout.

    Args:
        title: What it does, for example "add users".
        options: Which directory.
    """
    return framed("new", options, lambda work: _run(work, title))


def _run(work: Work, title: str) -> Outcome:
    from datetime import UTC, datetime

    from confiture_flows.migrations.scaffold import scaffold
    from confiture_flows.report.document import Code, Document

    request = work.request()
    written = scaffold(request.directory, title, datetime.now(UTC), layout=request.layout)
    blocks = tuple(Code(str(path)) for path in written)
    return Outcome({"files": list(written)}, Document("Written:", blocks))
