"""The guide's pictures are what the wizard shows."""

from __future__ import annotations

from tests.pictures.wizard import IMAGES, picture, screens, texts

from .room import Folder, Shop, Typist


def test_pictures_of_the_guide_show_what_is_shown(
    typist: Typist, folder: Folder, shop: Shop
) -> None:
    """Where it fails: `uv run python -m tests.pictures.wizard`, and look at them."""
    walk = screens(typist, folder.path / "staging", shop.spare)
    shown = {name: texts(picture(lines)) for name, lines in walk}

    assert set(shown) == {path.stem for path in IMAGES.glob("*.svg")}
    for name, written in shown.items():
        assert texts((IMAGES / f"{name}.svg").read_text(encoding="utf-8")) == written, name
