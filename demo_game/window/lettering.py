"""Sets text: letters that pygame's own font lacks, as those of China, Japan and Korea, come from a font of the system."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar
from unicodedata import bidirectional, category

import pygame

from demo_game.window.palette import Colour

FAMILIES = (
    "NotoSansCJK-Regular.ttc", "NotoSansCJK-VF.ttc", "DroidSansFallbackFull.ttf", "DroidSansFallback.ttf",
    "wqy-microhei.ttc", "wqy-zenhei.ttc", "NotoSansDevanagari-Regular.ttf", "NotoSansArabic-Regular.ttf",
    "NotoSansSymbols2-Regular.ttf", "DejaVuSans.ttf", "FreeSans.ttf", "unifont.ttf", "unifont.otf",
    "PingFang.ttc", "Hiragino Sans GB.ttc", "AppleSDGothicNeo.ttc", "Arial Unicode.ttf", "Apple Symbols.ttf",
    "msyh.ttc", "YuGothM.ttc", "meiryo.ttc", "msgothic.ttc", "malgun.ttf", "Nirmala.ttf", "Nirmala.ttc", "LeelawUI.ttf",
    "arial.ttf", "seguisym.ttf", "seguiemj.ttf",
)  # fmt: skip
"""Files that come with Linux distributions, with macOS and with Windows and have what pygame's font has not, best first."""

PROBE = 16
"""The size at which is looked whether a font has a letter."""
JOINED = ("Mn", "Me", "Cf")
"""Categories of what has no width of its own, such as accents and what makes ❤ red: it is drawn with the letter before it."""
LETTERS = 4_000
"""Letters of which is remembered who has them."""
FROM_THE_RIGHT = {"R": "Hebr", "AL": "Arab"}
"""The classes of letters that are written from right to left, and the script by whose rules they and their accents are."""

IN_NUMBERS = "-:.,/\u066b\u066c"
"""What stands between the digits of scores, times and decimals, of Arabic ones as well."""
CLOSE = {")": "(", "]": "[", "}": "{", ">": "<", "»": "«"}
MIRRORED = str.maketrans(CLOSE | {opening: closing for closing, opening in CLOSE.items()})


