"""Print figures as a table."""

from collections.abc import Sequence

from benchmarks.figures import Figure, Skipped

HEADINGS = ("row", "work", "ours", "other", "value", "bar", "")


def number(value: float) -> str:
    """Return a value with three digits that matter, or more where it is large."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cells(figure: Figure) -> tuple[str, ...]:
    """Return what stands in the table about one figure."""
    sign = "≤" if figure.at_most else "≥"
    return (
        str(figure.row),
        figure.work,
        figure.ours,
        figure.other,
        f"{number(figure.value)} {figure.unit}",
        f"{sign} {figure.bar:g}",
        "holds" if figure.holds else "misses",
    )


def table(results: Sequence[Figure | Skipped], *, notes: bool = False) -> str:
    """Return the table, one line per figure, and below it the rows that were skipped and the notes."""
    figures = [result for result in results if isinstance(result, Figure)]
    lines = [HEADINGS, *map(cells, figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    right = {0, 2, 3, 4, 5}
    text = [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    text.insert(1, "  ".join("─" * width for width in widths))
    text += [f"row {skipped.row} skipped: {skipped.reason}" for skipped in results if isinstance(skipped, Skipped)]
    if notes:
        text += [f"row {figure.row}: {figure.note}" for figure in figures if figure.note]
    return "\n".join(text)
