"""For games on pygame: network events in pygame's own queue, and what the link does, on the screen.

Usage::

    import netcode.pygame

    network = netcode.pygame.EventQueue(client)
    overlay = netcode.pygame.Overlay(client)
    while playing:
        network.update()
        for event in pygame.event.get():
            if event.type == netcode.pygame.RECEIVED: ... event.peer, event.message
        overlay.draw(screen)  # F3 shows and hides it

It needs the extra `pygame`, and stands beside everything else: a game on pygame does without it as well.
"""

try:
    import pygame as _pygame  # noqa: F401 # pyright: ignore[reportUnusedImport]
except ImportError as error:
    raise ImportError('netcode.pygame needs pygame: python -m pip install "netcode[pygame]"') from error

from netcode.pygame.event_queue import AWAY, BACK, JOINED, LEFT, RECEIVED, EventQueue
from netcode.pygame.overlay import Overlay
from netcode.snapshots import Snapshots

__all__ = ["AWAY", "BACK", "JOINED", "LEFT", "RECEIVED", "EventQueue", "Overlay", "Snapshots"]
