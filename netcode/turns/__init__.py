"""A turn-based game is one class: this package plays it, hides what is hidden, and lists what is legal.

The floors, each importing from those above it in this list only:

- `errors`: `RulesError`, and the signals with which the kit leaves a rule; `marks`: `Hidden`, `Owned`, `Others`.
- `values`: by annotation to msgpack and back, for our own data and for strangers'.
- `domains`: what an argument may be, `Free`; `plays`: `Play`, a move with its arguments.
- `randomness`: dice that nobody predicts; `clocks`: thinking time; `questions`: what a rule asked.
- `rules`: `Game`, `move`, `options`, `shown`; `definition`: what is told when the class is defined.
- `running`: one run of one rule; `view`: what a seat sees; `legal`: what it may do.
- `table`: one game, from the first seat to the result. No network, no disk; time is an argument.
- `simulate`, `check`, `bots`: games that play themselves.
- `store`, and what serves tables over a network, stand above; nothing here imports them.
"""
