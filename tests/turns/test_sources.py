"""What is read from the source of rules, and what is assumed where there is none."""

import builtins
import functools
from typing import Any

import pytest

from netcode.turns.language.class_sources import source_of
from netcode.turns.language.sources import (
    assigned,
    can_refuse,
    demands,
    fingerprint,
    function_of,
    only_looks,
    tree_of,
)


class Rules:
    """Functions as a class of rules has them."""

    total = 0

    def plain(self) -> None:
        self.count, (self.rest, _) = 1, (2, 3)
        self.total += 1
        other: Any = self
        other.not_followed = 1

    def demands(self) -> None:
        self.deeper()

    def deeper(self) -> None:
        raise ValueError

    def harmless(self) -> None:
        self.harmless()
        _helper()

    @property
    def value(self) -> int:
        return 1

    @staticmethod
    def nothing() -> None: ...

    @classmethod
    def of_class(cls) -> None: ...

    def clever(self) -> None:
        getattr(self, "deeper")()  # noqa: B009 - what cannot be followed


def _helper() -> None: ...


def _twice(number: int) -> int:
    return 2 * number


def without_source(body: str) -> Any:
    made: dict[str, Any] = {}
    builtins.exec(body, made)
    return made["thing"]


def test_the_function_behind_a_member_is_found() -> None:
    members = vars(Rules)

    assert [
        getattr(function_of(members[name]), "__name__", None) for name in ("plain", "value", "nothing", "of_class")
    ] == [
        "plain",
        "value",
        "nothing",
        "of_class",
    ]
    assert function_of(3) is None


def test_names_that_a_method_assigns_are_read_off_its_source() -> None:
    assert {*assigned(Rules.plain)} == {"count", "rest", "total"}
    assert [*assigned(Rules.nothing)] == []


def test_a_rule_can_refuse_if_anything_in_its_reach_can() -> None:
    refuses = {name: can_refuse(Rules, getattr(Rules, name)) for name in ("demands", "harmless", "clever")}

    assert refuses == {"demands": True, "harmless": False, "clever": True}


class Demanding:
    """Rules that refuse: in the first ones it is plain after which `require` they refuse no more."""

    def require(self, condition: object, text: str) -> None: ...

    def ok(self) -> bool:
        return True

    def sure(self) -> bool:
        self.require(True, "never")
        return True

    def once(self) -> None:
        """Say something first."""
        self.require(self.ok(), "no")
        self.count = 1

    def twice(self) -> None:
        if not self.ok():
            return
        self.require(1, text="no")
        for _ in range(3):
            self.ok()
        self.require(2, "no")
        self.ok()

    def later(self) -> None:
        self.require(1, "no")
        self.sure()

    def within(self) -> None:
        self.require(self.sure(), "no")

    def at_times(self) -> None:
        self.require(1, "no")
        if self.ok():
            self.require(2, "no")

    def raises(self) -> None:
        self.require(1, "no")
        raise ValueError

    def of_another(self) -> None:
        other = Demanding()
        other.require(1, "no")

    def again(self) -> None:
        self.require(1, "no")
        self.again()

    @functools.cache  # noqa: B019 - a function around a rule may do anything with it
    def wrapped(self) -> None:
        self.require(1, "no")

    def never(self) -> None: ...


def test_it_is_read_after_which_demand_a_rule_refuses_no_more() -> None:
    rules = ("once", "twice", "later", "within", "at_times", "raises", "of_another", "again", "wrapped", "never")

    found = {name: demands(Demanding, getattr(Demanding, name)) for name in rules}

    assert found == {**dict.fromkeys(rules, 0), "once": 1, "twice": 2}
    assert demands(Rules, Rules.nothing) == 0


