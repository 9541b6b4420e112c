"""Tests of the colours: what is told by colour can be told by everybody who sees fewer of them."""

import itertools
import math

import pytest

from demo_game.window.palette import AMBER, CORAL, EMBER, FOAM, INK, NIGHT, PANEL, WATER, Colour

# Machado, Oliveira and Fernandes (2009), severity 1.0, for linear RGB.
SIGHTS = {
    "all colours": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
TOLD_APART = {
    "a ship fits or not": (FOAM, CORAL),
    "act or beware": (AMBER, CORAL),
    "a hit or a miss": (EMBER, INK),
    "a hit or water": (EMBER, WATER),
    "a miss or water": (INK, WATER),
    "our turn or nothing to do": (AMBER, PANEL),
}
FAR = 20.0
"""Distance in CIELAB: ten times what is just noticed side by side."""


def linear(value: int) -> float:
    share = value / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def lab(colour: Colour, sight: str) -> tuple[float, float, float]:
    """Give a colour as this sight sees it, in CIELAB (D65)."""
    rgb = [linear(value) for value in colour]
    seen = [min(max(sum(a * b for a, b in zip(row, rgb, strict=True)), 0.0), 1.0) for row in SIGHTS[sight]]
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.9505, 1.0, 1.089)
    x, y, z = (
        _root(sum(a * b for a, b in zip(row, seen, strict=True)) / limit)
        for row, limit in zip(rows, white, strict=True)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _root(share: float) -> float:
    return math.cbrt(share) if share > 0.008856 else 7.787 * share + 16 / 116


def distance(one: Colour, other: Colour, sight: str) -> float:
    return math.dist(lab(one, sight), lab(other, sight))


@pytest.mark.parametrize(("what", "sight"), [*itertools.product(TOLD_APART, SIGHTS)])
def test_what_colours_tell_is_seen_by_everybody(what: str, sight: str) -> None:
    one, other = TOLD_APART[what]

    assert distance(one, other, sight) > FAR


@pytest.mark.parametrize("ground", [AMBER, CORAL])
def test_words_on_colours_can_be_read(ground: Colour) -> None:
    def luminance(colour: Colour) -> float:
        red, green, blue = map(linear, colour)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    # The contrast that WCAG 2 wants of small text.
    assert (luminance(ground) + 0.05) / (luminance(NIGHT) + 0.05) > 4.5
