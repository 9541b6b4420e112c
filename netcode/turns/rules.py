"""The class that a game is, and the decorators of its rules."""

import inspect
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy, deepcopy
from inspect import getattr_static
from types import EllipsisType, MethodType
from typing import (
    Any,
    ClassVar,
    Concatenate,
    Generic,
    Literal,
    Never,
    NoReturn,
    ParamSpec,
    Protocol,
    Self,
    TypeVar,
    cast,
    overload,
)

from netcode.turns.errors import Enough, Refusal, RulesError
from netcode.turns.language.clocks import Clock
from netcode.turns.language.definition import Definition, define, definition_of
from netcode.turns.language.domains import Free, lasts
from netcode.turns.language.imagining import imagine
from netcode.turns.language.kit import Kit, Result, ViewKit, kit_of
from netcode.turns.language.marks import defining
from netcode.turns.language.plays import Play
from netcode.turns.language.questions import ALL, ANY, ONE

T = TypeVar("T")
P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)
V = TypeVar("V")
F = TypeVar("F", bound=Callable[..., None])

Listing = Iterable[Any] | Callable[..., Iterable[Any]] | Free[Any]
"""What a domain is given as."""
At = str | tuple[str, ...]
"""What says where a move goes."""


_BY_NAME = "what an argument may be is given by its name: `@move(cell={})`"


class LooseError(AttributeError, TypeError):
    """A game that is at no table was played; who only asks whether it has something takes it for a no."""


class LooseKit:
    """The kit of a game that somebody has made by calling its class: it is at no table."""

    def refuse(self) -> NoReturn:
        """Say how a game is played."""
        raise LooseError(
            "a game that is made by calling its class is at no table: simulate(…) plays one by itself, join(…) sits down "
            "at one, and `python -m netcode.turns play FILE` plays one here",
            name="",  # or Python would add what looks alike
        )

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # whoever copies it, say, asks for what it may have
            raise AttributeError(name)
        self.refuse()


class _Named:
    """What has the name that it has in its class."""

    name: str
    _owner: type[Any] | None = None

    def __set_name__(self, owner: type[Any], name: str) -> None:
        if self._owner is None:
            self._owner, self.name = owner, name
        elif getattr_static(owner, self.name, None) is not self:  # not one more name for it where it has one
            own = copy(self)
            own.name = name
            setattr(owner, name, own)


class Move(_Named, Generic[P]):
    """A move of a game. On the class, calling it makes a `Play`; on the game, inside its rules, it is a plain method."""

    def __init__(
        self, rule: Callable[Concatenate[Any, P], None], domains: Mapping[str, Listing], undo: bool, at: At = ()
    ) -> None:
        if not hasattr(rule, "__name__"):
            kind = type(rule).__name__
            instead = "one word of the kit is enough" if isinstance(rule, Move | Shown) else _BY_NAME.format("range(9)")
            raise RulesError(f"@move is above what is no method, but of type {kind}; {instead}")
        self.rule, self.given, self.undo, self.at = rule, domains, undo, at
        self.name = rule.__name__
        self.__doc__ = rule.__doc__
        self.__wrapped__ = rule

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Play:
        if self._owner is None and inspect.isfunction(args[0] if args else None):
            raise RulesError(f"@move({self.name}) is a move called {self.name}; {_BY_NAME.format(self.name)}")
        bound = inspect.signature(self.rule).bind(None, *args, **kwargs)
        bound.apply_defaults()
        return Play(self.name, dict([*bound.arguments.items()][1:]))

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> Callable[P, None]: ...
    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self
        kit: Kit | LooseKit = kit_of(instance)
        if isinstance(kit, ViewKit | LooseKit):
            kit.refuse()
        return MethodType(self.rule, instance)


class MoveDecorator(Protocol):
    """What `@move(…)` is before it meets its rule."""

    def __call__(self, rule: Callable[Concatenate[Any, P], None], /) -> Move[P]:
        """Make the rule a move."""
        ...


