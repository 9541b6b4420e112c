"""A turn-based game is one class: this package plays it, hides what is hidden, and lists what is legal.

The floors, each importing from those above it in this list only:

- `errors`: `RulesError`, and the signals with which the kit leaves a rule; `marks`: `Hidden`, `Owned`, `Others`.
- `log`: what is said of bugs in rules; `stats`: what a server of tables counts; `places`: where on the board a move goes.
- `values`: by annotation to msgpack and back, for our own data and for strangers'.
- `domains`: what an argument may be, `Free`; `plays`: `Play`, a move with its arguments.
- `randomness`: dice that nobody predicts; `clocks`: thinking time; `questions`: what a rule asked.
- `sources` and `definition`: what is read from a class of rules, and told when it is defined.
- `kit`: what stands behind the kit's names while a rule runs; `imagining`: how a seat's ignorance is filled in.
- `fields`: a game's fields as bytes and back; `table_options`: what was chosen for a table.
- `rules`: `Game`, `move`, `options`, `shown`.
- `view`: what a seat sees; `legal`: what it may do; `pending`: a rule that is to run, or waits; `outcomes`: what is said.
- `course`: a rule runs, and what has to run after it. What is done with a course: `resuming` goes on after an answer,
  `sealing` keeps the moves of several at once, `looking` lists and shows, `undoing` takes back.
- `absence`: what time demands; `storing`: a course as data and back; `supposing`: as it might be for all a seat knows.
- `table`: joins them to one game, from the first seat to the result. No network, no disk; time is an argument.
- `simulate`, `check`, `bots`: games that play themselves; `numbers`: what a seat sees and may do, as numbers.
- `store`: where tables are kept, and `store.opening` which it is; `lobby`, `room`, `keeper`: tables with those around them, in memory and in the store.
- `protocol`: the messages; `games`: what is told of a game; `events` and `sight`: what a player is told and sees.
- A player's end: `known` is what it knows of its table, `numbered` its play until that is in; `whereabouts` says which
  server is asked next, `table_link` goes there; `conversation` speaks with it; `seat`: `Seat`; `client`: `join`.
- The tables' end: `telling` says to each what is new; `dues` knows when time demands something; `crowd` who is here;
  `draining` gives tables to other servers; `steps` has what happened stored and told; `upkeep` renews and deletes;
  `passing` lets time pass, `presence` hears who is away, `playing` does what is asked for at a table, talk too;
  `joining` seats people in rooms; `incoming` hears requests; `parts` puts these together; `server`: `Server`, `serve`.
- `screen`: a terminal's two ends; `wording`: views and plays as a person reads and types them; `local_play` and
  `network_play`: a table in a terminal; `bot_play`: a bot at a server; `replay`. The command line: `game_file`,
  `arguments`, `serve_command`, `__main__`.
- `pettingzoo`: games to learn, with the extra of that name.
"""

from netcode.turns.check import Report, check
from netcode.turns.client import join, tables
from netcode.turns.clocks import Clock
from netcode.turns.domains import Free
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
from netcode.turns.kit import Result
from netcode.turns.marks import Hidden, Others, Owned
from netcode.turns.plays import Play
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
    "serve",
    "shown",
    "simulate",
    "tables",
]