def folders() -> Sequence[Path]:
    """Return where this system keeps its fonts."""
    if sys.platform == "win32":
        return [Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "Fonts"]
    if sys.platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), Path.home() / "Library" / "Fonts"]
    return [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local" / "share" / "fonts"]


def installed(places: Sequence[Path] | None = None) -> list[Path]:
    """Return the files of `FAMILIES` that are there. pygame's `match_font` would ask a program, for seconds on a Mac."""
    found: dict[str, Path] = {}
    for place in folders() if places is None else places:
        for folder, _, files in os.walk(place):
            found.update((name, Path(folder) / name) for name in files if name in FAMILIES)
    return sorted(found.values(), key=lambda path: FAMILIES.index(path.name))


def in_order(words: str) -> str:
    """Return a line in the order in which it stands from left to right, which is the only one that pygame writes.

    What is from right to left in it is turned, with what is between, but for numbers, times and scores; brackets are turned
    round with it, and an accent stays behind its letter.
    """
    line: list[str] = []
    turned: list[str] = []
    for part in _whole(words):
        kind = bidirectional(part[0])
        if kind == "L" and turned:
            line += _turned(turned)
            turned = []
        (turned if turned or kind in FROM_THE_RIGHT else line).append(part)
    return "".join([*line, *_turned(turned)])


def _whole(words: str) -> list[str]:
    """Return what stays together: a letter and its accents, and the digits of a number, as in `12:30`."""
    parts: list[str] = []
    for letter, following in zip(words, [*words[1:], ""], strict=True):
        last = parts[-1] if parts else ""
        between = letter in IN_NUMBERS and last[-1:].isdecimal() and following.isdecimal()
        if parts and (category(letter) in JOINED or between or (letter.isdecimal() and last[0].isdecimal())):
            parts[-1] += letter
        else:
            parts.append(letter)
    return parts


def _turned(parts: list[str]) -> list[str]:
    """Return what begins with a letter from the right, turned up to the last one of these and what closes brackets there."""
    end = max((number + 1 for number, part in enumerate(parts) if bidirectional(part[0]) in FROM_THE_RIGHT), default=0)
    while parts[end:] and parts[:end].count(CLOSE.get(parts[end], "")) > parts[:end].count(parts[end]):
        end += 1
    return [*(part.translate(MIRRORED) for part in reversed(parts[:end])), *parts[end:]]


UNUSABLE = (pygame.error, OSError, ValueError)
"""What a font raises that was damaged or uninstalled, or has a letter that cannot be drawn."""
P = ParamSpec("P")
T = TypeVar("T")


class Lettering:
    """Lines of text as pictures, in pygame's own font and, letter by letter, in the first of others that has what it lacks.

    Args:
        others: finds these; it is called when a text first needs one.
    """

    def __init__(self, others: Callable[[], Sequence[Path]] = installed) -> None:
        self._find = others
        self._others: Sequence[Path] | None = None
        self._fonts: dict[tuple[Path | None, int], pygame.font.Font] = {}
        self._owners: dict[str, Path | None] = {}

    def write(self, words: str, size: int, colour: Colour) -> pygame.Surface:
        """Write one line, as high as a line of pygame's font of this size, whoever has its letters."""
        parts = [self._with(owner, size, _drawn, part, colour) for owner, part in self._parts(words)]
        if len(parts) == 1:
            return parts[0]
        line = pygame.Surface(
            (sum(part.get_width() for part in parts), self._font(None, size).get_height()), pygame.SRCALPHA
        )
        line.fill((*colour, 0))  # what is transparent has the colour, too, so that no dark rim is mixed in
        left = 0
        for part in parts:
            line.blit(part, (left, (line.get_height() - part.get_height()) // 2))
            left += part.get_width()
        return line

    def width(self, words: str, size: int) -> int:
        """Say how wide that is."""
        return sum(self._with(owner, size, _width, part) for owner, part in self._parts(words))

    def forget(self) -> None:
        """Close the files of all fonts; they are opened again when they are needed."""
        self._fonts.clear()

    def _parts(self, words: str) -> Iterator[tuple[Path | None, str]]:
        if words.isascii():
            yield None, words
            return
        words = in_order(words)
        before: Path | None = None

        def owner_of(letter: str) -> Path | None:
            nonlocal before
            if category(letter) not in JOINED:
                before = self._owner(letter)
            return before

        for owner, letters in groupby(words, owner_of):
            yield owner, "".join(letters)

    def _owner(self, letter: str) -> Path | None:
        """Return the font that has a letter; None for pygame's own, also where nobody has it."""
        if letter.isascii():
            return None
        if letter not in self._owners:
            if len(self._owners) >= LETTERS:
                self._owners.clear()
            # Of the Arabic letters, pygame's own has a few, which would be joined to none of the others.
            own = bidirectional(letter) != "AL" and self._has(None, letter)
            self._owners[letter] = None if own else self._other_with(letter)
        return self._owners[letter]

    def _other_with(self, letter: str) -> Path | None:
        if self._others is None:
            self._others = self._find()
        return next((path for path in self._others if self._has(path, letter)), None)

    def _has(self, owner: Path | None, letter: str) -> bool:
        """Tell whether a font draws a letter otherwise than what no font has."""
        try:
            font = self._font(owner, PROBE)
            drawn, missing = (
                pygame.image.tobytes(font.render(one, True, "white"), "RGBA") for one in (letter, "\uffff")
            )
        except UNUSABLE:
            return False
        return drawn != missing

    def _with(
        self,
        owner: Path | None,
        size: int,
        act: Callable[Concatenate[pygame.font.Font, P], T],
        *args: P.args,
        **named: P.kwargs,
    ) -> T:
        """Do something with a font; with pygame's own where that one has been damaged or uninstalled since."""
        try:
            return act(self._font(owner, size), *args, **named)
        except UNUSABLE:
            if owner is None:
                raise
            self._fonts[owner, size] = own = self._font(None, size)
            return act(own, *args, **named)

    def _font(self, owner: Path | None, size: int) -> pygame.font.Font:
        """Return a font. Raises one of `UNUSABLE` for a file that is none, or not there any more."""
        key = owner, size
        if key not in self._fonts:
            font = pygame.font.Font(owner, size)
            if owner is not None:  # as high as the lines of pygame's own, which are laid out already, and as bold
                font.size("0")  # raises where the file is damaged, while to ask for the height would end the process
                height = max(1, font.get_height())
                font = pygame.font.Font(owner, max(1, size * self._font(None, size).get_height() // height))
                font.size("0")
                font.bold = True
            self._fonts[key] = font
        return self._fonts[key]


def _width(font: pygame.font.Font, words: str) -> int:
    _join(font, words)
    return font.size(words)[0]


def _drawn(font: pygame.font.Font, words: str, colour: Colour) -> pygame.Surface:
    """Return words in a font, also where nothing of them is seen, which pygame refuses to draw."""
    _join(font, words)
    if not font.size(words)[0]:
        return pygame.Surface((0, font.get_height()), pygame.SRCALPHA)
    return font.render(words, True, colour)


def _join(font: pygame.font.Font, words: str) -> None:
    """Have a font join letters and place accents by the rules of a script, where pygame can: for that it turns them back."""
    if not words.isascii():
        scripts = (FROM_THE_RIGHT[kind] for kind in map(bidirectional, words) if kind in FROM_THE_RIGHT)
        with suppress(pygame.error):  # an old SDL_ttf knows no scripts
            font.set_script(next(scripts, "Zyyy"))