@overload
def move(rule: Callable[Concatenate[Any, P], None], /) -> Move[P]: ...
@overload
def move(*, undo: bool = False, at: At = (), **domains: Listing) -> MoveDecorator: ...
def move(rule: Any = None, /, *, undo: bool = False, at: At = (), **domains: Listing) -> Any:
    """Make a rule a move: `@move`, or `@move(cell=range(9))` with what each argument may be.

    A domain is a range or collection, a method that lists values, `Free`, or left out where the annotation is a bool,
    an Enum or a Literal.

    Args:
        rule: the method, where nothing else is given.
        undo: claims that a seat learns nothing by this move, so that it may take it back freely; `check` proves it.
        at: where on the board it goes, so that whoever clicks there plays it: a field and what is between its brackets,
            `"cells[cell]"`, `"shots[1 - mover][cell]"`. Several, in a tuple, are clicked one after the other.
        domains: by the name of the argument.
    """
    if rule is not None:
        return Move(rule, {}, False)

    def decorate(rule: Callable[Concatenate[Any, P], None]) -> Move[P]:
        return Move(rule, domains, undo, at)

    return decorate


def options(*unnamed: Never, **domains: Listing) -> Callable[[F], F]:
    """Say what the arguments of `setup` may be, which whoever opens a table chooses: `@options(size=range(3, 8))`."""
    if unnamed:
        raise RulesError("@options says by name what may be chosen: `@options(size=range(3, 8))`")

    def decorate(rule: F) -> F:
        if isinstance(rule, type):
            raise RulesError("@options stands above `def setup(self, size=3): …`, and not above the class")
        rule.__dict__["turns_options"] = domains
        return rule

    return decorate


class Shown(_Named, Generic[R_co]):
    """A value that is computed for each seat and added to its view."""

    def __init__(self, rule: Callable[[Any, int], R_co]) -> None:
        if not hasattr(rule, "__name__"):
            raise RulesError(
                f"@shown is above what is no method, but of type {type(rule).__name__}; one word of the kit is enough"
            )
        self.rule = rule
        self.name = rule.__name__
        self.__doc__ = rule.__doc__
        self.__wrapped__ = rule

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> Callable[[int], R_co]: ...
    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self
        kit: Kit = kit_of(instance)
        if isinstance(kit, ViewKit):
            return kit.shown.get(self.name, _nothing)
        return MethodType(self.rule, instance)


def shown(rule: Callable[[Any, int], V]) -> Shown[V]:
    """Add what `def sight(self, seat)` returns to the view of each seat, under its name. Fields stay as declared."""
    return Shown(rule)


def _nothing(_seat: int) -> None:
    """Stand for what another seat, or a spectator, is shown."""


