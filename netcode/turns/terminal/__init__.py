"""A game in a terminal: tables that are played at there, and what the command line is told.

- `screen` is its two ends, `wording` how views and plays are written and read.
- `local_play`, `network_play` and `bot_play` play; `arguments`, `game_file` and `serve_command` are the command line.
"""
