"""What `check` finds, one problem for each cause: what may merely follow from another one is counted with that."""

import re
from dataclasses import dataclass, field


@dataclass(slots=True)
class Findings:
    """Gathers what is found, game by game."""

    problems: dict[str, str] = field(default_factory=dict[str, str])
    """By what they are, each with where it was seen first."""
    follows: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """By problem, what was found besides in games in which it had come up."""
    where: str = ""
    """Where a finding is seen, in words; for whoever plays the games to write."""
    _known: dict[str, str] = field(default_factory=dict[str, str])
    """By the kind of a finding, the problem that it is or follows from."""
    _cause: str | None = None
    _suspect: str | None = None
    _symptoms: dict[str, tuple[str, str, str]] = field(default_factory=dict[str, tuple[str, str, str]])
    _beside: set[str] = field(default_factory=set[str])

    @property
    def is_broken(self) -> bool:
        """Tell whether something was found in this game of which everything else in it may follow."""
        return self._cause is not None

    def begin(self) -> None:
        """Begin with a game in which nothing is wrong yet."""
        self._cause, self._symptoms = None, {}

    def add(self, what: str, *, breaks: bool = False) -> None:
        """Note a problem of its own.

        Args:
            what: in a sentence; numbers in it may differ from game to game.
            breaks: whether the rest of such a game may be wrong for no other reason.
        """
        self._add(what, self.where, breaks=breaks)

    def _add(self, what: str, where: str, *, breaks: bool, there: str = "") -> None:
        kinds = _kinds_of(what)
        problem = next((self._known[kind] for kind in kinds if kind in self._known), None)
        if problem is None:
            problem = f"{what}{there}"
            self.problems[problem] = where
        elif kinds[0] not in self._known:
            self.follows.setdefault(problem, []).append(what)
        for kind in kinds:
            self._known.setdefault(kind, problem)
        if breaks and self._cause is None:
            self._cause = problem

    def suspect(self, what: str) -> None:
        """Note a problem of which symptoms may follow in every game."""
        self.add(what)
        self._suspect = self._suspect or what

    def symptom(self, what: str, there: str = "", *, beside: bool = False) -> None:
        """Note what may follow from something else that is wrong in this game, also if that is seen only later.

        Args:
            what: in a sentence.
            there: more of it, as it was this time, for its end: elsewhere it may be otherwise, and is the same problem.
            beside: whether it may come of what the rules keep beside the fields.
        """
        kind, *_ = _kinds_of(what)
        self._symptoms.setdefault(kind, (what, self.where, there))
        if beside:
            self._beside.add(kind)

    @property
    def is_puzzling(self) -> bool:
        """Tell whether the first symptom of this game may come of what is kept beside the fields, and nothing else explains it."""
        first = next(iter(self._symptoms), None)
        return self._cause is None and self._suspect is None and first in self._beside - self._known.keys()

    def explain(self, there: str) -> None:
        """Say more of what may come of what is kept beside the fields."""
        for kind in self._beside & self._symptoms.keys():
            what, where, before = self._symptoms[kind]
            self._symptoms[kind] = what, where, f"{before}{before and there and '.'}{there}"

    def settle(self) -> None:
        """End a game: its symptoms follow from what broke it, or may break each; if nothing did, from the first of them."""
        for kind, (what, where, there) in self._symptoms.items():
            cause = self._cause or self._suspect
            if cause is None:
                self._add(what, where, breaks=True, there=there)
            elif kind not in self._known:
                self._known[kind] = cause
                self.follows.setdefault(cause, []).append(what)
        self._symptoms = {}

    def lines(self) -> list[str]:
        """Return what was found as lines for a person."""
        lines: list[str] = []
        for what, where in self.problems.items():
            lines += [f"  PROBLEM {what}", f"    first seen {where}"]
            more = len(self.follows.get(what, ()))
            if more:
                lines.append(
                    f"    {more} more finding{'s' if more > 1 else ''} may follow from it; mend it, and check again"
                )
        return lines

    def count(self) -> str:
        """Return how much was found, in words."""
        count = len(self.problems)
        return "no problems" if count == 0 else "1 problem" if count == 1 else f"{count} problems"


def _kinds_of(what: str) -> list[str]:
    """Return what makes two findings one: the same but for numbers; the same failure elsewhere; such a failure here."""
    kind = re.sub(r"(?<!\w)\d[\d,.]*", "#", what)
    where, fails, error = kind.partition(" fails: ")
    return [kind, f"fails: {error}", f"{where} fails: {error.partition(':')[0]}"] if fails else [kind]