class Game:
    """A turn-based game. Subclass it: annotated fields are the state, `@move` methods are the rules."""

    __slots__ = ("__dict__", "_kit")
    _kit: Kit

    seats: ClassVar[tuple[int, int]] = (2, 2)
    """The fewest and the most who can play."""
    reveal: ClassVar[bool] = True
    """Whether the end opens all fields but private ones, and publishes the seed."""
    undo: ClassVar[bool] = True
    """Whether moves can be taken back at all."""
    clock: ClassVar[Clock | None] = None
    """How long each seat may think; a table may choose another one."""
    absent: ClassVar[Literal["wait", "forfeit", "out", "bot"]] = "wait"
    """What happens when somebody is gone for longer than `grace`; "out" is also what it means that somebody leaves."""
    grace: ClassVar[float] = 60.0
    """Seconds after which somebody who is not there is absent."""
    _definition: ClassVar[Definition]

    def __new__(cls, *arguments: object, **keywords: object) -> Self:
        """Make a game that is at no table, to look at; those at tables are made without this."""
        game, kit = super().__new__(cls), LooseKit()
        if arguments or keywords:
            kit.refuse()
        game._kit = cast("Kit", kit)
        return game

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "_is_view" not in vars(cls):
            with defining(cls, Game):
                cls._definition = define(cls, Game, Move, Shown)

    def setup(self) -> None:
        """Prepare the fields; override it. It may take options, and call `turn_to`."""

    def timeout(self, seat: int) -> None:
        """Decide what it means that a seat's time is up; override it. By itself: the others have won."""
        others = [other for other in self.alive if other != seat]
        self.finish(*others, text=f"{self.names[seat]} ran out of time")

    def imagine(self, seat: int) -> None:
        """Fill in what a seat cannot see, as it might be; override it where the rules allow less than this.

        By itself it shuffles hidden values of one type among their places. It runs on a copy.
        """
        imagine(self, definition_of(type(self)), seat, self.random)

    @property
    def players(self) -> range:
        """All seats, in order, also those that are out."""
        return self._kit.players

    @property
    def names(self) -> Sequence[str]:
        """What the players are called, by seat."""
        return [*self._kit.names]

    @property
    def mover(self) -> int:
        """The seat whose move this is. In a view: whose move waits for an answer, else the first of `to_move`."""
        mover = self._kit.mover
        return self._kit.whose() if mover is None else mover

    @property
    def to_move(self) -> tuple[int, ...]:
        """The seats whose turn it is."""
        return self._kit.to_move

    @property
    def alive(self) -> list[int]:
        """The seats that are not out."""
        return self._kit.alive

    @property
    def random(self) -> random.Random:
        """The dice of this move: new for each move and each answer, the same if it runs again."""
        return self._kit.random()

    @property
    def result(self) -> Result | None:
        """How the game ended, once it has."""
        return self._kit.result

    @property
    def options(self) -> Mapping[str, Any]:
        """What was chosen for this table; a copy, as of `names`."""
        options = self._kit.options
        return {**options} if all(map(lasts, options.values())) else deepcopy({**options})

    def after(self, seat: int) -> int:
        """Return the next seat after this one that is not out."""
        return self._kit.after(seat)

    def require(self, condition: object, text: str) -> None:
        """Refuse the move with this text unless the condition holds; everything it did is undone."""
        kit = self._kit
        if kit.generator is not None:
            kit.note_draw()
        if not condition:
            raise Refusal(text)
        if kit.demands:  # looked at here, because a list of what is legal calls this for each candidate
            kit.demands -= 1
            if not kit.demands:
                raise Enough

    def turn_to(self, *seats: int) -> None:
        """Say whose turn it is next; several move once each, unseen by the others; none lets `round` run."""
        self._kit.turn_to(seats)

    def out(self, seat: int) -> None:
        """Take a seat out of the game: the turn passes it by."""
        self._kit.leave(seat)

    def finish(
        self, *winners: int, scores: Iterable[float] | Mapping[int, float] | None = None, text: str = ""
    ) -> None:
        """End the game: these have won; without any it is a draw. Scores are one for each seat, in order or by seat."""
        self._kit.finish(winners, scores, text)

    def tell(self, text: str, to: int | Iterable[int] | None = None, **facts: Any) -> None:
        """Tell all, or one seat or some, something that their views do not show.

        The terminal and the page show the text alone; `facts` are for windows and bots of your own.
        """
        self._kit.tell(text, to, facts)

    def ask(
        self,
        seat: int,
        options: Iterable[T] | type[T] | Free[T] | Callable[[int], Iterable[T] | Free[T]],
        prompt: str = "",
        default: T | EllipsisType = ...,
    ) -> T:
        """Ask a seat to choose, and go on with what it chose.

        The rule is suspended; when the answer comes it runs again from its beginning, with the same dice, up to here.

        Args:
            options: what to choose from; a bool or an Enum lists itself; or a function of the seat.
            default: the answer of a seat that is absent or out of time.
        """
        answer: T = self._kit.ask(ONE, (seat,), options, prompt, default)
        return answer

    def ask_all(
        self,
        seats: Iterable[int],
        options: Iterable[T] | type[T] | Free[T] | Callable[[int], Iterable[T] | Free[T]],
        prompt: str = "",
    ) -> dict[int, T]:
        """Ask several seats at once, each unseen by the others; go on when all have answered."""
        answers: dict[int, T] = self._kit.ask(ALL, seats, options, prompt)
        return answers

    def ask_any(
        self,
        seats: Iterable[int],
        options: Iterable[T] | type[T] | Free[T] | Callable[[int], Iterable[T] | Free[T]],
        prompt: str = "",
    ) -> tuple[int, T]:
        """Ask several seats at once, and go on with the first answer."""
        answer: tuple[int, T] = self._kit.ask(ANY, seats, options, prompt)
        return answer
