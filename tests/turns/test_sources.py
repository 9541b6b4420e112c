"""What is read from the source of rules, and what is assumed where there is none."""

import builtins
from typing import Any

from netcode.turns.sources import assigned, can_refuse, fingerprint, function_of, tree_of


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


def test_without_a_source_the_worst_is_assumed_and_bytecode_tells_rules_apart() -> None:
    one, same, other = (
        without_source(f"class thing:\n    def rule(self): self.{name}()") for name in ("one", "one", "other")
    )

    assert tree_of(one.rule) is None
    assert [*assigned(one.rule)] == []
    assert can_refuse(one, one.rule)
    assert fingerprint(one) == fingerprint(same) != fingerprint(other)
