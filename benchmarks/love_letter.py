"""How often Love Letter can be won of who plays at random: `python -m benchmarks.love_letter`, a minute.

One round for two, as in `examples/turns/love_letter.py`, won alone (a tie is no win), begun by either in turn. Three
figures, from one exact computation over everything that can lie where:

- what a player wins who is shown the other's hand all along, and plays best;
- an upper bound for fair play: who does not see the hand for so many turns (`--depth`), does its sums without a
  mistake, and is shown it from then on. Nobody who plays fairly wins more;
- a lower bound: games of a player that keeps the exact odds of what the other holds, given everything that was played,
  and does what would be best if the hand were shown after this turn.

So the ceiling lies between the last two. That the rules here are those of the example is checked by games of two
random players, computed and played.
"""

import argparse
import functools
import math
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.turns import example
from netcode.turns.simulate import simulate

GUARD, PRIEST, BARON, HANDMAID, PRINCE, KING, COUNTESS, PRINCESS = range(8)
DECK = (5, 2, 2, 2, 2, 1, 1, 1)
"""How many there are of each."""

Cards = tuple[int, ...]
"""How many of each are where nobody has seen them: in the stock and aside."""
Odds = dict[int, float]
"""How likely the other holds each card, times how likely it came to this."""


@dataclass(frozen=True, slots=True)
class Act:
    """A card, and on whom it is played: True for oneself, False for the other, None for nobody; and a guess."""

    card: int
    on: bool | None = None
    guess: int = 0


@functools.cache
def acts(one: int, other: int, safe: bool) -> tuple[Act, ...]:
    """Return what may be done with two cards, while the other seat is safe or not."""
    cards = sorted({one, other})
    if COUNTESS in cards and (KING in cards or PRINCE in cards):
        cards = [COUNTESS]
    found: list[Act] = []
    for card in cards:
        if card == GUARD and not safe:
            found += [Act(card, False, guess) for guess in range(1, 8)]
        elif card in (PRIEST, BARON, KING) and not safe:
            found.append(Act(card, False))
        elif card == PRINCE:
            found += [Act(card, True)] if safe else [Act(card, True), Act(card, False)]
        else:
            found.append(Act(card))
    return tuple(found)


def without(cards: Cards, card: int) -> Cards:
    """Return the cards with one less."""
    return (*cards[:card], cards[card] - 1, *cards[card + 1 :])


def with_(cards: Cards, card: int) -> Cards:
    """Return the cards with one more."""
    return (*cards[:card], cards[card] + 1, *cards[card + 1 :])


def draws(cards: Cards) -> Iterator[tuple[int, float, Cards]]:
    """Yield each card that may be drawn, its probability, and what is left."""
    count = sum(cards)
    for card, many in enumerate(cards):
        if many:
            yield card, many / count, without(cards, card)


def outcomes(act: Act, mine: int, theirs: int, cards: Cards) -> Iterator[tuple[float, float | None, int, int, Cards]]:
    """Yield what an act leads to: its probability, 1 or 0 where it ends the round for who acts, both hands, the rest."""
    end: float | None = None
    if act.card == PRINCESS:
        end = 0.0
    elif act.on is False:
        if act.card == GUARD and theirs == act.guess:
            end = 1.0
        elif act.card == BARON and mine != theirs:
            end = 1.0 if mine > theirs else 0.0
        elif act.card == KING:
            mine, theirs = theirs, mine
    if act.card != PRINCE:
        yield 1.0, end, mine, theirs, cards
        return
    if (mine if act.on else theirs) == PRINCESS:
        yield 1.0, 0.0 if act.on else 1.0, mine, theirs, cards
        return
    for card, chance, left in draws(cards):
        yield chance, None, card if act.on else mine, theirs if act.on else card, left


