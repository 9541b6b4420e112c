"""What msgpack can say and nobody should send."""

import itertools
from typing import Any

import msgpack
import pytest
from wire_messages import colliding, nested

from netcode.wire.codec import CAREFUL_FROM, PLAIN, PlainCodec
from netcode.wire.cost import MAX_COLLISIONS, MAX_DEPTH
from netcode.wire.flaws import check_flaws, has_plain_keys
from netcode.wire.framing import frame


class Extended(msgpack.ExtType):
    pass


WINDING = dict.fromkeys(itertools.product((-1, -2), repeat=7))
"""128 keys that nobody made to collide, and do: the hash of -1 is that of -2."""


class Row(list[Any]):
    """A list that may be a key."""

    def __init__(self, *items: Any, hashed: int | None = None) -> None:
        super().__init__(items)
        self.hashed = id(self) if hashed is None else hashed

    def __hash__(self) -> int:  # type: ignore[override] # pyright: ignore[reportIncompatibleVariableOverride]
        return self.hashed


class Card(dict[Any, Any]):
    """A dict that may be a key."""

    def __hash__(self) -> int:  # type: ignore[override] # pyright: ignore[reportIncompatibleVariableOverride]
        return 1


KERNELS = [PlainCodec(), PlainCodec(kernel=None)]


@pytest.mark.parametrize("codec", KERNELS, ids=["kernel", "Python"])
@pytest.mark.parametrize("padding", [0, CAREFUL_FROM])
@pytest.mark.parametrize("key", [Card(), Card(a=1), (1, Card()), ((Card(),), 2), Row(Card()), Row([Card()])], ids=repr)
def test_what_holds_a_dict_is_no_key_of_what_is_sent(codec: PlainCodec, padding: int, key: Any) -> None:
    for message in ({key: 1}, [{"a": {3: 4, key: 1}}], {(1, 2): {key: None}}):
        whole = [message, "x" * padding]

        assert codec.frame(whole) is None
        with pytest.raises(TypeError, match=r"^a message with a dict in a key cannot be sent: no dict can be a key"):
            codec.encode(whole)


@pytest.mark.parametrize("codec", KERNELS, ids=["kernel", "Python"])
def test_dicts_and_lists_of_types_of_their_own_are_sent_as_what_they_are(codec: PlainCodec) -> None:
    message: Any = {"a": Card(b=Card(c=1)), Row(1, Row(2)): Row(3), (4, Row(5)): {"d": {}}, Row(): 0}

    payload = codec.encode(message)

    arrived: Any = {"a": {"b": {"c": 1}}, (1, (2,)): [3], (4, (5,)): {"d": {}}, (): 0}
    assert codec.decode(memoryview(payload)) == arrived
    assert codec.frame(message) in {None, frame(payload)}


def test_keys_that_collide_only_where_they_arrive_are_not_sent() -> None:
    rows = {Row(*key): None for key in colliding(MAX_COLLISIONS + 1)}

    with pytest.raises(ValueError, match="share a hash"):
        PLAIN.encode(rows)

    assert len(PLAIN.decode(memoryview(PLAIN.encode({Row(n, hashed=7): 0 for n in range(MAX_COLLISIONS + 1)})))) == 65


def test_a_key_that_nests_too_deep_is_no_reason_to_follow_it() -> None:
    key: Any = ()
    for _ in range(400):
        key = (key,)

    with pytest.raises(ValueError, match="nests deeper than 32 levels"):
        PLAIN.encode({key: 1})


FINE: list[Any] = [nested(MAX_DEPTH), nested(MAX_DEPTH, 5), {"a": {(1, (2,)): [3]}}, [msgpack.Timestamp(1)]]


@pytest.mark.parametrize("message", FINE)
def test_what_has_no_flaw_is_let_pass(message: Any) -> None:
    check_flaws(message, MAX_DEPTH, "message")


@pytest.mark.parametrize(
    ("message", "kind", "text"),
    [
        (nested(MAX_DEPTH + 1), ValueError, "a message that nests deeper than 32 levels cannot be sent"),
        ([nested(MAX_DEPTH, 5)], ValueError, "a message that nests deeper than 32 levels cannot be sent"),
        ({"a": [msgpack.ExtType(5, b"x")]}, TypeError, "msgpack extension types are the protocol's own"),
        ([Extended(5, b"x")], TypeError, "msgpack extension types are the protocol's own"),
        ([{"a": WINDING}], ValueError, "a message with over 64 keys of a map that share a hash cannot be sent"),
        ({(1, Card()): 1}, TypeError, "a message with a dict in a key cannot be sent"),
    ],
)
def test_each_flaw_is_told_in_words_of_its_own(message: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match="^" + text):
        check_flaws(message, MAX_DEPTH, "message")


def test_keys_are_seen_to_be_plain_where_there_is_one_dict_or_none_of_a_type_of_its_own() -> None:
    for message, plain in (([1, {2: 3}], True), ({"a": {"b": 1}}, True), ({"a": {Card(): 1}}, False)):
        assert has_plain_keys(message, msgpack.packb(message)) is plain
