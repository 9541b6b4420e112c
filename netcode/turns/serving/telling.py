"""What is told to whom: what happened and what changed, once it is stored, in messages that are not too large."""

from collections.abc import Iterable, Mapping
from typing import Any

from netcode.diagnostics import log
from netcode.errors import MessageTooLarge
from netcode.peer import Peer
from netcode.turns import protocol
from netcode.turns.serving.keeper import Keeper
from netcode.turns.serving.outlook import changes, events_of, own_of, public_of, view_of
from netcode.turns.serving.room import Room, Viewer
from netcode.turns.table import Happening

ROOM_IN_MESSAGE = 2_048
"""Bytes of a message that fields leave to everything else."""

FROM_RULES = ("legal", "places", "question")
"""What is told of a table as the rules have it, whatever that is."""


class Telling:
    """Tells each viewer of a table what that one has not been told yet.

    Args:
        keeper: what is told waits until it has stored what happened before.
        max_message: bytes of one message.
    """

    def __init__(self, keeper: Keeper, max_message: int) -> None:
        self._keeper = keeper
        self._room_for_fields = max_message - ROOM_IN_MESSAGE
        self._behind: dict[str, Room] = {}
        """Tables of which something is yet to be told, in this update."""

    def publish(
        self,
        room: Room,
        happenings: Iterable[Happening],
        now: float,
        *,
        events: list[list[Any]] | None = None,
        only: Viewer | None = None,
    ) -> None:
        """Tell viewers what happened and what changed since they were told last."""
        if not room.viewers:
            return
        all_news = events_of(happenings)
        if events:
            all_news = [*((event, None) for event in events), *all_news]
        messages: list[tuple[Peer, protocol.Reply]] = []
        before, public = room.told, public_of(room, now, self._keeper.writer.told)
        common = changes(before, public)
        if only is None:
            room.told = public
        seen: tuple[Mapping[str, bytes], Mapping[str, bytes]] = {}, {}
        parts: list[dict[str, bytes]] = []
        fields: dict[str, bytes] = {}
        for viewer in [*room.viewers] if only is None else [only]:
            view, own, seat = view_of(room, viewer), own_of(room, viewer), viewer.seat
            if viewer.fields is not seen[0] or view is not seen[1]:  # those who see the same learn the same
                seen = viewer.fields, view
                *parts, fields = self._in_parts(changes(*seen))
            changed = common if viewer.public is before else changes(viewer.public, public)
            if owned := changes(viewer.own, own):
                if "legal" in owned:  # which may be too much for a message, and is all unlisted then
                    owned["unlisted"] = own["unlisted"]
                changed = {**changed, **owned}
            news = [event for event, to in all_news if to is None or seat in to]
            if not news and not fields and not parts and changed.keys() <= {"clocks"}:
                continue
            viewer.fields, viewer.public, viewer.own = view, public, own
            if parts:
                messages += [(viewer.peer, protocol.Part(part)) for part in parts]
            messages.append((viewer.peer, protocol.Step(news, fields, changed)))
        if messages:
            self._keeper.when_stored(room, lambda _: self.send(messages))

    def publish_later(self, room: Room) -> None:
        """Tell viewers what changed at the end of the update: where a crowd comes or goes, once and not for each of them."""
        self._behind[room.id] = room

    def catch_up(self, now: float) -> None:
        """Tell what was to be told later."""
        if not self._behind:
            return
        behind, self._behind = self._behind, {}
        for room in behind.values():
            self.publish(room, (), now)

    def tell_missed(self, room: Room, viewer: Viewer, now: float) -> None:
        """Tell a seat what was done to its table while nobody was there."""
        missed = () if viewer.seat is None else room.missed.pop(viewer.seat, ())
        if missed:
            self.publish(room, missed, now, only=viewer)

    def _in_parts(self, fields: dict[str, bytes]) -> list[dict[str, bytes]]:
        """Return the fields as they fit messages, the last of which has everything else beside them."""
        if sum(map(len, fields.values())) <= self._room_for_fields // 2:
            return [fields]
        parts = list[dict[str, bytes]]()
        part, size = dict[str, bytes](), 0
        for name, data in fields.items():
            if part and size + len(data) > self._room_for_fields:
                parts.append(part)
                part, size = {}, 0
            part[name] = data
            size += len(data) + len(name) + 16
        return [*parts, part, {}]

    def post(self, room: Room, peer: Peer, message: protocol.Reply) -> None:
        """Send something about a table: now, or once everything that it may tell of is stored."""
        self._keeper.when_stored(room, lambda _: self.send([(peer, message)]))

    def send(self, messages: Iterable[tuple[Peer, protocol.Reply]]) -> None:
        """Send what is stored, or tells nothing of what is not."""
        for peer, message in messages:
            try:
                peer.send(message.wire())
            except MessageTooLarge as error:
                if isinstance(message, protocol.Step) and message.state.get("legal"):
                    self.send([(peer, protocol.Step(message.events, message.fields, _unlisted(message.state)))])
                    continue
                log.warn("large", "a table has more to tell than one message takes: %s", error)
                peer.close_nicely("this table has more to tell than one message takes; raise max_message at both ends")
            except (TypeError, ValueError) as error:
                log.warn("unsayable", "the rules list or ask what cannot be sent: %s", error)
                if isinstance(message, protocol.Step) and not message.state.keys().isdisjoint(FROM_RULES):
                    told = {name: value for name, value in message.state.items() if name not in FROM_RULES}
                    self.send([(peer, protocol.Step(message.events, message.fields, told))])


def _unlisted(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is told of a table with moves that are legal and not listed, for they are too much for one message."""
    moves = {*(name for name, _ in state["legal"] if name), *state.get("unlisted", ())}
    return {**state, "legal": [], "unlisted": sorted(moves)} | ({"places": []} if "places" in state else {})
