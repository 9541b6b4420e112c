"""Draws text and cached pictures on the window, at the scale of the window."""

from collections.abc import Callable, Hashable
from typing import Literal

import pygame

from demo_game.window.lettering import Lettering
from demo_game.window.palette import INK, Colour, blend

Anchor = Literal["center", "topleft", "topright", "midleft", "midright", "midtop", "midbottom", "bottomleft"]

CACHED_PICTURES = 1500
"""Pictures that are kept; text that counts up would otherwise grow the cache for ever."""

SMALL = 0.72
"""The scale at 640×480: text of this size can just be read."""

UPRIGHT = 500
"""The width from which on an upright window has text as large: there the seas lie below each other."""

FINENESS = 3
"""How much larger pictures are drawn before they are scaled down: this is what makes their edges smooth."""

LINE_HEIGHT = 1.12
"""How much higher a line is than the size of its letters."""


class Painter:
    """Draws on one surface. Pictures that do not change are drawn once and kept until the size changes.

    `reserved` are the pixels at the bottom of the window that belong to no screen.
    """

    def __init__(self, surface: pygame.Surface) -> None:
        self.surface = surface
        self.reserved = 0
        self._drawn_size = surface.get_size()
        self._lettering = Lettering()
        self._pictures: dict[Hashable, pygame.Surface] = {}

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of what a screen may fill: the window without what is `reserved`."""
        width, height = self.surface.get_size()
        return width, max(1, height - self.reserved)

    @property
    def unit(self) -> float:
        """The scale of text and margins: 1 at 1280×720; text stays large as long as everything has room at 640×480."""
        width, height = self.surface.get_size()
        narrow = 640 if width > height else UPRIGHT
        return max(min(width / 1280, height / 720), SMALL * min(1.0, width / narrow, height / 480))

    def px(self, length: float) -> int:
        """Scale a length that is meant for 1280×720."""
        return round(length * self.unit)

    def paint_on(self, surface: pygame.Surface) -> None:
        """Draw the next frame on this surface; when its size is another, everything kept is made anew."""
        if surface.get_size() != self._drawn_size:
            self._pictures.clear()
            self._lettering.forget()  # each of its fonts holds an open file
        self.surface = surface
        self._drawn_size = surface.get_size()

    def picture(self, key: Hashable, make: Callable[[], pygame.Surface]) -> pygame.Surface:
        """Give the picture kept under the key, made now if it is not there."""
        if key not in self._pictures:
            if len(self._pictures) >= CACHED_PICTURES:
                self._pictures.clear()
            self._pictures[key] = make()
        return self._pictures[key]

    def text(
        self, words: str, place: tuple[int, int], size: float = 20, colour: Colour = INK, anchor: Anchor = "center"
    ) -> pygame.Rect:
        """Write one line, with `anchor` at the place, and give the rectangle that it covers."""
        # What strangers wrote may hold what no font has: a null character is an error.
        words = "".join(letter if letter.isprintable() else " " for letter in words)
        picture = self._words(words, self.px(size), colour)
        rect = picture.get_rect(**{anchor: place})
        self.surface.blit(picture, rect)
        return rect

    def paragraph(self, words: str, place: tuple[int, int], width: int, size: float, colour: Colour) -> pygame.Rect:
        """Write centred lines, broken to the width, downwards from the place, and give the rectangle they cover."""
        left, top = place
        covered = pygame.Rect(left, top, 0, 0)
        for line in self.broken(words, width, size):
            rect = self.text(line, (left, covered.bottom), size, colour, "midtop")
            covered = covered.union(rect)
            covered.height += self.px(size * 0.25)
        return covered

    def panel(self, rect: pygame.Rect, colour: Colour, alpha: int = 255, radius: int = 10) -> None:
        """Fill a rectangle with round corners."""
        key = ("panel", rect.size, colour, alpha, radius)
        self.surface.blit(self.picture(key, lambda: _panel(rect.size, colour, alpha, self.px(radius))), rect)

    def backdrop(self, top: Colour, bottom: Colour) -> None:
        """Fill the screen with a gradient from top to bottom."""
        self.surface.blit(
            self.picture(("backdrop", self.size, top, bottom), lambda: gradient(self.size, top, bottom)), (0, 0)
        )

    def width_of(self, words: str, size: float) -> int:
        """Say how wide one line of text is."""
        return self._width(words, self.px(size))

    def broken(self, words: str, width: int, size: float, *, indent: int = 0) -> list[str]:
        """Break a text into lines of a width, the first one shorter by `indent`: at spaces, and where there is none."""
        lines = [""]
        for word in words.split():
            longer = f"{lines[-1]} {word}".lstrip()
            if self.width_of(longer, size) <= width - indent * (len(lines) == 1):
                lines[-1] = longer
                continue
            if lines[-1]:
                lines.append("")
            for letter in word:
                if lines[-1] and self.width_of(lines[-1] + letter, size) > width - indent * (len(lines) == 1):
                    lines.append("")
                lines[-1] += letter
        return lines

    def cut(self, words: str, width: int, size: float) -> str:
        """Give as much of a text as fits into a width, with dots where something is left out."""
        if self.width_of(words, size) <= width:
            return words
        while words and self.width_of(f"{words}…", size) > width:
            words = words[:-1]
        return f"{words}…"

    def _words(self, words: str, pixels: int, colour: Colour) -> pygame.Surface:
        def make() -> pygame.Surface:
            large = self._lettering.write(words, _fine(pixels), colour)
            if not large.get_width():
                # pygame's smoothscale crashes the interpreter on a picture without columns.
                return pygame.Surface((1, 1), pygame.SRCALPHA)
            # Small letters are set on whole pixels, and stand unevenly; large ones scaled down do not.
            size = (max(1, round(large.get_width() / FINENESS)), max(1, round(large.get_height() / FINENESS)))
            return pygame.transform.smoothscale(large, size)

        return self.picture(("words", words, pixels, colour), make)

    def _width(self, words: str, pixels: int) -> int:
        return round(self._lettering.width(words, _fine(pixels)) / FINENESS)


def _fine(pixels: int) -> int:
    """Return the size of a font for letters of this height, before they are scaled down."""
    return round(pixels * FINENESS * LINE_HEIGHT)


def gradient(size: tuple[int, int], top: Colour, bottom: Colour) -> pygame.Surface:
    """Make a picture that goes from one colour at the top to another at the bottom."""
    width, height = size
    column = pygame.Surface((1, height))
    for row in range(height):
        column.set_at((0, row), blend(top, bottom, row / max(1, height - 1)))
    return pygame.transform.scale(column, (width, height))


def smooth_picture(
    size: tuple[int, int], draw: Callable[[pygame.Surface], None], edge: Colour, fineness: int = FINENESS
) -> pygame.Surface:
    """Let `draw` paint on a larger, transparent surface and scale that down.

    `edge` is the colour of the outline: what is transparent has it too, so that no dark rim is mixed in.
    """
    size = (max(1, size[0]), max(1, size[1]))
    large = pygame.Surface((size[0] * fineness, size[1] * fineness), pygame.SRCALPHA)
    large.fill((*edge, 0))
    draw(large)
    return pygame.transform.smoothscale(large, size)


def _panel(size: tuple[int, int], colour: Colour, alpha: int, radius: int) -> pygame.Surface:
    def draw(large: pygame.Surface) -> None:
        pygame.draw.rect(large, (*colour, alpha), large.get_rect(), border_radius=radius * FINENESS)

    return smooth_picture(size, draw, colour)
