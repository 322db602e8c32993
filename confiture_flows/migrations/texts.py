"""What the scripts of a directory may refer to: values for placeholders, files to include."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confiture_flows.config import placeholder_key, placeholder_variables
from confiture_flows.migrations.migration import Script
from confiture_flows.sql.placeholders import Placeholders

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from confiture_flows.migrations.layouts import Layout


@dataclass(frozen=True, slots=True)
class Texts:
    """What scripts may refer to.

    Attributes:
        values: For placeholders, by `placeholder_key`; those of the environment come before them.
        replaced: Whether ${name} is a placeholder. None is: where somebody gives a value, and
            in a layout that has them. So a project that has none keeps its texts as they stand.
        root: Scripts may include what lies in this folder; None is the directory of migrations.
    """

    values: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    replaced: bool | None = None
    root: Path | None = None


NO_TEXTS = Texts()


def fitting(
    texts: Texts, directory: Path, layout: Layout, *, as_written: bool
) -> Callable[[Script], Script]:
    """Give the scripts of a directory what they may refer to.

    Args:
        texts: What the project says.
        directory: The folder of the migrations.
        layout: How it is written.
        as_written: Whether files may hold their own BEGIN and COMMIT.

    Returns:
        A script as its layout found it -> the script with all of it.
    """
    values = {**texts.values, **placeholder_variables()}
    replaced = texts.replaced
    if replaced is None:
        replaced = bool(values) or layout.placeholders is not None
    shared = Placeholders(values)
    root = texts.root or directory

    def placeholders(script: Script) -> Placeholders | None:
        if script.literal or not replaced:
            return None
        if layout.placeholders is None:
            return shared
        own = layout.placeholders(script.path).items()
        made = {placeholder_key(name): value for name, value in own}
        return Placeholders(made | values, frozenset(made.keys() - values.keys()))

    # `replace` costs three times as much, which ten thousand migrations make felt.
    return lambda script: Script(
        script.path,
        script.lines,
        script.transaction,
        as_written,
        script.none_if_starts,
        script.literal,
        placeholders(script),
        root,
    )
