"""Polarity drawn with characters. Readable without colour, and with ASCII alone where the terminal knows no more."""

from collections.abc import Sequence

from rich.text import Text

# Eight heights of a cell; ASCII has to do with five.
_HEIGHTS, _ASCII_HEIGHTS = "▁▂▃▄▅▆▇█", "_.-=#"
# Within this of zero nothing is drawn as leaning to a side: half a cell of the usual bar.
_LEANS = 0.1


def colour(polarity: float) -> str:
    """Red below zero, green above."""
    if abs(polarity) < _LEANS:
        return "yellow"
    return "red" if polarity < 0 else "green"


def bar(polarity: float, half: int, *, plain: bool) -> Text:
    """`polarity` (-1..1) from the middle of 2 * half + 1 cells: to the left what is negative, to the right what is positive."""
    block, middle = ("#", "|") if plain else ("█", "│")
    cells = min(round(abs(polarity) * half), half)
    left = block * cells if polarity < 0 else ""
    right = block * cells if polarity > 0 else ""
    drawn = Text()
    drawn.append(left.rjust(half), style=colour(polarity))
    drawn.append(middle, style="dim")
    drawn.append(right.ljust(half), style=colour(polarity))
    return drawn


def signed(value: float | None) -> str:
    """+0.42, -0.10, or a dash where it is unknown."""
    return "  -  " if value is None else f"{value:+.2f}"


def sparkline(values: Sequence[float], width: int, *, plain: bool) -> Text:
    """The last `width` of `values` (-1..1), lowest cell for -1."""
    heights = _ASCII_HEIGHTS if plain else _HEIGHTS
    drawn = Text()
    for value in values[-width:]:
        drawn.append(heights[min(int((value + 1) / 2 * len(heights)), len(heights) - 1)], style=colour(value))
    return drawn


def clock(ms: int) -> str:
    """Call time: 1:07, or 1:02:03."""
    seconds = ms // 1000
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def clean(text: object) -> str:
    """`text` without control characters: nothing from a bus moves a person's cursor."""
    return "".join(character if character.isprintable() else "?" for character in str(text))
