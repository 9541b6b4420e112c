"""`python -m netcode new NAME`: write a small game of one's own, which runs at once and is there to be changed."""

import argparse
import keyword
import re
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from netcode.tools.output import Output, complain

DESCRIPTION = "Write a small game into a new folder: rules, a server, a client with a window, and tests."

TAKEN = frozenset(
    ("Any", "Game", "Over", "Path", "Random", "Refused", "Seat", "Seated", "Server", "Started", "Told", "Unavailable")
)
"""What the files of a turn-based game call otherwise already."""

TEMPLATES = Path(__file__).parent / "templates"
SUFFIX = ".txt"
"""What the names of templates end with, so that nobody takes them for modules of this package."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `new`."""
    parser.description = DESCRIPTION
    parser.add_argument("name", metavar="NAME", type=_folder, help="a folder that is not there yet, called as the game")
    parser.add_argument("more", nargs="*", default=[], help=argparse.SUPPRESS)
    parser.add_argument("--turns", action="store_true", help="a turn-based game; otherwise one in real time")


def _folder(text: str) -> Path:
    path = Path(text)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,39}", path.name):
        raise argparse.ArgumentTypeError(
            f"{path.name!r} is no name for a game: a letter, then letters, digits, - and _, 40 at most; "
            "the letters are a to z"
        )
    return path


def class_name(name: str) -> str:
    """Return what the class of a game is called: `my-game` is `MyGame`."""
    found = "".join(part[:1].upper() + part[1:] for part in re.split("[-_]", name))
    if found.startswith("Test"):  # pytest would take it for tests
        return f"My{found}"
    return f"{found}Game" if keyword.iskeyword(found) or found in TAKEN else found


def write_game(folder: Path, *, turns: bool) -> list[Path]:
    """Write the files of a new game into `folder`, and return them.

    Raises:
        FileExistsError: there is something already.
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty; choose a folder that is not there yet")
    names = {"@NAME@": folder.name, "@CLASS@": class_name(folder.name)}
    written: list[Path] = []
    for template in sorted((TEMPLATES / ("turns" if turns else "real_time")).iterdir()):
        text = template.read_text(encoding="utf-8")
        for placeholder, name in names.items():
            text = text.replace(placeholder, name)
        path = folder / template.name.removesuffix(SUFFIX)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def run(arguments: argparse.Namespace) -> int:
    """Write it, and say how to start it."""
    folder: Path = arguments.name
    if arguments.more:
        joined = "-".join([str(folder), *arguments.more])
        return complain("new", ValueError(f"the name of a game is one word: python -m netcode new {joined}"), status=2)
    try:
        written = write_game(folder, turns=arguments.turns)
    except OSError as error:
        return complain("new", error)
    say = Output().line
    say(f"{folder} has {', '.join(path.name for path in written)}")
    if find_spec("pygame") is None:
        say(f'the windows need pygame: {_python()} -m pip install "netcode[pygame]"')
    say("start the server, and then a client or two, each in a terminal of its own:")
    say(f"    cd {folder}")
    say(f"    {_python()} server.py")
    say(f"    {_python()} client.py localhost 7777 Ann")
    return 0


def _python() -> str:
    """Return what to type for the Python that runs this: another one may have no netcode."""
    found = shutil.which("python")
    if found is not None and Path(found).absolute().parent == Path(sys.executable).parent:
        return "python"
    return f'"{sys.executable}"' if " " in sys.executable else sys.executable
