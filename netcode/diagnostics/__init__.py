"""What whoever writes a game is told: in the log, and of mistaken names and forgetful loops."""
