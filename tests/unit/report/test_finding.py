"""Severities compare, places read as editors open them."""

from __future__ import annotations

from pathlib import Path

import pytest

from confiture_flows.report.finding import Location, Severity


def test_severities_are_ordered() -> None:
    assert Severity.INFO < Severity.WARNING < Severity.ERROR


@pytest.mark.parametrize("severity", Severity)
def test_severity_is_found_by_its_label(severity: Severity) -> None:
    assert Severity.of(severity.label) is severity


def test_unknown_label_is_refused() -> None:
    with pytest.raises(KeyError):
        Severity.of("fatal")


@pytest.mark.parametrize(("line", "said"), [(3, "m/1.sql:3"), (None, "m/1.sql")])
def test_place_reads_as_file_and_line(line: int | None, said: str) -> None:
    assert str(Location(Path("m/1.sql"), line)) == said
