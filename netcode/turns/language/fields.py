"""The fields of a game as bytes, one by one, and back; also those that older rules have stored."""

from collections.abc import Callable, Mapping
from inspect import getattr_static
from typing import Any

from netcode.turns.errors import BUGS, RulesError, Unfit
from netcode.turns.language.definition import Definition, definition_of
from netcode.turns.values import Shape, a, pack, revive, same, unpack

Packed = Mapping[str, bytes]
"""The fields of a game, by name: msgpack."""
NOTHING: Packed = {}


def set_defaults(game: Any) -> None:
    """Give a new game its own copy of each default of its class. Raises `RulesError` for one that does not fit."""
    definition = definition_of(game)
    game.__dict__.clear()
    for name, default in definition.defaults.items():
        shape = definition.shapes[name]
        flaw = shape.flaw(default, f"{definition.cls.__name__}.{name}")
        if flaw is not None:
            raise RulesError(flaw)
        game.__dict__[name] = shape.load(unpack(pack(shape.dump(default))))


def pack_defaults(cls: type[Any]) -> Packed:
    """Return the fields of a new game as bytes: those that have a default, as `setup` finds them."""
    definition: Definition = cls._definition
    return {name: pack(definition.shapes[name].dump(default)) for name, default in definition.defaults.items()}


def pack_fields(game: Any, earlier: Packed = NOTHING) -> Packed:
    """Return the fields as bytes. Raises `RulesError` for what cannot be stored, with its path.

    Args:
        game: whose fields.
        earlier: bytes of the same game, which are taken for what has not changed: they are kept once.
    """
    definition = definition_of(game)
    values: dict[str, Any] = game.__dict__
    packed: dict[str, bytes] = {}
    for name, shape in definition.shapes.items():
        try:
            data = pack(shape.dump(values[name]))
            before = earlier.get(name)
            packed[name] = before if before is not None and before == data else data
        except KeyError:
            if name in values:
                raise
        except Exception as error:
            where = f"{definition.cls.__name__}.{name}"
            flaw = _flaw(shape, values[name], where) or f"{where}: {error}"
            raise RulesError(f"{flaw}; it cannot be stored") from error
    return packed


def _flaw(shape: Shape, value: Any, where: str) -> str | None:
    try:
        return shape.flaw(value, where)
    except RecursionError:
        return f"{where} holds itself, or nests without end"


def pack_changed(game: Any, earlier: Packed, place: Callable[[], str]) -> Packed:
    """Return the fields as `pack_fields` does, after a rule. Raises `RulesError` also for one of a wrong type, with the rule.

    Args:
        game: whose fields.
        earlier: those before the rule: what has not changed since is not looked at.
        place: says the rule, in words.
    """
    try:
        packed = pack_fields(game, earlier)
        _verify_changed(game, packed, earlier)
    except RulesError as error:
        raise RulesError(f"after {place()}, {error}") from error.__cause__
    return packed


def _verify_changed(game: Any, packed: Packed, earlier: Packed) -> None:
    definition = definition_of(game)
    for name, data in packed.items():
        if data is not earlier.get(name) and not definition.shapes[name].fits(game.__dict__[name]):
            raise RulesError(definition.shapes[name].flaw(game.__dict__[name], f"{definition.cls.__name__}.{name}"))


def share(fields: Packed, other: Packed) -> Packed:
    """Return the same fields with the bytes of `other` where they are equal, so that those are kept once."""
    return {name: other[name] if other.get(name) == data else data for name, data in fields.items()}


def fill(game: Any, packed: Packed) -> None:
    """Make the fields what `pack_fields` returned, so that no two places of them are one value."""
    values: dict[str, Any] = game.__dict__
    shapes = definition_of(game).shapes
    values.clear()
    for name, data in packed.items():
        values[name] = shapes[name].load(unpack(data))


