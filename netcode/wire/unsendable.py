"""What to say about a message that cannot be sent: where in it the trouble is, and what to send instead."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from types import ModuleType
from typing import Any

from netcode.reasons import printable

_LISTS: Any = (list, tuple)  # of unknown type to the type checkers, as what is in a message is
_DICT: Any = dict
_SETS: Any = (set, frozenset)
_SHOWN: Any = (str, bytes, tuple)

MAX_STEPS = 64
"""Steps into a message after which it is taken for one that contains itself."""

MAX_KEY = 40
"""Characters of a key in it."""

MAX_PLACE = 120
"""Characters of the name of a place."""

_BY_NAME: dict[str, str] = {
    "datetime.datetime": "value.timestamp() or value.isoformat()",
    "datetime.date": "value.isoformat()",
    "datetime.time": "value.isoformat()",
    "datetime.timedelta": "value.total_seconds()",
    "decimal.Decimal": "str(value)",
    "fractions.Fraction": "str(value)",
    "uuid.UUID": "str(value) or value.bytes",
    "pathlib.PurePath": "str(value)",
    "builtins.complex": "[value.real, value.imag]",
    "builtins.BaseException": "str(value)",
    "array.array": "value.tolist() or value.tobytes()",
    "mmap.mmap": "value[:]",
    "_io.BytesIO": "value.getvalue()",
    "_io.StringIO": "value.getvalue()",
    "re.Pattern": "value.pattern",
    "ipaddress._IPAddressBase": "str(value)",
    "pygame.Surface": 'the name of its image, or pygame.image.tobytes(value, "RGBA") and value.get_size()',
    "netcode.Peer": "value.id",
}
"""What to send instead of what has a base class of this name, in this package. Names, because nothing is imported for a
hint."""


def explain(
    message: Any, error: Exception, pack: Callable[[Any], object], *, what: str, fields: bool = False
) -> Exception:
    """Make the exception for a message that cannot be packed, of the kind that fits the fault.

    Args:
        message: what was to be sent.
        error: what packing it raised.
        pack: packs a part of it, or raises.
        what: the name by which the message goes.
        fields: whether objects with fields can be sent, so that the trouble may be in one of them.
    """
    kind = TypeError if isinstance(error, TypeError) else ValueError
    title = f"a {what} of type {type(message).__name__}" if what == "message" else what
    try:
        said = _describe(message, error, pack, what, fields)
    except Exception:  # noqa: BLE001 - the message has parts of the game's own making, which may do anything
        said = str(error)
    return kind(f"{title} cannot be sent: {printable(said, 400)}")


def _describe(message: Any, error: Exception, pack: Callable[[Any], object], what: str, fields: bool) -> str:
    place, value, in_key = what, message, False
    for _ in range(MAX_STEPS):
        for step, part, is_key in _parts(value, fields):
            failure = _failure(part, pack)
            if failure is not None:
                place = f"a key of {place}" if is_key else f"({place}){step}" if in_key else f"{place}{step}"
                value, error, in_key = part, failure, is_key or in_key
                break
        else:
            return f"{'it' if value is message else printable(place, MAX_PLACE)} {_trouble(value, error, in_key)}"
    return "it nests too deep; does a list or a dict contain itself?"


def _failure(part: Any, pack: Callable[[Any], object]) -> Exception | None:
    try:
        pack(part)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is in this part
        return error
    return None


def _parts(value: Any, fields: bool) -> Iterator[tuple[str, Any, bool]]:
    """Yield what is in `value`: the step that leads there, the part, and whether it is a key."""
    if isinstance(value, _LISTS):
        for number, item in enumerate(value):
            yield f"[{number}]", item, False
    elif isinstance(value, _DICT):
        for key, item in value.items():
            yield "", key, True
            yield f"[{_shown(key)}]", item, False
    elif fields:
        for name in _fields(value):
            yield f".{name}", getattr(value, name), False


def _fields(value: Any) -> Iterable[str]:
    """Return the names of the fields of a `msgspec.Struct` or a dataclass."""
    names: Iterable[str] = getattr(value, "__struct_fields__", ())
    if not names and dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
    return names


def _shown(key: Any) -> str:
    if isinstance(key, (int, float)):
        return str(key) if abs(key) < 1e20 else "…"  # an int may have more digits than Python writes
    if not isinstance(key, _SHOWN):
        return type(key).__name__
    shown = repr(key)
    return printable(shown if len(shown) <= MAX_KEY else shown[: MAX_KEY - 1] + "…")


def _trouble(value: Any, error: Exception, in_key: bool) -> str:
    """Say what is wrong with a part of a message whose own parts are fine."""
    if isinstance(value, int):
        bits = value.bit_length() if value >= 0 else (~value).bit_length() + 1  # with the one for its sign
        return f"is a number of {bits} bits, and 64 is the most; send it as a str"
    if isinstance(value, str):
        return f"is text with half a character in it ({error}); send it as bytes, or without"
    if isinstance(value, memoryview):
        return f"is a view that cannot be read in one go ({error}); send value.tobytes()"
    kind: type[Any] = value.__class__
    if isinstance(value, _LISTS) or isinstance(value, _DICT):  # noqa: SIM101 - one is a tuple
        return f"cannot be packed ({error}); does it change meanwhile, or is it too large?"
    hint = _instead(value)
    if in_key:
        hint = hint.replace("list(value)", "tuple(value)")  # lists cannot be keys
    return f"is of type {_name(kind)}, which msgpack has no form for; send {hint} instead"


def _instead(value: Any) -> str:
    """Return what to send instead of `value`, as one writes it in Python."""
    kind: type[Any] = value.__class__
    for base in kind.__mro__:
        if (hint := _BY_NAME.get(f"{base.__module__.partition('.')[0]}.{base.__qualname__}")) is not None:
            return hint
    if isinstance(value, Enum):
        return "value.value or value.name"
    if isinstance(value, (type, ModuleType)) or (callable(value) and hasattr(value, "__qualname__")):
        return "a name that the other end can look up"
    if isinstance(value, _SETS):
        return "list(value)"
    if hasattr(kind, "__struct_fields__"):
        return "msgspec.to_builtins(value), or pass its type as messages= at both ends,"
    if dataclasses.is_dataclass(value):
        return "dataclasses.asdict(value)"
    if getattr(value, "shape", None) == ():  # a number of numpy
        return "value.item()"
    for method in ("tolist", "model_dump", "to_dict"):  # numpy's arrays, pydantic, pandas
        if callable(getattr(kind, method, None)):
            return f"value.{method}()"
    if hasattr(kind, "__iter__"):  # Vector2, Rect, Color, deque, range, generators, views of dicts
        return "dict(value)" if hasattr(kind, "keys") else "list(value)"
    return (
        "vars(value), or a dict of what the other end needs,"
        if getattr(value, "__dict__", None)
        else "a dict of what the other end needs"
    )


def _name(kind: type[Any]) -> str:
    module = kind.__module__
    return kind.__qualname__ if module in ("builtins", "__main__") else f"{module}.{kind.__qualname__}"
