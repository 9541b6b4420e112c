"""A game in a terminal: tables that are played at there, and what the command line is told.

- `screen` is its two ends, `columns` how much room a text takes there. `wording` writes values and views down, `choices`
  what may be played and `telling` what happened; `understanding` reads what was typed.
- `local_play` plays at one keyboard: `local_table` is its table, `sharing` who sits there and what the next must not see.
- `network_play` and `bot_play` play at a server; `seat_file` is where a player's seat is kept.
- `arguments`, `game_file`, `serve_command`, `check_command` and `replay_command` are the command line.
"""
