"""What a game's loop rests on: time, readiness, a share of the frame, and what may come between two steps."""
