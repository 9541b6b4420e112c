"""Values come back as what they were, and what strangers send is taken within bounds or refused with its path."""

import enum
import math
import re
import sys
from dataclasses import InitVar, dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any, Generic, Literal, NamedTuple, NewType, Self, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcode.turns.errors import RulesError, Unfit
from netcode.turns.language.domains import pick
from netcode.turns.language.marks import Mark
from netcode.turns.values import (
    MAX_ITEMS,
    a,
    check_bounds,
    check_numbers,
    is_text,
    join_maps,
    made_of,
    pack,
    plain,
    revive,
    same,
    shape_of,
    unpack,
)


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Order(enum.Enum):
    FIRST = 1


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


class Card(NamedTuple):
    colour: Colour
    number: int


@dataclass(frozen=True, slots=True)
class Piece:
    card: Card
    at: tuple[int, int] = (0, 0)
    tags: frozenset[str] = frozenset()


@dataclass
class Tree:
    name: str
    leaves: "list[Tree]" = field(default_factory=list["Tree"])
    size: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a tree has a name")


class Chain(NamedTuple):
    value: int
    rest: "Chain | None"


@dataclass
class Parsed:
    """Its `__init__` takes something else than its fields."""

    suit: str
    rank: int

    def __init__(self, text: str) -> None:
        self.suit, self.rank = text[0], int(text[1:])


@dataclass
class Living:
    """What it checks at first does not stay so."""

    hits: list[int]
    kind: InitVar[str]
    health: int = field(default=0, init=False)

    def __post_init__(self, kind: str) -> None:
        self.health += len(kind)
        self.hits.append(0)


class _Square(NamedTuple):
    x: int
    colour: Colour


class Square(_Square):
    """It is made of something else than its items."""

    def __new__(cls, text: str) -> Self:
        return super().__new__(cls, int(text[1:]), Colour(text[0]))


class Bits(enum.IntFlag):
    """Flags that may have bits without a name."""

    ONE = 1


class Strict(enum.Flag, boundary=enum.STRICT):
    ONE = 1


Seat = NewType("Seat", int)
Chair = NewType("Chair", Seat)
Maybe = NewType("Maybe", Colour | None)  # type: ignore[valid-newtype] # pyright: ignore
cards = st.builds(Card, st.sampled_from(Colour), st.integers(-(2**63), 2**64 - 1))
texts = st.text(max_size=8)
VALUES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (None, st.none()),
    (bool, st.booleans()),
    (int, st.integers(-(2**63), 2**64 - 1) | st.booleans()),
    (float, st.floats() | st.integers(-5, 5)),
    (str, texts),
    (bytes, st.binary(max_size=8)),
    (Seat, st.integers(0, 9)),
    (dict[Chair, Seat], st.dictionaries(st.integers(0, 9), st.integers(0, 9))),
    (Rights | bool | None, st.booleans() | st.sampled_from([Rights(0), Rights.READ])),
    (Colour, st.sampled_from(Colour)),
    (Level, st.sampled_from(Level)),
    (Rights, st.sampled_from([Rights(0), Rights.READ, Rights.READ | Rights.WRITE])),
    (Literal["a", 1, True], st.sampled_from(["a", 1, True])),
    (Literal[Colour.RED], st.just(Colour.RED)),
    (int | None, st.none() | st.integers(0, 9)),
    (Card | None, st.none() | cards),
    (int | str | list[Colour] | None, st.none() | st.integers(0, 9) | texts | st.lists(st.sampled_from(Colour))),
    (list[int], st.lists(st.integers(0, 9))),
    (list[tuple[int, str]], st.lists(st.tuples(st.integers(0, 9), texts))),
    (tuple[int, ...], st.lists(st.integers(0, 9)).map(tuple)),
    (tuple[()], st.just(())),
    (set[str], st.sets(texts)),
    (frozenset[Card], st.frozensets(cards)),
    (dict[int, set[int]], st.dictionaries(st.integers(0, 9), st.sets(st.integers(0, 9)))),
    (dict[str, int], st.dictionaries(texts, st.integers(0, 9))),
    (dict[Literal["a", "b"], int], st.dictionaries(st.sampled_from("ab"), st.integers(0, 9))),
    (dict[int | str, int], st.dictionaries(st.integers(0, 9) | texts, st.integers(0, 9))),
    (Piece, st.builds(Piece, cards, st.tuples(st.integers(0, 9), st.integers(0, 9)), st.frozensets(texts))),
    (Tree, st.builds(Tree, st.just("t"), st.lists(st.builds(Tree, st.just("leaf")), max_size=2))),
    (Parsed, st.builds(Parsed, st.sampled_from(["c7", "d1"]))),
    (Living, st.builds(Living, st.lists(st.integers(0, 9)), st.sampled_from(["", "cat"]))),
    (Square, st.sampled_from([Square("r7"), Square("b1")])),
    (list[float], st.lists(st.floats() | st.integers(-5, 5) | st.booleans())),
    (int | Colour | None, st.none() | st.integers(0, 9) | st.booleans() | st.sampled_from(Colour)),
    (dict[int, float], st.dictionaries(st.integers(0, 9) | st.booleans(), st.integers(0, 9) | st.floats())),
    (Chain, st.builds(Chain, st.integers(0, 9), st.none() | st.builds(Chain, st.integers(0, 9), st.none()))),
    (list, st.lists(st.none() | texts | st.lists(st.integers(0, 9)))),
    (dict, st.dictionaries(texts, st.integers(0, 9))),
    (set, st.sets(st.integers(0, 9))),
    (tuple, st.lists(texts).map(tuple)),
    (Any, st.dictionaries(texts, st.lists(st.booleans()))),
]


