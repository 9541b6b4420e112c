"""A turn-based game is one class: this package plays it, hides what is hidden, and lists what is legal.

The floors, each importing from those above it in this list only; each package says in its first lines what is in it:

- `errors`: `RulesError`, and the signals with which the kit leaves a rule; `stats`: what a server of tables counts.
- `reading`: the file of a game that a command reads.
- `language.marks`: `Hidden`, `Owned`, `Others`; `values`: by annotation to msgpack and back, for our data and strangers'.
- `language`: what a class of rules says, and what stands behind its names while a rule runs.
- `rules`: `Game`, `move`, `options`, `shown`. `runtime`: runs them: a course, its questions, what each seat sees and may do.
- `table`: joins that to one game, from the first seat to the result. No network, no disk; time is an argument.
- `store`: where tables are kept. `protocol`: the messages. `events`: what a player is told. `simulate`: games that play
  themselves.
- `bots`; `numbers`: what a seat sees and may do, as numbers; `proving`: what `check` stands on; `player`: what `seat` and
  `client` stand on; `serving`: what `server` stands on.
- `check`; `invitation`: a friend's link; `seat`: `Seat`; `client`: `join`, `tables`; `server`: `Server`, `serve`; `replay`:
  stored games, move by move.
- `terminal`: to play in one, and the command line, `__main__`. `pettingzoo`: games to learn, with the extra of that name.
- `web`: the page on which browsers play, served by `server`.
"""

from netcode.turns.check import check
from netcode.turns.client import join, tables
from netcode.turns.errors import RulesError
from netcode.turns.events import (
    Event,
    Gone,
    Moved,
    Over,
    Presence,
    Refused,
    Said,
    Seated,
    Started,
    TakenBack,
    Told,
)
from netcode.turns.invitation import Invitation, read_invitation
from netcode.turns.language.clocks import Clock
from netcode.turns.language.domains import Free
from netcode.turns.language.kit import Result
from netcode.turns.language.marks import Hidden, Others, Owned
from netcode.turns.language.plays import Play
from netcode.turns.proving.report import Report
from netcode.turns.rules import Game, move, options, shown
from netcode.turns.seat import Seat
from netcode.turns.server import Server, serve
from netcode.turns.simulate import Simulation, simulate
from netcode.turns.stats import Stats
from netcode.turns.store import Lost, Unavailable

__all__ = [
    "Clock",
    "Event",
    "Free",
    "Game",
    "Gone",
    "Hidden",
    "Invitation",
    "Lost",
    "Moved",
    "Others",
    "Over",
    "Owned",
    "Play",
    "Presence",
    "Refused",
    "Report",
    "Result",
    "RulesError",
    "Said",
    "Seat",
    "Seated",
    "Server",
    "Simulation",
    "Started",
    "Stats",
    "TakenBack",
    "Told",
    "Unavailable",
    "check",
    "join",
    "move",
    "options",
    "read_invitation",
    "serve",
    "shown",
    "simulate",
    "tables",
]
