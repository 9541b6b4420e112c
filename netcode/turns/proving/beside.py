"""What rules can keep beside the fields of a game, where all tables share it: variables of modules and classes, and the like."""

import inspect
import random
import sys
from array import array
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache, partial
from itertools import islice
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from netcode.turns.language.definition import definition_of
from netcode.turns.language.sources import PARTLY, function_of, is_a, members_of
from netcode.turns.proving.watching import is_of_user

MOST = 10_000
"""Parts of one variable that are compared; what has more, such as a dictionary of words, is compared as far as that."""
ALL = 100_000
"""Parts of all variables that are compared, the same share of each; rules have a few dozen of them at most."""
DEEP = 30
"""Parts within parts that are compared."""
NAMED = 3
"""Variables that are named at most."""
_KIT = "netcode.turns."
_ADDRESS: Any = object.__repr__  # which says where an object is, and nothing of it
_ORDERED: Any = (list, tuple, deque)
_CHANGING: Any = (list, dict, set, deque)
_SETS: Any = (set, frozenset)
_DICT: Any = dict
_PACKED: Any = (bytearray, array)
_WHOLE = (bool, int, float, complex, str, bytes, type, FunctionType, MethodType, ModuleType)

_CALLED: Any = (FunctionType, staticmethod, classmethod, property, *PARTLY, type(lru_cache(lambda: None)))

Marks = Mapping[str, Any]


