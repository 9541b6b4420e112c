"""Draw figures as bars beside their limit, into a PNG."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks import others
from benchmarks.figures import Figure
from benchmarks.table import number

HOLDS, MISSES = "#2a7f62", "#b3412e"


def plot(figures: Sequence[Figure], path: Path) -> None:
    """Write a picture: one bar per figure, as a share of what its limit allows.

    Raises:
        Unsuited: when matplotlib is not installed.
    """
    others.load("matplotlib").use("Agg")  # no display is needed to write a file
    pyplot = others.load("matplotlib.pyplot")
    picture, axes = pyplot.subplots(figsize=(11, 1.2 + 0.45 * len(figures)), layout="constrained")
    positions = range(len(figures))
    colours = [HOLDS if figure.holds else MISSES for figure in figures]
    axes.barh(positions, [figure.share for figure in figures], color=colours)
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set_yticks(positions, [f"{figure.row}  {figure.work}" for figure in figures])
    axes.invert_yaxis()
    axes.set_xlabel("share of what the bar allows (1 is the bar; shorter is better)")
    for position, figure in zip(positions, figures, strict=True):
        sign = "≤" if figure.at_most else "≥"
        text = f"{number(figure.value)} {figure.unit} ({sign} {figure.bar:g})"
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}  # the line of the bar may run through it
        axes.text(figure.share + 0.01, position, text, va="center", fontsize=8, bbox=box)
    axes.set_xlim(0, 1.25 * max([1.0, *(figure.share for figure in figures)]))
    axes.spines[["top", "right"]].set_visible(False)
    picture.savefig(path, dpi=120)
    pyplot.close(picture)