@given(st.data())
def test_what_is_stored_and_revived_is_the_same_of_the_same_type(data: st.DataObject) -> None:
    annotation, values = data.draw(st.sampled_from(VALUES))
    value = data.draw(values)
    shape = shape_of(annotation, "G.field")

    stored = pack(shape.dump(value))

    assert shape.flaw(value, "G.field") is None
    assert same(shape.load(unpack(stored)), value)
    assert pack(shape.dump(shape.load(unpack(stored)))) == stored


def written(value: Any) -> set[int]:
    """Return which parts of a value can be written to."""
    bases: set[Any] = {*value.__class__.__mro__}
    record = hasattr(value, "__dataclass_fields__")
    if bases & {list, tuple, set, frozenset}:
        parts: list[Any] = [*value]
    else:
        parts = [*value.values()] if dict in bases else []
    parts += [getattr(value, name, None) for name in value.__dataclass_fields__] if record else []
    writable = record or bool(bases & {list, dict, set}) or (tuple in bases and hasattr(value, "__dict__"))
    return set[int]().union({id(value)} if writable else (), *map(written, parts))


@given(st.data())
def test_what_is_revived_again_and_again_is_the_same_and_has_no_part_that_can_be_written_to_in_common(
    data: st.DataObject,
) -> None:
    annotation, values = data.draw(st.sampled_from(VALUES))
    value = data.draw(values)
    shape = shape_of(annotation, "G.field")
    make = shape.maker(pack(shape.dump(value)))

    made = [make() for _ in range(3)]

    assert all(same(one, value) for one in made)
    parts = [written(one) for one in made]
    assert len(set[int]().union(*parts)) == sum(map(len, parts))


@given(st.data())
def test_what_was_stored_is_taken_from_strangers_too(data: st.DataObject) -> None:
    ours = (int, float, tuple, set, Parsed, Living, Square, list[float], int | Colour | None, dict[int, float])
    annotation, values = data.draw(st.sampled_from([pair for pair in VALUES if pair[0] not in ours]))
    value = data.draw(values)
    shape = shape_of(annotation, "G.field")

    assert same(shape.convert(unpack(pack(shape.dump(value)))), value)


