"""What only looks at a game, each time that somebody does: methods that list, and `@shown` ones. They may change nothing."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from netcode.turns.errors import BUGS, Leave, RulesError
from netcode.turns.language.domains import Free, Listed
from netcode.turns.language.fields import pack_fields
from netcode.turns.language.kit import DryKit, Kit, give_kit
from netcode.turns.proving.worlds import clone
from netcode.turns.table import Table
from netcode.turns.values import plain

LISTS = "it only lists what may be chosen: let a move do that"
SHOWS = "it only looks, whenever somebody does: let a move do that"


class Onlooker(DryKit):
    """The kit of what only looks: it notes what a trial of a rule may do, and this may not."""

    __slots__ = ("did",)
    did: list[str]

    def tell(self, text: str, to: int | Iterable[int] | None, facts: Mapping[str, Any]) -> None:  # noqa: ARG002 - as in a Kit
        self.did.append("tells players something")

    def turn_to(self, seats: tuple[int, ...]) -> None:  # noqa: ARG002 - the same
        self.did.append("gives the turn")

    def leave(self, seat: int) -> None:  # noqa: ARG002 - the same
        self.did.append("takes a seat out")


def meddling(table: Table) -> Iterator[str]:
    """Yield what those methods do to a table, besides listing or showing something, as sentences.

    That they draw, ask or end the game is told wherever they are called.
    """
    definition, name = table.course.definition, table.game.__name__
    for seat in range(table.players):
        shown = [(f"{name}.{method}", rule, (seat,)) for method, rule in definition.shown.items()]
        yield from _meddling(table, seat, shown, SHOWS)
    for seat in table.to_move if table.course.suspension is None else ():
        listing: list[tuple[str, Callable[..., Any], tuple[Any, ...]]] = []
        for move in definition.moves.values():
            domains = [*move.domains.values()]
            if domains and isinstance(domains[0], Listed):  # what later ones do depends on those before
                listing.append((domains[0].where, domains[0].values, ({},)))
        yield from _meddling(table, seat, listing, LISTS)
    if table.course.suspension is not None and _checks_meddle(clone(table)):
        yield "the check of a Free draws, tells, gives the turn or ends the game; it only looks at the value"


def _checks_meddle(trial: Table) -> bool:
    """Tell whether looking at a free answer does what only the rule may do that gets it."""
    kit, waits = trial.course.kit, trial.course.suspension
    before = _marks_of(kit)
    for options in () if waits is None else waits.question.options.values():
        if isinstance(options, Free):
            try:
                options.convert(plain(options.sample(random.Random(1))), "it")  # noqa: S311 - the same each time
            except (Leave, *BUGS):  # as above
                continue
    return _marks_of(kit) != before


def _marks_of(kit: Kit) -> list[Any]:
    """Return what of a kit only a rule changes."""
    return [kit.generator is None, kit.result, kit.out, kit.called, len(kit.tells)]


def _meddling(
    table: Table, seat: int, calls: Iterable[tuple[str, Callable[..., Any], tuple[Any, ...]]], instead: str
) -> Iterator[str]:
    scratch, reload = table.course.scratch(seat)
    kit = Onlooker(table.names, table.course.kit.options, b"")
    for where, call, arguments in calls:
        reload()
        kit.follow(table.course.kit, seat)
        kit.did = []
        give_kit(scratch, kit)
        try:
            call(scratch, *arguments)
        except (Leave, *BUGS):  # which is told where it is called
            continue
        yield from (f"{where} {what}; {instead}" for what in kit.did[:1] or _written(table, scratch))


def _written(table: Table, scratch: Any) -> list[str]:
    """Return that fields are not what they were, if they are not."""
    before = table.course.packed
    try:
        after = pack_fields(scratch)
    except RulesError:
        return ["writes to a field what cannot be stored"]
    fields = [name for name in {**before, **scratch.__dict__} if before.get(name) != after.get(name)]
    return [f"writes to {', '.join(fields)}"] if fields else []
