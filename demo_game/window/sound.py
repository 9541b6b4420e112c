"""The sounds of Broadside, made of formulas: no file of anybody."""

import math
from array import array
from collections.abc import Callable
from random import Random

import pygame

RATE = 22050
"""Samples in a second."""
LOUD = 0.35
"""How loud the loudest is, from 0 to 1."""

Wave = Callable[[float], float]
"""From the seconds since the beginning to how far the air is pushed, from -1 to 1."""


def _noise(seed: int, every: int = 1) -> Wave:
    """Make noise; with `every` above 1 a deeper one, that changes only at each so many samples."""
    dice = Random(seed)
    values = [dice.uniform(-1, 1) for _ in range(RATE)]
    return lambda t: values[int(t * RATE) // every % len(values)]


def _tone(start: float, end: float, seconds: float) -> Wave:
    """Make a tone that glides from one frequency to another."""
    return lambda t: math.sin(math.tau * (start * t + (end - start) * t * t / (2 * seconds)))


def _fading(wave: Wave, speed: float, attack: float = 0.004) -> Wave:
    """Let a sound begin at once and die away."""
    return lambda t: wave(t) * min(1.0, t / attack) * math.exp(-t * speed)


def _mixed(*waves: tuple[float, Wave]) -> Wave:
    return lambda t: sum(share * wave(t) for share, wave in waves)


def _notes(*frequencies: float, length: float = 0.16) -> Wave:
    """Play notes one after another, each dying away over the next."""

    def wave(t: float) -> float:
        heard = [(frequency, t - number * length) for number, frequency in enumerate(frequencies)]
        return sum(0.6 * math.sin(math.tau * f * age) * math.exp(-age * 6) for f, age in heard if age >= 0)

    return wave


SOUNDS: dict[str, tuple[float, Callable[[], Wave]]] = {
    "fire": (0.5, lambda: _fading(_mixed((0.6, _noise(1, 3)), (0.5, _tone(160, 40, 0.5))), 9)),
    "splash": (0.6, lambda: _fading(_mixed((0.5, _noise(2)), (0.2, _noise(3, 4))), 7, attack=0.05)),
    "hit": (0.8, lambda: _fading(_mixed((0.7, _noise(4, 6)), (0.5, _tone(110, 30, 0.8))), 5)),
    "sunk": (1.6, lambda: _fading(_mixed((0.6, _noise(5, 9)), (0.5, _tone(90, 24, 1.6))), 2.4)),
    "turn": (0.5, lambda: _notes(660, 880)),
    "no": (0.25, lambda: _fading(_mixed((0.6, _tone(150, 120, 0.25))), 12)),
    "said": (0.3, lambda: _notes(990, length=0.1)),
    "victory": (1.4, lambda: _notes(523, 659, 784, 1047)),
    "defeat": (1.6, lambda: _notes(392, 349, 311, 262, length=0.24)),
}
"""By name: how many seconds, and what makes the wave."""


def samples(name: str) -> "array[int]":
    """Compute a sound: 16-bit samples, `RATE` a second, never silent and never above `LOUD`."""
    seconds, make = SOUNDS[name]
    wave = make()
    heard = [wave(number / RATE) for number in range(round(seconds * RATE))]
    loudest = max(map(abs, heard))
    # The end is faded out: a wave that is cut clicks.
    fade = RATE // 50
    return array(
        "h",
        (
            round(value / loudest * LOUD * 32767 * min(1.0, (len(heard) - number) / fade))
            for number, value in enumerate(heard)
        ),
    )


class Sounds:
    """Plays them, if there is something to play them on and `on` is true. Nothing ever fails for want of sound."""

    def __init__(self, *, on: bool = True) -> None:
        self.on = on
        self._made: dict[str, pygame.mixer.Sound] = {}
        try:
            pygame.mixer.init(RATE, -16, 1)
            self.possible = True
        except (pygame.error, NotImplementedError):
            self.possible = False

    def play(self, name: str) -> None:
        """Play a sound; the first time it is made."""
        if self.on and self.possible:
            if name not in self._made:
                self._made[name] = pygame.mixer.Sound(buffer=samples(name).tobytes())
            self._made[name].play()
