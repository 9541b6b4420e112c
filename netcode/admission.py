"""What a game may say of those who come: yes, no, or elsewhere; and what is none of these."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import Any, cast

from netcode.address import Address, check_address
from netcode.diagnostics import log
from netcode.errors import ProtocolError
from netcode.reasons import Reason, ReasonCode, check_text

Authenticate = Callable[[Any, Address], Any]

DENIED = "the server does not accept these credentials"
"""What somebody reads who is kept out without a word."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What `authenticate` returns to keep somebody out; the client reads `text` as its reason, 128 bytes of UTF-8 of it.

    Raises:
        TypeError: `text` is no str.
    """

    text: str

    def __post_init__(self) -> None:
        check_text(self.text)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What `authenticate` returns to send somebody to another server of the game.

    A `Client` goes there by itself, with its credentials if it may: see `Client.address`.

    Attributes:
        address: an `Address`, `(host, port)` or `"host:port"`; None for any server of the game that the client knows.
        text: what is shown to somebody who does not go there.

    Raises:
        TypeError, ValueError: `address` is none that can be told, or `text` is no str.
    """

    address: Address | tuple[str, int] | str | None
    text: str = ""

    def __post_init__(self) -> None:
        moved(self.address, self.text)


def check_authenticate(authenticate: Any) -> None:
    """Raise `TypeError` for what cannot be called with credentials and an address."""
    if authenticate is not None and not callable(authenticate):
        kind = type(authenticate).__name__
        raise TypeError(f"authenticate must be a function of credentials and an address, not {kind}")


def moved(address: Address | tuple[str, int] | str | None, text: str) -> Reason:
    """Make the reason of who is sent to another server. Raises `TypeError` or `ValueError` for what cannot be."""
    check_text(text, "; host and port are one argument: (host, port)")
    where = None if address is None else check_address(address)
    text = text or (
        "another server has this; come back in a moment" if where is None else f"this game goes on at {where}"
    )
    return Reason(ReasonCode.MOVED, text, where=where)


def judge(answer: Any, address: Address, *, tell: bool) -> Any:
    """Return what becomes `peer.data` of somebody from `address`; raise `ProtocolError` for what is not plainly a yes.

    Args:
        tell: whether to tell the game of a slip.
    """
    if isinstance(answer, Refusal):
        raise ProtocolError(ReasonCode.DENIED, answer.text.strip() or DENIED)
    if isinstance(answer, Elsewhere):
        reason = moved(answer.address, answer.text)
        raise ProtocolError(reason.code, reason.text, reason.where)
    if answer is not False and not _says_nothing(answer):
        return answer
    if answer is not False and tell:
        log.warn(
            "authenticate returned None",
            "authenticate returned %s for %s, who was refused; return what becomes peer.data, or True to let "
            "somebody in, or a Refusal to keep somebody out",
            "None" if answer is None else _kind_of(answer),
            address,
        )
    raise ProtocolError(ReasonCode.DENIED, DENIED)


def _says_nothing(answer: Any) -> bool:
    """Tell whether `authenticate` has decided nothing by what it returned.

    A door that opens for a slip is open to everybody: no `return` at all, an `async def` or a `yield`, by which nothing
    has run yet, `return Refusal` without its words, `return error` where `raise` was meant.
    """
    kind: type = answer if isinstance(answer, type) else type(answer)
    if issubclass(kind, Coroutine) and kind is not answer:
        cast("Coroutine[Any, Any, Any]", answer).close()  # or it would warn that nobody has awaited it
    slips = (Refusal, Elsewhere, BaseException, Awaitable, AsyncGenerator, Generator)
    return answer is None or answer is NotImplemented or issubclass(kind, slips)


def _kind_of(answer: Any) -> str:
    name = answer.__name__ if isinstance(answer, type) else type(answer).__name__
    return f"the class {name}" if isinstance(answer, type) else f"a thing of type {name}"
