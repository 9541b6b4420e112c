"""A turn-based game is one class: this package plays it, hides what is hidden, and lists what is legal.

The floors, each importing from those above it in this list only:

- `errors`: `RulesError`, and the signals with which the kit leaves a rule; `marks`: `Hidden`, `Owned`, `Others`.
- `log`: what is said of bugs in rules.
- `values`: by annotation to msgpack and back, for our own data and for strangers'.
- `domains`: what an argument may be, `Free`; `plays`: `Play`, a move with its arguments.
- `randomness`: dice that nobody predicts; `clocks`: thinking time; `questions`: what a rule asked.
- `sources` and `definition`: what is read from a class of rules, and told when it is defined.
- `kit`: what stands behind the kit's names while a rule runs; `imagining`: how a seat's ignorance is filled in.
- `rules`: `Game`, `move`, `options`, `shown`.
- `view`: what a seat sees; `legal`: what it may do; `pending`: a rule that is to run, or waits.
- `table`: one game, from the first seat to the result. No network, no disk; time is an argument.
- `simulate`, `check`, `bots`: games that play themselves.
- `store`, and what serves tables over a network, stand above; nothing here imports them.
"""

from netcode.turns.clocks import Clock
from netcode.turns.domains import Free
from netcode.turns.errors import RulesError
from netcode.turns.kit import Result
from netcode.turns.marks import Hidden, Others, Owned
from netcode.turns.plays import Play
from netcode.turns.rules import Game, move, options, shown
from netcode.turns.simulate import Simulation, simulate

__all__ = [
    "Clock",
    "Free",
    "Game",
    "Hidden",
    "Others",
    "Owned",
    "Play",
    "Result",
    "RulesError",
    "Simulation",
    "move",
    "options",
    "shown",
    "simulate",
]
