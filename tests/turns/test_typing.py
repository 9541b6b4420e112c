"""What the type checkers say of games: the examples pass strictly, and a wrong argument of a move is refused.

Skipped where the checkers are not installed: they come with the extra `check`.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = [
    *sorted(path for path in (ROOT / "examples" / "turns").glob("*.py") if path.name != "window.py"),
]
WRONG = """
from netcode.turns import Game, move


class TicTacToe(Game):
    cells: list[int | None] = [None] * 9

    @move(cell=range(9))
    def mark(self, cell: int) -> None:
        self.cells[cell] = self.mover

    def round(self) -> None:
        self.mark(4)
        answer: str = self.ask(0, ("a", "b"), "which?")
        answers: dict[int, int] = self.ask_all(self.players, range(3))
        seat, option = self.ask_any(self.players, lambda seat: [str(seat)])
        self.cells[answers[seat]] = len(answer + option)


right = TicTacToe.mark(4).arguments
"""
LINES = ('TicTacToe.mark("x")', "TicTacToe.mark()", "TicTacToe.mark(4, 5)", "TicTacToe.mark(cells=4)")
CHECKERS = {
    "mypy": ("--strict", "--no-error-summary", "--hide-error-context", "--no-incremental"),
    "pyright": ("--pythonpath", sys.executable),
}


def run(checker: str, *paths: Path, cwd: Path = ROOT) -> tuple[int, str]:
    if importlib.util.find_spec(checker) is None:
        pytest.skip(f"{checker} is not installed")
    command = [sys.executable, "-m", checker, *CHECKERS[checker], *map(str, paths)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.process
@pytest.mark.parametrize("checker", CHECKERS)
def test_the_games_pass_strictly(checker: str) -> None:
    status, said = run(checker, *EXAMPLES)

    assert status == 0, said


@pytest.mark.process
@pytest.mark.parametrize("checker", CHECKERS)
def test_a_wrong_argument_of_a_move_is_refused(checker: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(WRONG + "".join(f"{line}\n" for line in LINES), encoding="utf-8")
    (tmp_path / "pyrightconfig.json").write_text(
        f'{{"typeCheckingMode": "strict", "extraPaths": ["{ROOT.as_posix()}"]}}'
    )
    first = WRONG.count("\n") + 1

    status, said = run(checker, program, cwd=ROOT if checker == "mypy" else tmp_path)

    refused = {
        int(line.split("program.py:")[1].split(":")[0])
        for line in said.splitlines()
        if "program.py:" in line and "error" in line
    }
    assert status != 0
    assert refused == {*range(first, first + len(LINES))}, said