class Looking:
    """Rules that change nothing before their last demand, and such as may."""

    cells: Any = ()
    size = 3
    require: Any = None

    def first(self, cell: int) -> None:
        """Look at once."""
        self.require(self.cells[cell] is None and len(self.cells) > cell, f"{cell} is taken")
        self.cells[cell] = 1

    def named(self, cell: int) -> None:
        row = [one for one in self.cells if one != cell]
        self.require(not row or max(row) < self.size, "too large")
        self.require(any(one == -cell for one in row[1:]), text="no")

    def changes(self, cell: int) -> None:
        self.cells[cell] = 1
        self.require(self.cells, "no")

    def adds(self, cell: int) -> None:
        self.size += cell
        self.require(self.size, "no")

    def pops(self, _cell: int) -> None:
        self.require(self.cells.pop(), "no")

    def between(self, cell: int) -> None:
        self.require(cell, "no")
        self.cells.append(cell)
        self.require(self.size, "no")

    def into(self, cell: int) -> None:
        self.require([0 for self.size in (cell,)], "no")

    def by_property(self, cell: int) -> None:
        self.require(self.counted > cell, "no")

    def by_another(self, cell: int) -> None:
        self.require(_twice(cell), "no")

    def under_a_name(self, _cell: int) -> None:
        self.require((other := self.size), other)

    def if_so(self, cell: int) -> None:
        if cell:
            self.cells = []
        self.require(cell, "no")

    def never(self, cell: int) -> None:
        self.cells = cell

    @property
    def counted(self) -> int:
        self.size += 1
        return self.size


def test_it_is_read_whether_a_rule_only_looks_before_its_last_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [name for name, member in vars(Looking).items() if callable(member)]

    found = [name for name in rules if only_looks(Looking, getattr(Looking, name))]

    assert len(rules) == 12
    assert found == ["first", "named"]
    monkeypatch.setitem(globals(), "max", _twice)  # somebody's own function of that name may do anything
    assert not only_looks(Looking, Looking.named)


def test_without_a_source_the_worst_is_assumed_and_bytecode_tells_rules_apart() -> None:
    one, same, other = (
        without_source(f"class thing:\n    def rule(self): self.{name}()") for name in ("one", "one", "other")
    )

    assert tree_of(one.rule) is None
    assert [*assigned(one.rule)] == []
    assert can_refuse(one, one.rule)
    assert demands(one, one.rule) == 0
    assert not only_looks(one, one.rule)
    assert fingerprint(one) == fingerprint(same) != fingerprint(other)


def test_without_a_source_rules_with_other_constants_are_other_rules() -> None:
    body = "class thing:\n  seats = {seats}\n  table = {{'a': [1], 'b': {{2}}}}\n  def rule(self):\n    return lambda: {constant}"
    written = [(2, "{'a', 'b', None, 2.5}"), (2, "{'a', 'b', None, 3.5}"), (2, "b'a'"), (2, "True"), (3, "b'a'")]
    made = [without_source(body.format(seats=seats, constant=constant)) for seats, constant in written]

    assert len({fingerprint(one) for one in made}) == len(made)
    again = without_source(body.format(seats=3, constant="b'a'"))
    assert fingerprint(again) == fingerprint(made[-1])


def test_a_class_without_a_source_is_not_read_from_the_lines_of_the_file_that_it_is_made_in() -> None:
    spaces: list[dict[str, Any]] = [{"__name__": __name__} for _ in range(2)]
    for number, made in enumerate(spaces):
        builtins.exec(f"class Thing:\n    def rule(self) -> int:\n        return {number}", made)

    one, other = (made["Thing"] for made in spaces)
    assert [source_of(one), source_of(other)] == ["", ""]
    assert fingerprint(one) != fingerprint(other)
    assert source_of(Rules).startswith("class Rules:\n")


class Handing:
    """What gives itself to somebody else, who may refuse in its name."""

    other: Any = None
    names: tuple[str, ...] = ()

    def as_argument(self) -> None:
        self.other.check(self)

    def by_another_name(self) -> None:
        game = self
        self.other.check(game)

    def called_otherwise(own) -> None:  # noqa: N805  # pyright: ignore[reportSelfClsParameterName]
        own.other.check(own)

    def within_a_list(self) -> None:
        self.other.check(*[self])

    def its_fields(self) -> None:
        self.other.check(self.names, key=len(self.names))

    @functools.wraps(its_fields)
    def wrapped(self) -> None:
        self.other.check("before")

    def calls_what_is_wrapped(self) -> None:
        self.wrapped()  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "name",
    ["as_argument", "by_another_name", "called_otherwise", "within_a_list", "wrapped", "calls_what_is_wrapped"],
)
def test_who_gets_the_game_and_what_is_around_a_rule_may_refuse(name: str) -> None:
    rule = getattr(Handing, name)

    assert can_refuse(Handing, rule)
    assert demands(Handing, rule) == 0


def test_who_gets_what_a_game_has_refuses_nothing() -> None:
    assert not can_refuse(Handing, Handing.its_fields)
