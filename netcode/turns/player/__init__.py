"""A player's end, which `seat` and `client` stand on: what it knows of its table, and how it gets there and back.

- `whereabouts` says which server is asked next, `table_link` goes there, `conversation` speaks with it.
- `known` is what was told so far, `sight` one view of it, `numbered` a play until it is in.
"""