class Beside:
    """What is in reach of the rules of a class, by what it is called, and what of it changes."""

    def __init__(self, cls: type[Any]) -> None:
        self._cls, self._own = cls, {*definition_of(cls).fields, "_definition"}
        self._places = dict[str, Callable[[], Any]]()
        self._seen = set[int]()
        self._todo: list[Any] = [cls, *filter(None, map(function_of, members_of(cls)))]
        while self._todo:
            one = self._todo.pop()
            if id(one) in self._seen:
                continue
            self._seen.add(id(one))
            if isinstance(one, type):
                self._visit_class(one)
            else:
                self._visit_function(one)
        self.first = self.marks()

    def marks(self) -> Marks:
        """Return what each variable is known by as it is now."""
        most = min(MOST, ALL // max(1, len(self._places)))
        return {name: _marked(get, most) for name, get in self._places.items()}

    def _keep(self, name: str, get: Callable[[], Any]) -> None:
        """Compare a variable, and go on with what it holds where that is a function, a class or an object of one."""
        with suppress(Exception):  # of an object that cannot be looked at, such as one that stands for another
            self._keep_what_it_holds(name, get)

    def _keep_what_it_holds(self, name: str, get: Callable[[], Any]) -> None:
        value = get()
        kind: type[Any] = value.__class__
        if isinstance(value, type):
            self._todo.append(value)
        elif isinstance(value, _CALLED):
            called: list[Any] = [function_of(value), value]
            self._todo += [one for one in called if isinstance(one, FunctionType)]
        elif not isinstance(value, ModuleType) and not kind.__module__.startswith(_KIT) and id(value) not in self._seen:
            self._places[name] = get
            if isinstance(value, _CHANGING) or hasattr(value, "__dict__"):
                self._seen.add(id(value))  # by one of its names
            self._todo.append(kind)

    def _visit_function(self, function: FunctionType) -> None:
        code, given = function.__code__, function.__globals__
        name = function.__qualname__.rpartition("<locals>.")[2]
        if not _is_of_author(code.co_filename):
            return
        names = {*_names_in(code)}
        for one in sorted(names & given.keys()):
            value = given[one]
            self._keep(one, partial(given.get, one))
            if is_a(value, ModuleType) and _is_module_of_author(value):
                module: ModuleType = value
                for inner in sorted(names & vars(module).keys()):
                    self._keep(f"{one}.{inner}", partial(vars(module).get, inner))
        for one, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            self._keep(f"{one} of {name}()", partial(_content, cell))
        last = [*zip(code.co_varnames[code.co_argcount - 1 :: -1], (function.__defaults__ or ())[::-1], strict=False)]
        for one, default in (*last, *(function.__kwdefaults__ or {}).items()):
            self._keep(f"the default of {one} in {name}()", partial(_same, default))
        self._keep(f"an attribute of {name}()", partial(getattr, function, "__dict__"))

    def _visit_class(self, cls: type[Any]) -> None:
        for base in cls.__mro__:
            if base is not self._cls and not _is_class_of_author(base):
                continue
            own = self._own if issubclass(self._cls, base) else ()
            for name in sorted(vars(base).keys() - own):
                if not name.startswith("__") or inspect.isfunction(vars(base)[name]):
                    self._keep(f"{cls.__name__}.{name}", partial(inspect.getattr_static, cls, name, None))


def _is_of_author(file: str) -> bool:
    """Tell whether a file may be of whoever wrote the rules; what is installed keeps tables and caches of its own."""
    return is_of_user(file) and "site-packages" not in file and "dist-packages" not in file


def _is_module_of_author(module: ModuleType | None) -> bool:
    return _is_of_author(getattr(module, "__file__", None) or "<")


def _is_class_of_author(kind: type[Any]) -> bool:
    return _is_module_of_author(sys.modules.get(kind.__module__))


def _names_in(code: CodeType) -> Iterator[str]:
    """Yield what a function names, and functions inside of it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


def _marked(get: Callable[[], Any], most: int) -> Any:
    try:
        return _Marker(most).mark(get(), ())
    except Exception:  # noqa: BLE001 - what cannot be looked at is not known
        return None


def _same(value: Any) -> Any:
    return value


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it has none yet
        return None


class _Marker:
    """Marks one value: equal ones are marked alike, also where they are objects that know no equality."""

    def __init__(self, most: int) -> None:
        self._left = self._most = most

    def mark(self, value: Any, above: tuple[int, ...]) -> Any:
        """Return what a value is known by, which is within others."""
        self._left -= 1
        kind: type[Any] = value.__class__
        if value is None or isinstance(value, _WHOLE):
            return kind, value
        if self._left < 0 or len(above) >= DEEP or id(value) in above:
            return None
        above = (*above, id(value))
        if isinstance(value, _DICT):
            items = [
                (self.mark(key, above), self.mark(item, above)) for key, item in islice(_DICT.items(value), self._most)
            ]
            return kind, len(value), tuple(items)
        if isinstance(value, _ORDERED):
            return kind, len(value), tuple([self.mark(item, above) for item in islice(value, self._most)])
        if isinstance(value, _SETS):
            return kind, len(value), frozenset([self.mark(item, above) for item in islice(value, self._most)])
        if isinstance(value, _PACKED):
            return kind, hash(bytes(value))
        if isinstance(value, random.Random):
            return kind, value.getstate()
        if not _is_class_of_author(kind):  # what else it may have in it, such as a cache, is its own matter
            return kind, None if kind.__repr__ is _ADDRESS else hash(repr(value))
        parts = {name: getattr(value, name, None) for name in _slots(kind)} | getattr(value, "__dict__", {})
        return kind, tuple([(name, self.mark(part, above)) for name, part in parts.items()])


def _slots(kind: type[Any]) -> Iterator[str]:
    for base in kind.__mro__:
        slots = vars(base).get("__slots__", ())
        yield from (slots,) if isinstance(slots, str) else slots


def differing(one: Marks, other: Marks) -> list[str]:
    """Return what is called otherwise."""
    return [name for name in one if one[name] != other[name]]


def listed(names: Collection[str]) -> str:
    """Return the first few of what changes, for a person."""
    known = sorted(names)
    return f"{', '.join(known[:NAMED])}{f' and {len(known) - NAMED} more' if len(known) > NAMED else ''}"


def told_of_changing(names: Collection[str]) -> str:
    """Say what a game changes each time beside the fields, for the end of a sentence."""
    return (
        f" Beside the fields the rules change {listed(names)}, which all tables share and a restart forgets: what counts "
        "in a game is a field"
    )


def told_of_changed(names: Collection[str]) -> str:
    """Say what has changed beside the fields, which caches do as well; nothing where nothing has."""
    kept = f" Beside the fields {listed(names)} changed meanwhile: a cache may, but what counts in a game is a field"
    return kept if names else ""