@given(st.data())
def test_what_a_server_stored_or_sent_is_what_it_had(data: st.DataObject) -> None:
    annotation, values = data.draw(st.sampled_from(VALUES))
    value = data.draw(values)
    shape = shape_of(annotation, "G.field")

    assert same(revive(shape, unpack(pack(shape.dump(value))), "field"), value)


def nested(depth: int) -> Any:
    data: Any = None
    for _ in range(depth):
        data = [1, data]
    return data


@pytest.mark.parametrize(
    ("annotation", "data", "text"),
    [
        (bool, 1, "field must be bool, not an int"),
        (int, 1.5, "field must be int, not a float"),
        (list[int], [1, "2"], "field[1] must be int, not a str"),
        (list[str], "ab", "field must be list[str], not a str"),
        (tuple[str, str], "ab", "field must be tuple[str, str], not a str"),
        (tuple[int, int], [1], "field must have 2 entries, not 1"),
        (set[str], "ab", "field must be set[str], not a str"),
        (dict[str, int], ["a"], "field must be dict[str, int], not a list"),
        (Parsed, {"suit": "c"}, "field must have the entries suit, rank"),
        (Parsed, {"suit": "c", "rank": "7"}, "field.rank must be int, not a str"),
        (int | Colour | None, "GREEN", "field must be the name of a Colour: RED, BLUE"),
        (int | None, "a", "field must be int | None, not a str"),
        (set[list[int]], [[1]], "field cannot be set[list[int]]: unhashable type: 'list'"),
        (Strict, 8, "field must be the name of a Strict: ONE"),
    ],
)
def test_what_a_server_sent_that_does_not_fit_is_told_with_its_path(annotation: Any, data: Any, text: str) -> None:
    with pytest.raises(Unfit) as caught:
        revive(shape_of(annotation, "G.field"), data, "field")

    assert str(caught.value) == text


def test_what_nests_without_end_does_not_fit() -> None:
    with pytest.raises(Unfit, match="field cannot be Chain: maximum recursion depth exceeded"):
        revive(shape_of(Chain, "G.field"), nested(5_000), "field")


def test_what_a_tuple_of_the_authors_says_of_a_stranger_is_told() -> None:
    with pytest.raises(Unfit, match=r"^it is no Square: .*takes 2 positional arguments but 3 were given"):
        shape_of(Square, "G.field").convert([7, "RED"])


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | texts | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts | st.integers(0, 9), inner, max_size=4),
)


@given(ANYTHING, st.sampled_from([annotation for annotation, _ in VALUES]))
def test_anything_else_that_a_server_may_send_is_refused_or_fits(data: Any, annotation: Any) -> None:
    shape = shape_of(annotation, "G.field")

    try:
        value = revive(shape, data, "field")
    except Unfit:
        return
    assert shape.flaw(value, "G.field") is None


@given(ANYTHING, st.sampled_from([annotation for annotation, _ in VALUES]))
def test_anything_else_from_strangers_is_refused_or_fits(data: Any, annotation: Any) -> None:
    shape = shape_of(annotation, "G.field")

    try:
        value = shape.convert(data)
    except Unfit:
        return
    assert shape.flaw(value, "G.field") is None


