"""Figures -> pictures (SVG) for the page on performance."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.benchmarks.growth import Curve
    from tests.benchmarks.measure import Series

_INK = "#3b4252"
_OURS, _OTHERS = "#7fb0e8", "#b8bfc9"


def bars(path: Path, title: str, series: Mapping[str, Series], ours: frozenset[str]) -> None:
    """One bar a candidate: its median, with a line from the least to the most.

    Args:
        path: Of the picture.
        title: What is shown, with its unit.
        series: By name, the first one on top.
        ours: Which of them are of this package; they have its colour.
    """
    pyplot = _pyplot()
    names = list(series)
    figure, axes = pyplot.subplots(figsize=(8, 0.42 * len(names) + 0.9), layout="constrained")
    medians = [series[name].median for name in names]
    spread = [
        [each.median - each.least for each in series.values()],
        [each.most - each.median for each in series.values()],
    ]
    colours = [_OURS if name in ours else _OTHERS for name in names]
    axes.barh(names, medians, xerr=spread, color=colours, ecolor=_INK, capsize=2, height=0.7)
    for place, median in enumerate(medians):
        axes.annotate(
            f"{median:.2f}", (0, place), (4, 0), textcoords="offset points", va="center", size=9
        )
    axes.invert_yaxis()
    axes.set_title(title, loc="left", size=11)
    axes.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def lines(path: Path, title: str, unit: str, curves: Mapping[str, Curve]) -> None:
    """Seconds by size, both on logarithmic scales, so that what is in proportion is straight.

    Args:
        path: Of the picture.
        title: What is shown.
        unit: What sizes count.
        curves: By name.
    """
    pyplot = _pyplot()
    figure, axes = pyplot.subplots(figsize=(8, 4), layout="constrained")
    for label, curve in curves.items():
        sizes, seconds = zip(*curve.points, strict=True)
        axes.plot(sizes, seconds, marker="o", label=f"{label} (exponent {curve.exponent:.2f})")
    axes.set(xscale="log", yscale="log", xlabel=unit, ylabel="seconds")
    axes.set_title(title, loc="left", size=11)
    axes.grid(visible=True, which="major", color="#e4e7ec")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    _save(figure, path)


def _pyplot() -> Any:
    # By name, since only the bench group has it.
    import_module("matplotlib").use("svg")
    return import_module("matplotlib.pyplot")


def _save(figure: Any, path: Path) -> None:
    pyplot = _pyplot()
    path.parent.mkdir(parents=True, exist_ok=True)
    # Text stays text; no date, so that the same figures make the same file.
    with pyplot.rc_context({"svg.fonttype": "none", "svg.hashsalt": "confiture"}):
        figure.savefig(path, metadata={"Date": None})
    pyplot.close("all")
