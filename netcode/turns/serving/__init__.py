"""The tables' end: everything between the store and those who are connected, which `server` drives.

- What there is: `room` a table with those around it, `keeper` all of them, in memory and in the store, `lobby` those
  that can be found, `crowd` who is here, `dues` when something is due, `games` and `browsers` what is offered,
  `checks` what a server is told.
- What comes in: `incoming`, which hands on to `joining`, `playing` and `presence`. What goes out: `steps`, `telling`,
  `outage` while nothing can be stored, and what that is: `outlook`.
- What happens by itself: `passing`, `upkeep`, `draining`. `parts` puts all of them together, and `collecting` and
  `ending` are for a process that does nothing else.
"""