@pytest.mark.parametrize(
    ("annotation", "data", "text"),
    [
        (int, True, "it must be int, not a bool"),
        (int, None, "it must be int, not None"),
        (list[int], [1, "2"], "it[1] must be int, not a str"),
        (list[int], "ab", "it must be list[int], not a str"),
        (Card, ["RED"], "it must have 2 entries, not 1"),
        (Card, ["GREEN", 1], "it[0] must be the name of a Colour: RED, BLUE"),
        (Piece, {"card": ["RED", 1]}, "it must have the entries card, at, tags"),
        (Tree, {"name": "", "leaves": [], "size": 0}, "it is no Tree: a tree has a name"),
        (Literal["a"], "b", "it must be one of 'a'"),
        (int | None, "a", "it must be int | None, not a str"),
        (Colour | None, "GREEN", "it must be the name of a Colour: RED, BLUE"),
        (dict[int, int], {"a": 1}, "a key of it must be int, not a str"),
        (set[list[int]], [[1]], "it must be set[list[int]]"),
        (Rights, 64, "it must be the name of a Rights: READ, WRITE"),
        (Rights, "READ|EXECUTE", "it must be the name of a Rights: READ, WRITE"),
        (Rights, "", "it must be the name of a Rights: READ, WRITE"),
    ],
)
def test_what_does_not_fit_is_told_with_its_path(annotation: Any, data: Any, text: str) -> None:
    with pytest.raises(Unfit) as caught:
        shape_of(annotation, "G.field").convert(data)

    assert str(caught.value) == text


def test_flags_are_stored_by_their_names_and_revived_from_numbers_too() -> None:
    shape = shape_of(Rights, "it")

    assert [shape.dump(value) for value in (Rights.READ, Rights(3), Rights(0))] == ["READ", "READ|WRITE", 0]
    assert [shape.load(data) for data in ("READ|WRITE", 3, 0)] == [Rights(3), Rights(3), Rights(0)]
    assert (shape_of(Bits, "it").dump(Bits(5)), shape_of(Bits, "it").load(5)) == (5, Bits(5))


def test_flags_are_taken_by_their_names_too() -> None:
    shape = shape_of(Rights, "it")

    assert [shape.convert(said) for said in ("READ", "WRITE | READ", 3)] == [Rights.READ, Rights(3), Rights(3)]
    every = [shape_of(type(value), "it").convert(plain(value)) for value in (Rights(3), Bits.ONE, Bits(5))]
    assert every == [Rights(3), Bits.ONE, Bits(5)]


@pytest.mark.parametrize(
    ("annotation", "value", "text"),
    [
        (int, Level.LOW, "G.f is a Level, which would come back as int; its annotation says int"),
        (Colour, "r", "G.f is a str; its annotation says Colour"),
        (Card, Card(Colour.RED, "1"), "G.f[1] is a str; its annotation says int"),  # type: ignore[arg-type]
        (tuple[int, int], (1,), "G.f has 1 entries; its annotation says tuple[int, int]"),
        (tuple[int, int], [1, 2], "G.f is a list; its annotation says tuple[int, int]"),
        (set[int], frozenset({1}), "G.f is a frozenset; its annotation says set[int]"),
        (Piece, Card(Colour.RED, 1), "G.f is a Card, which would come back as tuple; its annotation says Piece"),
        (Card | None, 3, "G.f is an int; its annotation says Card | None"),
        (list[int] | None, ["a"], "G.f[0] is a str; its annotation says int"),
        (dict[int, str], {1: 2}, "G.f[1] is an int; its annotation says str"),
        (dict[int, str], [], "G.f is a list; its annotation says dict[int, str]"),
        (list[Any], [{(1, 2): 3}], "the key (1, 2) of G.f[0] is a tuple; its annotation says int | str"),
    ],
)
def test_a_flaw_is_told_with_its_path(annotation: Any, value: Any, text: str) -> None:
    shape = shape_of(annotation, "G.f")

    assert shape.flaw(value, "G.f") == text
    assert not shape.fits(value)


@given(st.data())
def test_what_fits_has_no_flaw_and_the_other_way_round(data: st.DataObject) -> None:
    annotation, _ = data.draw(st.sampled_from(VALUES))
    _, values = data.draw(st.sampled_from(VALUES))
    value = data.draw(values)
    shape = shape_of(annotation, "G.field")
    try:
        pack(shape.dump(value))
    except Exception:  # noqa: BLE001 - whatever it is, such a value is never asked about
        return

    assert shape.fits(value) == (shape.flaw(value, "G.field") is None)