def filler(game: Any, packed: Packed) -> Callable[[], None]:
    """Return what does `fill` again and again, quicker; mostly it is not called at all."""
    makers: dict[str, Callable[[], Any]] | None = None

    def fill_again() -> None:
        nonlocal makers
        values: dict[str, Any] = game.__dict__
        if makers is None:
            shapes = definition_of(game).shapes
            makers = {name: shapes[name].maker(data) for name, data in packed.items()}
        values.clear()
        for name, make in makers.items():
            values[name] = make()

    return fill_again


def verify(game: Any) -> None:
    """Raise `RulesError` for a field that would not come back from the store as it is, with its path."""
    definition = definition_of(game)
    values: dict[str, Any] = game.__dict__
    for name, shape in definition.shapes.items():
        if name not in values:
            continue
        value = values[name]
        try:
            if same(shape.load(unpack(pack(shape.dump(value)))), value) and shape.fits(value):
                continue
            why = " does not come back from the store as it was"
        except Exception as error:  # noqa: BLE001 - whatever keeps it from being packed
            why = f": {error}"
        where = f"{definition.cls.__name__}.{name}"
        flaw = _flaw(shape, value, where) or f"{where}{why}"
        raise RulesError(f"{flaw}; what is stored and revived must be the same value of the same type")


def fit(cls: type[Any], fields: Packed) -> Packed:
    """Return fields that other rules have stored as those of `cls` have them, by its `upgrade` if nothing else helps.

    Raises `Unfit` or `RulesError` where they do not fit.
    """
    definition: Definition = cls._definition
    old = {name: unpack(data) for name, data in fields.items()}
    try:
        return _convert(definition, old)
    except Unfit as error:
        if not isinstance(getattr_static(cls, "upgrade", None), classmethod | staticmethod):
            # A method or a move of that name is one of the game.
            raise Unfit(f"the rules have changed: {error}; write upgrade(cls, old)") from None
        known, upgrade = {*definition.shapes, *old}, getattr(cls, "upgrade")  # noqa: B009 - no stub knows it
        try:
            upgraded: Any = upgrade(old)
        except BUGS as error:
            raise RulesError(f"{cls.__name__}.upgrade fails: {type(error).__name__}: {error}") from error
        _check_upgraded(cls.__name__, upgraded, known)
        try:
            return _convert(definition, upgraded)
        except Unfit as unfit:
            raise Unfit(f"what {cls.__name__}.upgrade returned does not fit: {unfit}") from None


def dropped_fields(cls: type[Any], fields: Packed) -> tuple[str, ...]:
    """Return what to tell of fields that `fit` drops, one of which may be one that it begins anew; nothing where none may."""
    definition: Definition = cls._definition
    gone, begun = sorted(fields.keys() - definition.shapes.keys()), sorted(definition.defaults.keys() - fields.keys())
    if not (gone and begun):
        return ()
    try:
        _convert(definition, {name: unpack(data) for name, data in fields.items()})
    except Unfit:
        return ()  # `upgrade` was asked
    text = (
        f"the rules of {cls.__name__} have changed: games that run are without {', '.join(gone)}, and begin with "
        f"{', '.join(begun)} as a new game does; if one of these is one of those by another name, end the server before "
        "they are played on, take its default away, and write upgrade(cls, old)"
    )
    return (text,)


def _check_upgraded(game: str, upgraded: Any, known: set[str]) -> None:
    """Raise `RulesError` for what `upgrade` returned, if it is not fields by name."""
    if not isinstance(upgraded, dict):
        kind = "nothing" if upgraded is None else a(type(upgraded).__name__)
        raise RulesError(f"{game}.upgrade returned {kind}; it returns the fields by name: `return {{**old, …}}`")
    for name in upgraded:  # pyright: ignore[reportUnknownVariableType]
        if name not in known:
            raise RulesError(f"{game}.upgrade returned {name!r}, which is no field of {game}, and was none")


def _convert(definition: Definition, old: Mapping[str, Any]) -> Packed:
    packed: dict[str, bytes] = {}
    for name, shape in definition.shapes.items():
        if name in old:
            value = revive(shape, old[name], name)
        elif name in definition.defaults:
            value = definition.defaults[name]
        else:
            raise Unfit(f"{name} is new and has no default")
        packed[name] = pack(shape.dump(value))
    return packed
