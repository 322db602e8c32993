"""`confiture-flows import`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - cyclopts reads the annotations
from typing import Annotated

from cyclopts import Parameter

from confiture_flows.cli._frame import DirectoryOptions, Outcome, Work, framed


def import_(
    source: Path,
    /,
    *,
    into: Path,
    layout: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Write the migrations of any layout out as pairs, with the same versions and order.

    Args:
        source: The directory to read.
        into: The directory to write; it must hold no migrations.
        layout: How the source writes migrations down [default: detected].
        json: Print one JSON object.
    """
    options = DirectoryOptions(dir=source, layout=layout, json=json)
    return framed("import", options, lambda work: _run(work, into))


def _run(work: Work, into: Path) -> Outcome:
    from confiture_flows.migrations.adoption_report import import_document, import_json
    from confiture_flows.migrations.discovery import discover
    from confiture_flows.migrations.import_pairs import import_directory

    request = work.request()
    # Placeholders stay as they are written.
    source = discover(request.directory, layout=request.layout, as_written=request.as_written)
    done = import_directory(source, into)
    return Outcome(import_json(done), import_document(done), done.findings)