@pytest.mark.parametrize(
    "annotation",
    [Literal[b"a", Colour.RED], Colour | str, Rights | str, Rights | int, float | Rights, Maybe | str, complex],
)
def test_types_that_cannot_be_stored(annotation: Any) -> None:
    with pytest.raises(RulesError, match=r"^G\.f: "):
        shape_of(annotation, "G.f")


class OfNumpy:
    """A number of numpy, or an array, as far as it is looked at."""

    dtype = "int64"

    def __init__(self, *shape: int) -> None:
        self.shape = shape


@pytest.mark.parametrize(("value", "advice"), [(OfNumpy(), ".item()"), (OfNumpy(3), ".tolist()")])
def test_what_is_of_numpy_is_told_with_how_to_make_it_one_of_pythons(value: OfNumpy, advice: str) -> None:
    flaw = shape_of(int, "it").flaw(value, "Chess.turns")

    assert flaw == f"Chess.turns is an OfNumpy; its annotation says int; `{advice}` makes it one of Python's"
    with pytest.raises(TypeError, match=re.escape(f"an OfNumpy cannot be sent; `{advice}` makes it one of Python's")):
        plain([value])


@pytest.mark.parametrize(
    ("value", "said"), [(SimpleNamespace(dtype="int64"), "a SimpleNamespace"), (OfNumpy, "a type")]
)
def test_what_only_looks_like_numpy_is_told_without(value: object, said: str) -> None:
    with pytest.raises(TypeError, match=f"^{said} cannot be sent$"):
        plain(value)


@dataclass
class Unfinished:
    near: "list[Unfinished]"
    far: "list[Nowhere]"  # type: ignore[name-defined] # noqa: F821 # pyright: ignore


class Incomplete(NamedTuple):
    near: "Incomplete | None"
    far: "list[Nowhere]"  # type: ignore[name-defined] # noqa: F821 # pyright: ignore


@pytest.mark.parametrize("annotation", [Unfinished, Incomplete, list[Unfinished]])
def test_a_record_with_an_annotation_that_means_nothing_is_told_each_time(annotation: Any) -> None:
    for _ in range(2):
        with pytest.raises(
            RulesError, match=r"^(Unfinished|Incomplete): an annotation cannot be evaluated: name 'Nowhere'"
        ):
            shape_of(annotation, "G.field")


T = TypeVar("T")
V = TypeVar("V")


@dataclass
class Box(Generic[T]):
    value: T
    others: "list[Box[T]]" = field(default_factory=list["Box[T]"])


@dataclass
class Labelled(Box[set[V]], Generic[T, V]):
    """Its own `T` is another one than that of its base."""

    label: T | None = None


@dataclass
class Numbers(Labelled[str, int]):
    count: int = 0


class Pair(NamedTuple, Generic[T]):
    first: T
    second: T


@pytest.mark.parametrize(
    ("annotation", "value", "wrong"),
    [
        (Box[int], Box(1, [Box(2)]), Box[Any](1, [Box("2")])),
        (Box[tuple[int, int]], Box((1, 2)), Box([1, 2])),
        (Box[Box[set[str]]], Box(Box({"a"})), Box(Box({1}))),
        (Labelled[str, int], Labelled({1}, label="a"), Labelled({1}, label=1)),
        (Numbers, Numbers({1}, label="a", count=1), Numbers({2.5}, label="a", count=1)),  # type: ignore[arg-type]
        (Pair[frozenset[int]], Pair(frozenset({1}), frozenset()), Pair(frozenset({1}), {1})),
        (list[Pair[Box[int]]], [Pair(Box(1), Box(2))], [Pair(Box(1), Box("2"))]),
    ],
)
def test_generic_classes_hold_what_is_said_in_brackets(annotation: Any, value: Any, wrong: Any) -> None:
    shape = shape_of(annotation, "Mine.field")

    back = shape.load(unpack(pack(shape.dump(value))))

    assert same(back, value)
    assert shape.flaw(value, "it") is None
    assert shape.flaw(wrong, "it") is not None


