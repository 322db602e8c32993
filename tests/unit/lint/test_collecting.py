"""Python's search for cycles is held back while linting, and is as before afterwards."""

from __future__ import annotations

import gc

import pytest

from confiture_flows.lint.collecting import collecting_rarely


def test_overlapping_runs_leave_the_threshold_as_the_first_found_it() -> None:
    before = gc.get_threshold()
    first, second = collecting_rarely(), collecting_rarely()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert gc.get_threshold()[0] > before[0]
    second.__exit__(None, None, None)
    assert gc.get_threshold() == before


def test_an_error_leaves_the_threshold_as_it_was() -> None:
    before = gc.get_threshold()
    with pytest.raises(ValueError, match="wrong"), collecting_rarely():
        raise ValueError("wrong")
    assert gc.get_threshold() == before


def test_a_search_that_is_off_stays_off() -> None:
    before = gc.get_threshold()
    gc.set_threshold(0)
    try:
        with collecting_rarely():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)
