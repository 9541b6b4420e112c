"""One play at a time: numbered, so that it counts once however often it is sent, and kept until it is in or refused."""

from typing import Any

from netcode.turns import protocol
from netcode.turns.language.plays import Play
from netcode.turns.protocol import GiveAnswer, MakePlay
from netcode.turns.values import pack

LONGEST_LAG = 999.0
"""Seconds of a round trip that are told at most: the protocol knows no longer ones."""


class Outstanding:
    """The play that the server has not answered yet."""

    def __init__(self) -> None:
        self.play: Play | None = None
        self.sent = False
        """Whether it was sent over the present link."""
        self._number = 0

    def put(self, play: Play, number: int) -> None:
        """Take a play, the `number`th of this seat in this game.

        Raises:
            RuntimeError: there is one already.
            TypeError, ValueError: it cannot be sent, or the protocol does not allow it.
        """
        if self.play is not None:
            raise RuntimeError(f"{self.play} is pending: wait until it is in, or refused")
        try:
            # Also while there is nobody to send it to: it would fail when there is.
            check_said(_request_of(play, 1, 0.0))
        except (OverflowError, RecursionError) as error:
            raise ValueError(f"{play} cannot be sent: {error}") from error
        self.play, self._number, self.sent = play, number, False

    def request(self, rtt: float | None) -> MakePlay | GiveAnswer | None:
        """Return what is to be sent, as of a link with this round-trip time; None where nothing is, or it was."""
        if self.play is None or self.sent:
            return None
        return _request_of(self.play, self._number, min(rtt or 0.0, LONGEST_LAG))

    def take(self, number: int | None = None) -> Play | None:
        """Take the play back: whichever there is, or only that of this number."""
        if number is not None and number != self._number:
            return None
        play, self.play = self.play, None
        return play

    def settle(self, last: int) -> None:
        """Forget the play once `last` plays of this seat are in: it is one of them."""
        if last >= self._number:
            self.play = None


def _request_of(play: Play, number: int, lag: float) -> MakePlay | GiveAnswer:
    if play.question is None:
        return MakePlay(number, play.name, play.wire(), lag)
    return GiveAnswer(number, play.question, play.wire()["answer"], lag)


def check_said(request: protocol.Request) -> None:
    """Raise for what the server would take as a breach of the protocol, and end our link for."""
    message: Any = request.wire()
    protocol.read_request(message)
    try:
        pack(message)
    except UnicodeEncodeError as error:
        raise ValueError(f"{error.object[:60]!r} is no Unicode, and cannot be sent") from error