@pytest.mark.parametrize("annotation", [Box, list[T], Pair, Box[V], dict[str, Box[T]]])  # type: ignore[valid-type]
def test_a_generic_class_that_does_not_say_of_what_it_is_is_told(annotation: Any) -> None:
    with pytest.raises(
        RulesError, match=r"stands for any type; say in the field which one it is: `Box\[int\]`, not `Box`"
    ):
        shape_of(annotation, "Mine.field")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="`type X[T] = …` is of Python 3.12")
def test_a_generic_type_statement_says_what_it_names() -> None:
    made: dict[str, Any] = {"NamedTuple": NamedTuple}
    exec("type Two[A] = tuple[A, A]\ntype Swapped[A, B] = dict[B, list[A]]\ntype Same[A] = A", made)
    exec("class New[A](NamedTuple):\n    value: A", made)

    two, swapped, alike = made["Two"], made["Swapped"], made["Same"]
    kinds: list[Any] = [two[int], list.__class_getitem__(two[str]), swapped[bool, int], alike[two[int]]]

    names = [shape_of(kind, "Mine.field").name for kind in kinds]

    assert names == ["tuple[int, int]", "list[tuple[str, str]]", "dict[int, list[bool]]", "tuple[int, int]"]
    assert shape_of(made["New"][set[int]], "Mine.field").load([[1]]) == made["New"]({1})


@dataclass
class Nest(Generic[T]):
    inner: "Nest[list[T]] | None"


def test_a_generic_class_that_holds_ever_others_of_itself_is_told_in_short() -> None:
    with pytest.raises(RulesError, match=r"^Mine\.field: .{1,90} holds itself without end; .{1,90}$"):
        shape_of(Nest[int], "Mine.field")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="`class X[T]` is of Python 3.12")
def test_a_generic_class_may_hold_itself_in_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    trees = ModuleType("trees")
    monkeypatch.setitem(sys.modules, "trees", trees)
    code = "@dataclass\nclass Tree[A]:\n    value: A\n    left: 'Tree[A] | None' = None"
    exec(f"from dataclasses import dataclass\n{code}\nclass Leaf(Tree[int]): pass", vars(trees))
    tree: Any = vars(trees)["Tree"]

    shape = shape_of(tree[int], "Mine.field")

    assert shape.load(shape.dump(tree(1, tree(2)))) == tree(1, tree(2))
    assert shape.flaw(tree(1, tree("2")), "it") is not None
    assert shape_of(vars(trees)["Leaf"], "Mine.field").flaw(vars(trees)["Leaf"]("2"), "it") is not None


def test_literals_of_equal_values_are_not_taken_for_each_other() -> None:
    one, true = shape_of(list[Literal[1]], "G.f"), shape_of(list[Literal[True]], "G.f")

    assert (one.flaw([1], "f"), true.flaw([True], "f")) == (None, None)
    assert one.flaw([True], "f") is not None


def test_what_a_stranger_sends_is_bounded_before_it_is_looked_at() -> None:
    check_bounds([[1] * 1000] * 4)
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    many = dict.fromkeys(range(MAX_ITEMS), 0)
    large: list[tuple[Any, str]] = [
        ([[1] * 1000] * 5, f"more than {MAX_ITEMS} values"),
        (many, f"more than {MAX_ITEMS} values"),
        (["x" * 40_000, b"x" * 40_000], "longer than 65536"),
        (deep, "deeper than 12 levels"),
    ]
    for data, text in large:
        with pytest.raises(Unfit, match=text):
            check_bounds(data)


