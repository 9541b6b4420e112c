"""Names that rules read of `self` and that are nothing: found unplayed, and nothing else is."""

from functools import singledispatchmethod
from pathlib import Path
from typing import Any, ClassVar, overload

from netcode.turns import Game, check, move
from netcode.turns.proving import spelling
from netcode.turns.proving.spelling import doubled, unknown


class Typos(Game):
    """Each in a place where no game comes by."""

    heap: int = 7
    limit: ClassVar[int] = 3

    @property
    def left(self) -> int:
        return self.heap

    @staticmethod
    def of_something(other: Any) -> Any:
        return other.anything

    @classmethod
    def of_class(cls) -> int:
        return cls.limit

    def helper(self) -> int:
        return self.left + self.limit + self.heep  # type: ignore[attr-defined, no-any-return]  # pyright: ignore

    @move
    def take(self) -> None:
        self.heap -= 1
        if self.heap < -5:
            self.finnish()  # type: ignore[attr-defined]  # pyright: ignore
            self.finnish()  # type: ignore[attr-defined]  # pyright: ignore
        if self.heap < 0:
            self.tell(self.zzz)  # type: ignore[attr-defined]  # pyright: ignore
        if self.heap == 0:
            self.finish()


class Careful(Game):
    """Reads what may be missing, and says so; has parts with a `self` of their own."""

    @move
    def stop(self) -> None:
        class Local:
            def method(self) -> Any:
                return self.mine  # type: ignore[attr-defined]  # pyright: ignore

        def inner(self: Any) -> Any:
            return self.mine

        if hasattr(self, "wings"):
            self.wings()  # pyright: ignore
        parts: list[Any] = [Local, inner, lambda self: self.mine]  # pyright: ignore
        assert parts
        self.finish(max(self.players, key=lambda seat: (seat, self.rounds(seat))))

    def rounds(self, seat: int) -> int:
        try:
            return int(self.given[seat])  # type: ignore[attr-defined]  # pyright: ignore
        except AttributeError:
            return self.__own()

    def __own(self) -> int:
        return 0

    def nothing() -> None:  # type: ignore[misc]  # pyright: ignore
        ...


class Anything(Game):
    """Has whatever it is asked for."""

    def __getattr__(self, name: str) -> Any:
        return len(name)

    @move
    def stop(self) -> None:
        assert self.whatever
        self.finish()


def sentences(cls: type[Game]) -> list[str]:
    return [what for _, what in unknown(cls)]


def place(text: str) -> str:
    """Return the file and the first line of it that has this text."""
    lines = Path(__file__).read_text("utf-8").splitlines()
    return f"{__file__}:{next(number for number, line in enumerate(lines, 1) if text in line)}"


def test_a_name_that_nothing_has_is_told_with_its_line_and_with_what_was_meant() -> None:
    helper, first, second = sentences(Typos)

    assert helper == f"Typos.helper uses self.heep, which is nothing, at {place('heep')}; did you mean `self.heap`?"
    assert (
        first == f"Typos.take uses self.finnish, which is nothing, at {place('finnish')}; did you mean `self.finish`?"
    )
    assert second == f"Typos.take uses self.zzz, which is nothing, at {place('zzz')}"


def test_what_may_be_there_is_left_alone() -> None:
    assert (sentences(Careful), sentences(Anything)) == ([], [])


def test_what_cannot_be_read_is_left_alone() -> None:
    made: dict[str, Any] = {"Game": Game, "move": move, "__name__": __name__}
    exec("class Made(Game):\n    @move\n    def go(self):\n        self.finnish()", made)

    assert sentences(made["Made"]) == []


