"""What the link does, in a corner of the game's window: one call, one key."""

import textwrap

import pygame

from netcode.client import Client
from netcode.diagnostics.calls import explains_arguments
from netcode.limits import check_number
from netcode.loop.clock import Clock, monotonic
from netcode.peer import Peer, Stats, session_of
from netcode.reasons import printable
from netcode.session.link import Link
from netcode.stream.contract import State

SAMPLE = 0.5
"""Seconds over which a rate is measured."""

WIDEST = 60
"""Characters of the longest line."""

LATE = 2
"""Pings that have to be without an answer before it says so: the answer to one is always under way."""

INK, SHADE = (235, 240, 245), (10, 14, 24, 190)
MARGIN = 6

MAX_REASON = 400
"""Characters of a reason that are shown at most: a server's own words have 128, and ours stand around them."""


class Overlay:
    """Shows the round-trip time, jitter, what goes in and out, what waits, and for how long nothing was heard.

    Args:
        client: whose link it is.
        key: which key shows and hides it, F3 if left out; None for none.
        visible: whether it is shown at first.
        size: the height of its letters in pixels.
        clock: tells the time, for tests.

    Raises:
        TypeError, ValueError: an argument cannot be what it should be.
    """

    @explains_arguments("Overlay")
    def __init__(
        self,
        client: Client,
        *,
        key: int | None = pygame.K_F3,
        visible: bool = False,
        size: int = 18,
        clock: Clock = monotonic,
    ) -> None:
        if not isinstance(client, Client):
            raise TypeError(f"expected a netcode.Client, not {type(client).__name__}")
        if key is not None and (not isinstance(key, int) or isinstance(key, bool)):
            raise TypeError(f"key must be a key such as pygame.K_F3, or None, not {type(key).__name__}")
        check_number("size", size, whole=True)
        self.visible = visible
        """Whether it is shown; a game may change it."""
        self._client = client
        self._key = key
        self._was_held = False
        self._size = size
        self._drawn: tuple[list[str], int] | None = None
        self._shade = pygame.Surface((0, 0))
        self._clock = clock
        self._since = clock()
        self._before: Stats | None = None
        self._rates = (0.0, 0.0)

    def draw(self, surface: pygame.Surface) -> None:
        """Look at the key, and draw it into the upper left corner if it is to be seen. Call it once a frame."""
        self._listen()
        self._measure()
        if not self.visible:
            return
        wanted = self.lines(), surface.get_width() - 4 * MARGIN
        if wanted != self._drawn:
            self._drawn, self._shade = wanted, self._render(*wanted)
        surface.blit(self._shade, (MARGIN, MARGIN))

    def lines(self) -> list[str]:
        """Return what it shows."""
        client, peer = self._client, self._client.peer
        if client.reason is not None:
            return textwrap.wrap(printable(f"over: {client.reason.text}", MAX_REASON), WIDEST)
        if peer is None:
            return ["connecting"]
        stats, (incoming, outgoing) = peer.stats, self._rates
        state = "away: coming back" if peer.away else client.state.value
        lines = [
            state if client.state is not State.CONNECTED else f"player {client.id}",
            f"round trip {_milliseconds(client.rtt)}, jitter {_milliseconds(client.jitter)}",
            f"in {_bytes(incoming)}/s, out {_bytes(outgoing)}/s",
        ]
        late = _late(peer)
        if late is not None:
            lines.append(f"nothing heard for {int(late)} s")
        if stats.queued:
            lines.append(f"waits {_bytes(stats.queued)}, {_milliseconds(stats.queued_for)}")
        elif peer.away and peer.queued:
            lines.append(f"{peer.queued} messages wait")
        return lines

    def _render(self, lines: list[str], room: int) -> pygame.Surface:
        """Return what `lines` look like in a window that has so much room."""
        pygame.font.init()
        # Not kept: a font from before `pygame.quit()` ends the process with a segmentation fault, and none can be asked.
        font = pygame.font.Font(None, self._size)
        parts = [part for line in lines for part in fit(line, font, room)]
        # A part of a stranger's goodbye may be nothing that is seen, which pygame refuses to draw.
        drawn = [font.render(part if font.size(part)[0] else " ", True, INK) for part in parts]
        width = max(line.get_width() for line in drawn) + 2 * MARGIN
        step = font.get_linesize()
        shade = pygame.Surface((width, step * len(drawn) + 2 * MARGIN), pygame.SRCALPHA)
        shade.fill(SHADE)
        for number, line in enumerate(drawn):
            shade.blit(line, (MARGIN, MARGIN + number * step))
        return shade

    def _listen(self) -> None:
        if self._key is None or not pygame.display.get_init():
            return  # without a display there are no keys
        held = bool(pygame.key.get_pressed()[self._key])
        if held and not self._was_held:
            self.visible = not self.visible
        self._was_held = held

    def _measure(self) -> None:
        peer, passed = self._client.peer, self._clock() - self._since
        if peer is None or (self._before is not None and passed < SAMPLE):
            return
        stats = peer.stats
        if self._before is not None:
            incoming = (stats.bytes_received - self._before.bytes_received) / passed
            self._rates = incoming, (stats.bytes_sent - self._before.bytes_sent) / passed
        self._before, self._since = stats, self._since + passed


def _late(peer: Peer) -> float | None:
    """Return the seconds of silence, where they are more than a link can have whose other end answers pings."""
    link = session_of(peer).link
    if not isinstance(link, Link) or peer.silence <= LATE * link.limits.ping_interval + (peer.rtt or 0.0):
        return None
    return peer.silence


def fit(line: str, font: pygame.font.Font, room: int) -> list[str]:
    """Return `line` in as many parts, cut between words, as it takes in a window so narrow."""
    columns, parts = len(line), [line]
    while columns > 1 and max(font.size(part)[0] for part in parts) > room:
        columns -= 1
        parts = textwrap.wrap(line, columns)
    return parts


def _milliseconds(seconds: float | None) -> str:
    return "?" if seconds is None else f"{seconds * 1000:.0f} ms"


def _bytes(count: float) -> str:
    return f"{count / 1000:.1f} kB" if count >= 1000 else f"{count:.0f} B"
