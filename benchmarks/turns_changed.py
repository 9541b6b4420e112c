"""Change the rules under running games while their server is dead, and see that every game goes on, or says why not.

`python -m benchmarks.turns_changed --tables 60`: for each change, so many games are begun over real sockets, the server
is killed in the middle of them, the file with the rules is edited, and the server is started and killed again. No play
that was told to be in may be lost or made twice, no seat be lost, and every game has to be over in the end, or, where
the change is none that an old state fits, be frozen with that reason.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.turns_kill import GAMES, Outcome, run

UPGRADE = """
    @classmethod
    def upgrade(cls, old):
        return {**old, "suit": SUITS.index(old["suit"])}
"""
PLAYED = 'self.ask(self.mover, SUITS, "which suit?") if card[0] == "8" and hand else card[1]'
ASKS_LESS = PLAYED.replace("SUITS", '"HS"')


@dataclass(frozen=True, slots=True)
class Change:
    """A small change of rules: what stands for what in a file, and what the tables may say that it freezes."""

    title: str
    game: str
    edits: tuple[tuple[str, str], ...]
    frozen: str = ""
    takes_back: bool = False
    """Whether moves under way ask something else then."""


CHANGES = {
    "field": Change(
        "a field more, with a default",
        "crazy_eights",
        (
            ("    suit: str\n", "    suit: str\n    drawn: int = 0\n"),
            ("    def draw(self) -> None:\n", "    def draw(self) -> None:\n        self.drawn += 1\n"),
        ),
    ),
    "prompt": Change(
        "other words for a question that is asked at present",
        "coup",
        (('"which influence do you lose?"', '"which card do you turn up?"'), ("claims {", "says to have {")),
        takes_back=True,
    ),
    "options": Change(
        "an option more for a question that is asked at present",
        "coup",
        (
            ('("let it pass", "challenge")', '("let it pass", "challenge", "hesitate")'),
            ('if answer == "let it pass":', 'if answer != "challenge":'),
        ),
        takes_back=True,
    ),
    "legality": Change(
        "other moves are legal, and a question has fewer options",
        "crazy_eights",
        (
            (PLAYED, ASKS_LESS),
            ('in ("8", self.pile[-1][0])', 'in ("8", "J", self.pile[-1][0])'),
        ),
        takes_back=True,
    ),
    "renamed": Change(
        "a move has another name",
        "coup",
        (("    def act(self, ", "    def do(self, "),),
        takes_back=True,
    ),
    "unasked": Change(
        "a question is asked no more",
        "uno",
        (
            (
                'if self.ask(self.mover, ("keep", "play") if card in self.fits() else ("keep",), f"you drew {card}") == "play":',
                "if card in self.fits():",
            ),
        ),
        takes_back=True,
    ),
    "upgrade": Change(
        "a field is of another type, and upgrade() says how",
        "crazy_eights",
        (
            ("    suit: str\n", "    suit: int\n" + UPGRADE),
            ("self.suit = self.pile[0][1]", "self.suit = SUITS.index(self.pile[0][1])"),
            ("or card[1] == self.suit]", "or SUITS.index(card[1]) == self.suit]"),
            (f"self.suit = {PLAYED}", f"self.suit = SUITS.index({PLAYED})"),
        ),
    ),
    "unfit": Change(
        "a field is of another type, and nothing says how",
        "crazy_eights",
        (("    suit: str\n", "    suit: int\n"),),
        frozen="the rules have changed: suit must be int, not a str; write upgrade(cls, old)",
    ),
}


def edited(text: str, change: Change) -> str:
    """Return the source of rules after a change."""
    for old, new in change.edits:
        if old not in text:
            raise ValueError(f"{change.game} has no {old!r}, which {change.title!r} is about")
        text = text.replace(old, new)
    return text


def try_change(change: Change, *, tables: int, kills: int, seed: int, folder: Path) -> tuple[Outcome, list[str]]:
    """Change rules at the first of several kills; return how the games went, and what was wrong with that."""
    source = (GAMES / f"{change.game}.py").read_text(encoding="utf-8")
    file = folder / f"{change.game}.py"
    file.write_text(source, encoding="utf-8")

    def between(number: int) -> None:
        if number == 1:
            file.write_text(edited(source, change), encoding="utf-8")

    outcome = run(
        file,
        tables=tables,
        kills=kills,
        seed=seed,
        folder=folder,
        first_after=4 * tables,
        first_asked=change.takes_back,
        between=between,
    )
    return outcome, wrong_with(change, outcome, (folder / "server.log").read_text(encoding="utf-8"))


def wrong_with(change: Change, outcome: Outcome, log: str) -> list[str]:
    """Return what should have gone otherwise, as sentences."""
    wrong = [*outcome.wrong]
    frozen = Counter(outcome.frozen)
    expected = frozen.pop(change.frozen, 0) if change.frozen else 0
    wrong += [f"{count} tables are frozen: {reason}" for reason, count in frozen.items()]
    if outcome.over + expected != outcome.tables:
        wrong.append(f"{outcome.over} of {outcome.tables} games are over, and {expected} frozen as they should be")
    if change.frozen and not expected:
        wrong.append(f"no table is frozen: {change.frozen}")
    if change.takes_back and not outcome.taken_back:
        wrong.append("nothing was asked when the rules changed, so nothing was proved")
    if "Traceback" in log:
        wrong.append(f"the log has a traceback: {log[log.index('Traceback') :][:2000]}")
    return wrong


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turns_changed", description=__doc__)
    parser.add_argument("changes", nargs="*", choices=[[], *CHANGES], help=f"all of {', '.join(CHANGES)} without any")
    parser.add_argument("--tables", type=int, default=60, help="under each change (%(default)s)")
    parser.add_argument("--kills", type=int, default=5, help="the rules change at the first (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    failed = 0
    for name in chosen.changes or CHANGES:
        change, begun = CHANGES[name], time.monotonic()
        print(f"{name}: {change.title} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            outcome, wrong = try_change(
                change, tables=chosen.tables, kills=chosen.kills, seed=chosen.seed, folder=Path(folder)
            )
        print(
            f"{name} ({change.game}): {outcome.over} of {outcome.tables} games over, {sum(outcome.frozen.values())} frozen, "
            f"{outcome.taken_back} told of a move taken back, {outcome.plays} plays, {outcome.kills} kills, "
            f"{time.monotonic() - begun:.0f} s",
            flush=True,
        )
        for reason, count in outcome.frozen.items():
            print(f"  frozen: {count}: {reason}")
        for text in wrong[:10]:
            print(f"  WRONG: {text}", flush=True)
        failed += bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
