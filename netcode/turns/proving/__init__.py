"""What `check` stands on: what it looks for in rules, and what it says of them. `check` says which games are played.

- What is played: a `playtest`, with `variants` of the options; `growth` of it.
- What is looked at: `positions`, each with what must not be done there (`attempts`), what only looks (`onlookers`) and
  what two fields share (`aliasing`); other `worlds` that look the same, also with `bent_dice`, and the `flows` from
  them; what changes `beside` the fields.
- Without playing: `outside` and `spelling` read the source, `scopes` says whose a name is there. In other processes:
  `elsewhere`, with a `twin` in each.
- While rules run: `hushing` keeps back what they print, `watching` finds one that never ends.
- What is said: `findings`, and what was `tried`, in a `report`. `seen` is what there is to be compared of a table.
"""
