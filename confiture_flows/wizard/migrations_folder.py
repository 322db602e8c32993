"""Where the migrations are: asked only where the project's folder is none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from confiture_flows.migrations.layouts import all_layouts

if TYPE_CHECKING:
    from confiture_flows.wizard.prompts import Screen
    from confiture_flows.wizard.state import WizardState

DIRECTORY_KEY = "review.directory"


def ask_directory(screen: Screen, state: WizardState) -> WizardState | None:
    """Ask for the folder of the migrations; None where nothing needs to be asked.

    Its layout is not asked: a folder that no layout fits is the wrong one.
    """
    named = state.layout or screen.project.layout
    expected = Path(state.directory) if state.directory else screen.project.directory
    if not state.migrates or (wrong := _wrong(expected, named)) is None:
        return None
    screen.say(wrong, "yellow")
    found = screen.prompter.text(
        DIRECTORY_KEY,
        "In which folder are the migrations?",
        check=lambda text: _wrong(Path(text), named),
    )
    return state.but(directory=found)


def shortly(path: Path) -> str:
    """A path as somebody in this folder would write it."""
    whole, here = path.resolve(), Path.cwd()
    return str(whole.relative_to(here) if whole.is_relative_to(here) else path)


def _wrong(path: Path, layout: str | None) -> str | None:
    """Why a folder cannot be that of the migrations, in words; None where it can."""
    if not path.is_dir():
        return f"There is no folder {shortly(path)}."
    try:
        fits = layout is not None or any(each.detect(path) for each in all_layouts())
    except OSError as error:
        return f"{shortly(path)} cannot be read: {error.strerror}."
    return (
        None if fits else f"There are no migrations in {shortly(path)} of a layout that is known."
    )