def test_plain_says_values_by_what_they_are() -> None:
    class Word(str):
        __slots__ = ()

    value = [
        Colour.RED,
        Rights.READ,
        Rights(0),
        Level.LOW,
        (1, None),
        {2, 1},
        {"a": Card(Colour.BLUE, 1)},
        Word("w"),
        Piece(Card(Colour.RED, 1)),
    ]

    assert plain(value) == [
        "RED", "READ", 0, "LOW", [1, None], [1, 2], {"a": ["BLUE", 1]}, "w", {"card": ["RED", 1], "at": [0, 0], "tags": []},
    ]  # fmt: skip
    with pytest.raises(TypeError, match="a complex cannot be sent"):
        plain(1j)


def test_what_is_of_some_type_has_its_article() -> None:
    kinds = ["object", "int", "Enum", "set", "NoneType", "Unit", "UUID", "User", "Upper", "_Own", "Europe"]

    assert [a(kind).split()[0] for kind in kinds] == ["an"] * 3 + ["a"] * 5 + ["an"] + ["a"] * 2
    with pytest.raises(TypeError, match=r"^an object cannot be sent$"):
        plain(object())
    with pytest.raises(Unfit, match=r"^it must be the name of an Order: FIRST$"):
        shape_of(Order, "it").convert("LAST", "it")


def test_same_looks_at_types_through_and_through() -> None:
    assert same(math.nan, math.nan)
    assert same([{1: (1, 2)}], [{1: (1, 2)}])
    for one, other in (
        (1, True),
        ([1], [True]),
        ({1: 1}, {1: True}),
        ((1,), [1]),
        ({1}, {True}),
        ({1: 1, 2: 2}, {2: 2, 1: 1}),
    ):
        assert not same(one, other)
    assert not same(Piece(Card(Colour.RED, 1)), Piece(Card(Colour.RED, True)))


@pytest.mark.parametrize(
    ("values", "data", "picked"),
    [
        ((0.5, 1.0), 1, 1.0),
        ((1, 1.0), 1, 1),
        ((1, 1.0), 1.0, 1.0),
        (((0.5, 3.0),), [0.5, 3], (0.5, 3.0)),
        (({"a": 1.0},), {"a": 1}, {"a": 1.0}),
        ((float("inf"),), float("inf"), float("inf")),
    ],
)
def test_a_float_without_a_fraction_may_be_said_as_an_integer(values: tuple[Any, ...], data: Any, picked: Any) -> None:
    found = pick(values, data)

    assert found == picked
    assert type(found) is type(picked)


@pytest.mark.parametrize(
    "data",
    [
        {"at": [2, {"9": 1, "10": 3}], "n": 1.0},
        {"n": 1, "at": [2, {"10": 3, "9": 1}]},
        {"n": 1.0, "at": [2, {"10": 3, "9": 1}]},
    ],
)
def test_entries_of_a_map_may_be_said_in_any_order(data: Any) -> None:
    values = ({"n": 2.0, "at": (2, {"9": 1, "10": 3})}, {"n": 1.0, "at": (2, {"9": 1, "10": 3})})

    assert pick(values, data) is values[1]


@pytest.mark.parametrize(("values", "data"), [((True,), 1), ((True,), 1.0), ((1,), True), ((1,), 1.0), (("1",), 1)])
def test_what_only_looks_alike_is_not_picked(values: tuple[Any, ...], data: Any) -> None:
    with pytest.raises(Unfit, match="must be one of"):
        pick(values, data)


def test_two_small_maps_that_are_packed_are_joined() -> None:
    one, other = {f"a{number}": number for number in range(15)}, {"b": [None, {"c": b"d"}], 7: ""}

    assert unpack(join_maps(pack(one), pack(other))) == one | other
    assert unpack(join_maps(pack({}), pack({}))) == {}


def test_what_is_a_text_whatever_is_in_it() -> None:
    texts = [
        annotation
        for annotation in (str, int, str | None, Literal["a"], list[str], Any)
        if is_text(shape_of(annotation, "it"))
    ]

    assert texts == [str]
    assert not is_text(None)