def test_check_finds_it_where_no_game_comes_by_and_says_it_once_where_one_does() -> None:
    class Failing(Game):
        @move
        def go(self) -> None:
            self.finnish()  # type: ignore[attr-defined]  # pyright: ignore

    unplayed, played = check(Typos, 3), check(Failing, 3)

    assert len(unplayed.problems) == 3
    (found,) = played.problems
    assert found.startswith("Failing fails: AttributeError: 'Failing' object has no attribute 'finnish', at ")
    assert {*unplayed.problems.values()} == {"in the source, whether or not a game came by"}


def test_a_hook_by_another_name_is_found_unless_it_is_called() -> None:
    class Nearly(Game):
        @move
        def go(self) -> None:
            self.finish()

        def rounds(self) -> None:
            pass

        def time_out(self, seat: int) -> None:
            pass

    class Called(Game):
        @move
        def go(self) -> None:
            self.set_up()

        def set_up(self) -> None:
            self.finish()

    class Composed(Game):
        @move
        def go(self) -> None:
            getattr(self, "set_" + "up")()

        def set_up(self) -> None:
            self.finish()

    assert [what for _, what in spelling.unheard(Nearly)] == [
        "Nearly.rounds is called by nobody; did you mean `def round(self): …`?",
        "Nearly.time_out is called by nobody; did you mean `def timeout(self, seat): …`?",
    ]
    assert [*spelling.unheard(Called)] == []
    assert [*spelling.unheard(Composed)] == []
    assert any("Nearly.rounds is called by nobody" in problem for problem in check(Nearly, 2).problems)


class Twice(Game):
    @move
    def stop(self) -> None:
        self.finish()

    @move
    def hit(self) -> None:
        Twice.stop()
        self.stop()


def test_a_move_that_is_called_on_the_class_is_found() -> None:
    assert [what for _, what in spelling.unplayed(Twice)] == [
        "Twice.hit calls Twice.stop(…), which makes a play and plays nothing; in the rules it is `self.stop(…)`"
    ]


class Doubled(Game):
    """Has a move of the same name as another one, and a field of the name of a field."""

    heap: int = 7
    size: int = 3

    @property
    def left(self) -> int:
        return self.heap

    @left.setter
    def left(self, value: int) -> None:
        self.heap = value

    @singledispatchmethod
    def count(self, what: Any) -> int:
        return 0

    @count.register
    def _(self, what: int) -> int:
        return what

    @count.register(str)
    def _(self, what: str) -> int:
        return len(what)

    @overload
    def same(self, what: int) -> int: ...
    @overload
    def same(self, what: str) -> str: ...
    def same(self, what: Any) -> Any:
        return what

    @move
    def take(self) -> None:  # pyright: ignore[reportRedeclaration]
        self.heap -= 1

    @move  # type: ignore[no-redef]
    def take(self) -> None:  # noqa: F811
        self.finish()

    heap: int = 5  # type: ignore[no-redef]  # noqa: PIE794


class Again(Doubled):
    """What a subclass has in the place of what is in its base is no mistake."""

    @move
    def take(self) -> None:
        self.finish()


def test_what_is_there_twice_is_found_since_the_first_one_counts_for_nothing() -> None:
    source = Path(__file__).read_text(encoding="utf-8").splitlines()
    take = next(number for number, line in enumerate(source, 1) if "F811" in line and "def take" in line)
    heap = next(number for number, line in enumerate(source, 1) if line.startswith("    heap: int = 5"))

    found = [text for _, text in doubled(Doubled)]

    assert found == [
        f"Doubled.take is there twice, and the second one alone counts, at {__file__}:{take}; rename one",
        f"Doubled.heap is there twice, and the second one alone counts, at {__file__}:{heap}; rename one",
    ]
    assert [text for _, text in doubled(Again)] == found
    assert [*doubled(Careful)] == []
    assert found[0] in check(Doubled, 1).problems


def test_a_class_whose_source_cannot_be_parsed_by_itself_is_left_alone() -> None:
    class Wide(Game):
        text: str = """
to the left"""

        @move
        def go(self) -> None:
            self.finish()

    assert [*doubled(Wide)] == []
