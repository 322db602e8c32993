"""The package's own names."""

from __future__ import annotations

import pytest

import confiture_flows


@pytest.mark.parametrize("name", confiture_flows.__all__)
def test_public_name_is_found_where_it_lives(name: str) -> None:
    assert getattr(confiture_flows, name).__module__.startswith("confiture_flows.")


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        confiture_flows.nothing  # noqa: B018
