"""The guide's pictures are what the wizard shows."""

from __future__ import annotations

from tests.pictures.wizard import IMAGES, picture, screens, texts

from .room import Typist


def test_pictures_of_the_guide_show_what_is_shown(typist: Typist) -> None:
    """Where it fails: `uv run python -m tests.pictures.wizard`, and look at them."""
    shown = {name: texts(picture(lines)) for name, lines in screens(typist)}

    assert set(shown) == {"database", "environment", "tables", "rules"}
    for name, written in shown.items():
        assert texts((IMAGES / f"{name}.svg").read_text(encoding="utf-8")) == written, name