@dataclass
class Branch:
    rights: Rights
    left: "Branch | None"
    held: dict[str, set[Card]]


def test_what_shapes_are_and_what_classes_are_made_of_is_said_once_each_also_where_they_hold_themselves() -> None:
    plain_ones = [shape_of(one, "it") for one in (int, list[str], dict[int, tuple[bool, ...]], tuple[int, str])]

    assert made_of(plain_ones) == repr(["int", "list[str]", "dict[int, tuple[bool, ...]]", "tuple[int, str]"])
    assert made_of([shape_of(list[Branch], "it"), shape_of(Colour, "it")]) == repr(
        [
            "list[Branch]",
            "Colour",
            ("Colour", ["RED", "BLUE"], None),
            ("Branch", [("rights", "Rights"), ("left", "Branch | None"), ("held", "dict[str, set[Card]]")]),
            ("Rights", ["READ", "WRITE"], [1, 2]),
            ("Card", {"colour": "Colour", "number": "int"}),
        ]
    )


@dataclass
class Rank:
    """Compares as beginners write it: with nothing but its own class."""

    rank: int

    def __eq__(self, other: object) -> bool:
        return bool(self.rank == other.rank)  # type: ignore[attr-defined]  # pyright: ignore

    __hash__ = None  # type: ignore[assignment]


def test_values_that_can_be_compared_with_their_own_class_alone_are_picked_and_passed_over() -> None:
    values = (Rank(1), Rank(2), "pass", 3)

    assert pick(values, {"rank": 2}) is values[1]
    assert (pick(values, "pass"), pick(values, 3)) == ("pass", 3)
    with pytest.raises(Unfit, match="must be one of"):
        pick(values, 4)


@pytest.mark.parametrize("data", [float("nan"), [1, (2, float("inf"))], {"a": {"b": [-float("inf")]}}])
def test_what_is_no_number_is_found_wherever_it_is(data: object) -> None:
    with pytest.raises(Unfit, match="a number in it is infinite, or none"):
        check_numbers(data)


def test_numbers_and_everything_else_pass() -> None:
    check_numbers([1, 2.5, "nan", None, {"a": (True, b"")}])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ([int], "a list is no type; write `list[int]`"),
        ({int: str}, "a dict is no type; write `dict[int, str]`"),
        ((int, str), "a tuple is no type; write `tuple[int, str]`"),
        ({str}, "a set is no type; write `set[str]`"),
        ([], "a list is no type; write `list[…]`"),
        ([None] * 9, "a list is no type; write `list[None]`"),
        ([int, str, int], "a list is no type; write `list[int | str]`"),
        ([0, 0, 0], "a list is no type; write `list[int]`"),
        ([[0.5, True], [range(3)]], "a list is no type; write `list[list[float | bool] | list[int]]`"),
        ({"a": 0}, "a dict is no type; write `dict[str, int]`"),
        (({Mark.OPEN}, b""), "a tuple is no type; write `tuple[set[Mark], bytes]`"),
        (0, "0 is no type; write `int`"),
        (list[2.5], "2.5 is no type; write `float`"),  # type: ignore[valid-type]  # pyright: ignore
        (range(9), "range(0, 9) is no type; write `int`"),
        (Mark.OPEN, "Mark.OPEN is no type; write `Mark`"),
        (list[[int]], "a list is no type; write `list[int]`"),  # type: ignore[misc, valid-type]  # pyright: ignore
        (dict[str, list[[int]]], "a list is no type; write `list[int]`"),  # type: ignore[misc, valid-type]  # pyright: ignore
        (lambda: int, "<lambda> cannot be stored. A field is made of None, bool, int"),
    ],
)
def test_a_value_where_a_type_should_be_is_told_with_the_type_that_is_meant(written: Any, meant: str) -> None:
    with pytest.raises(RulesError) as error:
        shape_of(written, "Mine.cards")

    assert str(error.value).startswith(f"Mine.cards: {meant}")
