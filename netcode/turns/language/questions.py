"""What a rule asks while it runs, and the answers with which it runs again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from hashlib import blake2b
from typing import Any

from netcode.turns.errors import Unfit
from netcode.turns.language.domains import Free, each_once, pick
from netcode.turns.values import is_text, pack, plain_all, shape_of

DIGEST_SIZE = 8


class Kind(Enum):
    """Whose answer a question waits for."""

    ONE = "one"
    ALL = "all"
    ANY = "any"

    def __init__(self, word: str) -> None:
        self.word = word
        """The same as `value`, which costs more to look up."""
        self.verb = "ask" if word == "one" else f"ask_{word}"
        """How a rule writes it."""


ONE, ALL, ANY = Kind  # Python 3.11 takes long to look up what is in an Enum


@dataclass(slots=True)
class Question:
    """A question that waits: to which seats, with which options for each.

    `number` is that of the move that asks, `step` how many of its questions were answered before.
    """

    number: int
    step: int
    kind: Kind
    options: Mapping[int, tuple[Any, ...] | Free[Any]]
    prompt: str
    default: Any
    """Ellipsis where there is none."""
    given: dict[int, Any]
    """The sealed answers so far, as plain wire data; only a question to all gathers any."""
    _signature: bytes = field(default=b"", init=False, repr=False, compare=False)
    _ids: dict[int, str] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def seats(self) -> tuple[int, ...]:
        """The seats that are asked."""
        return tuple(self.options)

    @property
    def waiting(self) -> tuple[int, ...]:
        """The seats without which it does not go on."""
        return tuple(seat for seat in self.options if seat not in self.given)

    def id(self, seat: int) -> str:
        """Return the id by which this seat answers.

        It is made of nothing but what the seat itself is shown: a digest of others' options would tell of them.
        """
        if self._ids is None:
            self._ids = {}
        if seat not in self._ids:  # it is told, and then answered by
            digest = _digest([self.step, seat, self.prompt, self.wire_options(seat)])
            self._ids[seat] = f"{self.number}-{digest.hex()}"
        return self._ids[seat]

    def wire_options(self, seat: int) -> tuple[Any, ...] | None:
        """Return the seat's options as plain wire data, each once; None if the answer is free."""
        options = self._said(seat)
        return None if options is None else each_once(options, "a question")

    def _said(self, seat: int) -> tuple[Any, ...] | None:
        options = self.options[seat]
        return None if isinstance(options, Free) else plain_all(options)

    def is_text(self, seat: int) -> bool:
        """Tell whether the seat's answer is free, and a text."""
        options = self.options[seat]
        return isinstance(options, Free) and is_text(shape_of(options.type, "the answer"))

    def signature(self) -> bytes:
        """Return what tells this question from any other that the rule could ask. Stays on the server."""
        if not self._signature:
            options = [[seat, self._said(seat)] for seat in self.options]
            self._signature = _digest([self.step, self.kind.word, self.prompt, options])
        return self._signature

    def read(self, seat: int, data: Any) -> Any:
        """Return the very option that plain wire data says, or raise `Unfit`."""
        options = self.options[seat]
        if isinstance(options, Free):
            return options.convert(data, "the answer")
        try:
            return pick(options, data)
        except Unfit as error:
            raise Unfit(f"the answer {error}") from None

    def result(self, given: Mapping[int, Any]) -> Any:
        """Return what `ask`, `ask_all` or `ask_any` gives the rule for these answers."""
        if self.kind is ALL:
            return {seat: self.read(seat, given[seat]) for seat in self.options if seat in given}
        ((seat, data),) = given.items()
        option = self.read(seat, data)
        return option if self.kind is ONE else (seat, option)


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers to one question, as plain wire data by seat, and the signature of what was asked."""

    signature: bytes
    given: Mapping[int, Any]

    def stored(self) -> list[Any]:
        """Return it as plain wire data."""
        return [self.signature, dict(self.given)]


def _digest(data: Any) -> bytes:
    return blake2b(pack(data), digest_size=DIGEST_SIZE).digest()
