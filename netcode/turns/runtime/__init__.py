"""The runtime of one game: what runs its rules at a table, from a play to what came of it. Time is an argument.

- `course`: a rule, and what has to run after it; `pending` is kept of one that waits, `outcomes` says what happened.
- What is done with a course: `resuming`, `sealing`, `undoing`, `absence`, `storing`, `supposing`.
- What a seat is given of it: `looking`, with `view` and `legal`. `log`: what is said of bugs in rules.
- `standing` joins these to all that can be read of a table, `transactions` are the changes; `table` has the verbs.
"""
