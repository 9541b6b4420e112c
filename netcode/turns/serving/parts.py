"""The parts of a server of tables, each made with those that it stands on; `server` drives them."""

from collections.abc import Callable, Sequence

from netcode.peer import Peer
from netcode.site import Web
from netcode.turns.serving.crowd import Crowd
from netcode.turns.serving.draining import Draining
from netcode.turns.serving.dues import Dues
from netcode.turns.serving.incoming import Incoming, Rates
from netcode.turns.serving.joining import Joining, Limits
from netcode.turns.serving.keeper import Keeper
from netcode.turns.serving.outage import Outage
from netcode.turns.serving.passing import Passing
from netcode.turns.serving.playing import Playing
from netcode.turns.serving.presence import Presences
from netcode.turns.serving.steps import Steps
from netcode.turns.serving.telling import Telling
from netcode.turns.serving.upkeep import Kept, Upkeep


class Parts:
    """What a server of tables is made of, above the store and the network.

    Args:
        keeper: has the tables, the games and the time.
        peers: says who is connected.
        max_message: bytes of one message.
        chat_length: characters of one text.
        rates: of what one player asks for.
        share: seconds of an update after which the rest of what came in is left to the next.
        limits: of those who come.
        kept, lease, web, here: as for `Upkeep`.
    """

    def __init__(
        self,
        keeper: Keeper,
        peers: Callable[[], Sequence[Peer]],
        *,
        max_message: int,
        chat_length: int,
        rates: Rates,
        share: float,
        limits: Limits,
        kept: Kept,
        lease: float | None,
        web: Web | bool | None,
        here: str,
    ) -> None:
        self._busy = False
        self.telling = telling = Telling(keeper, max_message)
        self.crowd = crowd = Crowd(keeper, telling)
        self.draining = draining = Draining(keeper, crowd, peers, lease)
        self.dues = Dues(keeper)
        steps = Steps(keeper, telling, self.dues)
        self.presence = presence = Presences(keeper, crowd, telling, steps)
        self.outage = outage = Outage(keeper, crowd, telling)
        playing = Playing(keeper, crowd, telling, steps, presence, outage, chat_length=chat_length)
        joining = Joining(keeper, crowd, telling, draining, presence, playing, outage, limits)
        self.incoming = Incoming(keeper, crowd, presence, playing, joining, outage, rates=rates, share=share)
        self.passing = Passing(keeper, self.dues, steps, playing)
        self.upkeep = Upkeep(keeper, crowd, draining, keeper.clock(), lease=lease, kept=kept, web=web, here=here)

    def alone(self, step: Callable[[], None]) -> None:
        """Take a step. Raises `RuntimeError` while another is under way: rules would run at one table twice at once."""
        if self._busy:
            raise RuntimeError("Server.update() is already running: call it from one place, in one thread")
        try:
            self._busy = True
            step()
        finally:
            self._busy = False

    def pass_time(self, now: float) -> None:
        """Do what is due by now: at tables, for the store and those who share it, and while all are given away."""
        self.passing.step(now)
        self.upkeep.step(now)
        if self.draining.on:
            self.draining.step(now)