class Solver:
    """Whoever it plays for does what is best (or anything, if `careless`) against one who does anything."""

    def __init__(self, careless: bool = False) -> None:
        self.careless = careless
        self._mine: dict[tuple[int, int, int, Cards, bool], float] = {}
        self._theirs: dict[tuple[int, int, Cards, bool], float] = {}

    def compared(self, mine: int, theirs: int, cards: Cards) -> float | None:
        """Return the end where the stock is used up; a tie is no win."""
        return float(mine > theirs) if sum(cards) <= 1 else None

    def act(self, act: Act, one: int, other: int, theirs: int, cards: Cards) -> float:
        """Return what an act is worth to us, while the other's hand is known."""
        total = 0.0
        for chance, end, mine, held, left in outcomes(act, other if act.card == one else one, theirs, cards):
            worth = self.compared(mine, held, left) if end is None else end
            if worth is None:
                worth = self.they(mine, held, left, act.card == HANDMAID)
            total += chance * worth
        return total

    def we(self, one: int, other: int, theirs: int, cards: Cards, safe: bool) -> float:
        """Return what it is worth to be to act with two cards; `safe` is the other seat."""
        key = (min(one, other), max(one, other), theirs, cards, safe)
        if key not in self._mine:
            values = [self.act(act, one, other, theirs, cards) for act in acts(one, other, safe)]
            self._mine[key] = sum(values) / len(values) if self.careless else max(values)
        return self._mine[key]

    def we_draw(self, mine: int, theirs: int, cards: Cards, safe: bool) -> float:
        """Return what it is worth to be about to draw."""
        return sum(chance * self.we(mine, card, theirs, left, safe) for card, chance, left in draws(cards))

    def they(self, mine: int, theirs: int, cards: Cards, safe: bool) -> float:
        """Return what it is worth to us that they draw and do anything; `safe` are we."""
        key = (mine, theirs, cards, safe)
        if key not in self._theirs:
            total = 0.0
            for card, drawn, rest in draws(cards):
                choices = acts(theirs, card, safe)
                for act in choices:
                    for chance, end, held, ours, left in outcomes(
                        act, card if act.card == theirs else theirs, mine, rest
                    ):
                        worth = self.compared(ours, held, left) if end is None else 1.0 - end
                        if worth is None:
                            worth = self.we_draw(ours, held, left, act.card == HANDMAID)
                        total += drawn / len(choices) * chance * worth
            self._theirs[key] = total
        return self._theirs[key]


@dataclass(slots=True)
class Known:
    """What we know: our hand, the cards that we have not seen, theirs among them, the odds, whether they are safe."""

    hand: tuple[int, ...]
    unseen: Cards
    odds: Odds
    safe: bool = False


def drawn(known: Known, card: int) -> Known | None:
    """Return what we know once we drew a card; None if we cannot draw it."""
    odds = dict[int, float]()
    for held, chance in known.odds.items():
        left = known.unseen[card] - (held == card)
        if left > 0:
            odds[held] = chance * left / (sum(known.unseen) - 1)
    return Known((*known.hand, card), without(known.unseen, card), odds, known.safe) if odds else None


def after_us(known: Known, act: Act) -> tuple[float, dict[tuple[object, ...], Known]]:
    """Return how much of our act is a win at once, and what we know after it by what we see of it."""
    one, other = known.hand
    seen: dict[tuple[object, ...], Known] = {}
    won = 0.0
    for held, odds in known.odds.items():
        for chance, end, mine, theirs, left in outcomes(
            act, other if act.card == one else one, held, without(known.unseen, held)
        ):
            if end is not None:
                won += odds * chance * end
                continue
            # Priest, baron (a tie), king and prince show what was held; a prince on ourselves what we drew.
            shown = held if act.on is False and act.card != GUARD else None
            at = seen.setdefault((shown, mine), Known((mine,), with_(left, theirs), {}))
            at.odds[theirs] = at.odds.get(theirs, 0.0) + odds * chance
    return won, seen


def after_them(known: Known, safe: bool) -> tuple[float, dict[tuple[object, ...], Known]]:
    """Return how much of their turn is a win for us at once, and what we know after it by what we see of it."""
    (mine,) = known.hand
    seen: dict[tuple[object, ...], Known] = {}
    won = 0.0
    for held, odds in known.odds.items():
        for card, chance, rest in draws(without(known.unseen, held)):
            choices = acts(held, card, safe)
            for act in choices:
                kept = card if act.card == held else held
                for more, end, theirs, ours, left in outcomes(act, kept, mine, rest):
                    part = odds * chance / len(choices) * more
                    if end is not None:
                        won += part * (1.0 - end)
                        continue
                    shown = kept if act.card == PRINCE and act.on else None
                    key = (act.card, act.on, shown, ours)
                    at = seen.setdefault(key, Known((ours,), with_(left, theirs), {}, act.card == HANDMAID))
                    at.odds[theirs] = at.odds.get(theirs, 0.0) + part
    return won, seen


