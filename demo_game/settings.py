"""The numbers that both ends of Broadside agree on."""

GAME = "broadside"
VERSION = "1"
PORT = 7777

TIMEOUT = 10.0
"""Seconds of silence that end a link."""

GRACE = 10.0
"""Seconds for which a player whose link was lost may come back to the game."""

PING_INTERVAL = 0.5
"""Seconds between pings: twice as often as needed, so that the graph of the round-trip time lives."""

NOTICEABLE_SILENCE = 3
"""Seconds of silence that are shown to the player: six pings without an answer are no hiccup."""
