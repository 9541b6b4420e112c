"""The language of rules: what a class of rules says, and what its names do while a rule runs. No table knows of it here.

- `marks`, `domains`, `questions`, `plays`, `places`, `clocks`, `table_options`: its words, each as a value.
- `sources`, with `class_sources`, and `definition` read a class and tell what is wrong, `instead` what to write where the
  kit has a word for it; `fields` are a game's state as bytes and back. `seating` tells what the rules have for each seat.
- `kit` and `randomness` stand behind the names while a rule runs; `imagining` fills in what a seat does not see.
"""