class Fair:
    """Plays without seeing the other's hand for so many turns, and then with it."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver

    def act(self, known: Known, act: Act, depth: int) -> float:
        """Return what an act is worth if the hand is shown after `depth` more turns."""
        if depth == 0:
            return sum(
                odds * self._solver.act(act, known.hand[0], known.hand[1], held, without(known.unseen, held))
                for held, odds in known.odds.items()
            )
        won, ways = after_us(known, act)
        return won + sum(self.they(way, act.card == HANDMAID, depth - 1) for way in ways.values())

    def we(self, known: Known, depth: int) -> float:
        """Return what it is worth to be to act."""
        return max(self.act(known, act, depth) for act in acts(known.hand[0], known.hand[1], known.safe))

    def they(self, known: Known, safe: bool, depth: int) -> float:
        """Return what their turn is worth to us."""
        if sum(known.unseen) <= 2:
            return _compared(known)
        won, ways = after_them(known, safe)
        return won + sum(self.we_draw(way, depth) for way in ways.values())

    def we_draw(self, known: Known, depth: int) -> float:
        """Return what it is worth to be about to draw."""
        if sum(known.unseen) <= 2:
            return _compared(known)
        ways = [drawn(known, card) for card in range(8) if known.unseen[card]]
        return sum(self.we(way, depth) for way in ways if way is not None)

    def choose(self, known: Known) -> Act:
        """Return what would be best if the hand were shown after this turn."""
        return max(acts(known.hand[0], known.hand[1], known.safe), key=lambda act: self.act(known, act, 0))


def _compared(known: Known) -> float:
    """Return how much of it is a win if the hands are compared now."""
    return sum(odds for held, odds in known.odds.items() if known.hand[0] > held)


def beginnings() -> Iterator[tuple[float, Known]]:
    """Yield each first hand, its probability, and what we know then."""
    for mine, chance, unseen in draws(DECK):
        yield chance, Known((mine,), unseen, {held: many / 15 for held, many in enumerate(unseen) if many})


def shown(solver: Solver, first: bool) -> float:
    """Return what is won by who sees the other's hand all along."""
    total = 0.0
    for mine, one, rest in draws(DECK):
        for theirs, other, cards in draws(rest):
            worth = (
                solver.we_draw(mine, theirs, cards, safe=False)
                if first
                else solver.they(mine, theirs, cards, safe=False)
            )
            total += one * other * worth
    return total


def at_most(fair: Fair, first: bool, depth: int) -> float:
    """Return what nobody who plays fairly wins more than."""
    return sum(
        chance * (fair.we_draw(known, depth) if first else fair.they(known, safe=False, depth=depth))
        for chance, known in beginnings()
    )


def plays(fair: Fair, first: bool, dice: random.Random) -> bool:
    """Play a round with the exact odds, and return whether it is won alone."""
    pile = [card for card, many in enumerate(DECK) for _ in range(many)]
    dice.shuffle(pile)
    mine, theirs = pile.pop(), pile.pop()
    known = next(known for _, known in beginnings() if known.hand == (mine,))
    ours, safe = first, False
    while len(pile) > 1:
        card = pile.pop()
        actor, other = (mine, theirs) if ours else (theirs, mine)
        if ours:
            told = drawn(known, card)
            assert told is not None
            act = fair.choose(told)
        else:
            told, act = known, dice.choice(acts(theirs, card, safe))
        kept = card if act.card == actor else actor
        cards = tuple(pile.count(number) for number in range(8))
        found = [*outcomes(act, kept, other, cards)]
        _, end, actor_after, other_after, left = dice.choices(found, [one[0] for one in found])[0]
        if end is not None:
            return (end == 1.0) == ours
        if sum(left) < len(pile):
            gone = next(number for number in range(8) if left[number] < cards[number])
            pile.remove(gone)
        if ours:
            known = after_us(told, act)[1][other if act.on is False and act.card != GUARD else None, actor_after]
            mine, theirs, safe = actor_after, other_after, act.card == HANDMAID
        else:
            lost = kept if act.card == PRINCE and act.on else None
            known = after_them(told, safe)[1][act.card, act.on, lost, other_after]
            mine, theirs = other_after, actor_after
        total = sum(known.odds.values())
        known.odds = {held: chance / total for held, chance in known.odds.items()}
        ours = not ours
    return mine > theirs


def both(worth: Callable[[bool], float]) -> float:
    """Return what is won if each begins as often as the other."""
    return (worth(True) + worth(False)) / 2


def at_random(games: int) -> float:
    """Return how many of so many games of the example the first of two random players wins alone."""
    game = example("love_letter")
    results = [simulate(game, seed).result for seed in range(games)]
    return sum(result is not None and result.winners == (0,) for result in results) / games


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.love_letter", description=__doc__)
    parser.add_argument(
        "--depth",
        type=int,
        default=1,
        help="turns without seeing the hand (%(default)s); one more takes a hundred times as long",
    )
    parser.add_argument("--games", type=int, default=4000, help="games of each kind that are played (%(default)s)")
    options = parser.parse_args()
    careless, solver = Solver(careless=True), Solver()
    fair, dice = Fair(solver), random.Random(1)

    def say(text: str, figure: float, games: int = 0) -> None:
        error = f" ± {math.sqrt(figure * (1 - figure) / games):.1%} ({games} games)" if games else ""
        print(f"{text:64} {figure:6.1%}{error}", flush=True)

    say("the first of two random players, computed", shown(careless, first=True))
    say("the first of two random players of the example, played", at_random(options.games), options.games)
    say("against random, shown the other's hand", both(lambda first: shown(solver, first)))
    won = sum(plays(fair, number % 2 == 0, dice) for number in range(options.games))
    say("against random, fair, with exact odds: the ceiling is not below", won / options.games, options.games)
    for depth in range(options.depth + 1):
        bound = both(functools.partial(at_most, fair, depth=depth))
        say(f"against random, fair for {depth + 1} turns: the ceiling is not above", bound)
    return 0


if __name__ == "__main__":
    sys.exit(main())
