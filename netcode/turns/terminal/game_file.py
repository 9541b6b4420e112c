"""A file with a game, as the command line is given it: run, and the class found in it."""

import difflib
import importlib.util
import re
import sys
import traceback
from abc import ABC
from importlib.abc import Loader
from pathlib import Path
from types import ModuleType

from netcode import turns
from netcode.turns.errors import BUGS, RulesError
from netcode.turns.reading import is_read_from, reading
from netcode.turns.rules import Game


class Trouble(Exception):
    """What keeps a command from running, as a sentence."""


def load_game(where: str) -> type[Game]:
    """Return the game of `FILE` or `FILE:Class`.

    Raises:
        Trouble: there is none, or several to choose from.
    """
    file, name = _parts(where)
    module = _run(file)
    known = {key: value for key, value in vars(module).items() if isinstance(value, type) and issubclass(value, Game)}
    own = {key: game for key, game in known.items() if game.__module__ == module.__name__}
    games = own or {key: game for key, game in known.items() if game is not Game and ABC not in game.__bases__}
    if name:
        if name not in games:
            raise Trouble(f"{file} has no game called {name}; it has {', '.join(games) or 'none'}")
        return games[name]
    leaves = {
        key: game for key, game in games.items() if not any(game in other.__mro__[1:] for other in games.values())
    }
    if not leaves:
        if not Path(file).read_bytes().strip():
            raise Trouble(f"{file} is empty; has it been saved?")
        raise Trouble(f"{file} has no game: no class made from Game, as in `class TicTacToe(Game): …`")
    if len(leaves) > 1:
        raise Trouble(f"{file} has the games {' and '.join(leaves)}; say which, as in {file}:{min(leaves)}")
    return next(iter(leaves.values()))


def path_of(where: str) -> Path:
    """Return the file of `FILE` or `FILE:Class`."""
    return Path(_parts(where)[0])


def _parts(where: str) -> tuple[str, str]:
    """Return the file and the name of the class, if there is one; a folder may have a colon, and on Windows a drive has."""
    file, _, name = where.rpartition(":")
    return (where, "") if not file or not name.isidentifier() or Path(where).exists() else (file, name)


def _run(file: str) -> ModuleType:
    """Run a file and return it as a module. Raises `Trouble` where that is not possible, with the line."""
    path = Path(file)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        raise Trouble(f"{file or '.'} {what}; {_instead(path)}")
    name, folder = _module_name(path), str(path.parent.resolve())
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Trouble(f"{file} is no Python file; its name has to end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # annotations are looked up there
    # What lies beside it is found first, but for the file itself where something else is called so.
    if name == path.stem:
        sys.path.insert(0, folder)
    else:
        _step_back(path.parent)
        sys.path.append(folder)
    try:
        with reading(file):
            module = _executed(module, spec.loader, path)
    except RulesError as error:
        raise Trouble(str(error)) from error
    except SyntaxError as error:
        line = f": {error.text.strip()}" if error.text else ""
        where = "" if error.lineno is None else f", line {error.lineno}"
        # A shell or an editor of Windows may write UTF-16, or one byte a letter.
        saved = "; save the file as UTF-8" if re.search("null bytes|'utf-8' codec|Non-UTF-8", error.msg) else ""
        raise Trouble(f"{error.filename or file}{where}: {error.msg}{saved}{line}") from error
    except BUGS as error:
        raise Trouble((blamed(file, error) or f"{file}: {_said(error)}") + _hint(error)) from error
    finally:
        sys.path.remove(folder)
    return module


def _executed(module: ModuleType, loader: Loader, path: Path) -> ModuleType:
    """Run a module; one that imports from around it by dots as the part of a package that its folder makes it."""
    try:
        loader.exec_module(module)
    except ImportError as error:
        if "relative import" not in str(error) or not (path.parent / "__init__.py").is_file():
            raise
        root = next(folder for folder in path.resolve().parents if not (folder / "__init__.py").is_file())
        sys.path.append(str(root))  # where other processes find it, too
        part = importlib.import_module(".".join(path.resolve().relative_to(root).with_suffix("").parts))
        if not is_read_from(part.__file__, path):
            raise
        return part
    return module


def _instead(path: Path) -> str:
    """Return what was probably meant by a file that is none: one that is called alike, or one in another folder."""
    folder = path if path.is_dir() else path.parent
    if not folder.is_dir():
        return f"there is no folder {folder}"
    files = {one.stem.lower(): one.name for one in sorted(folder.glob("*.py"))}
    named = path.name.strip("\"'“”: ").lower().removesuffix(".py")
    like = difflib.get_close_matches(named, files, n=1) or ([*files] if len(files) == 1 and folder == path else [])
    if like:
        return f"did you mean {folder / files[like[0]]}?"
    here = "" if folder.is_absolute() else f"; you are in {Path.cwd()}"
    return f"give the file with your game, such as tictactoe.py{here}"


def _module_name(path: Path) -> str:
    """Return what the file is called as a module: not `sqlite3` or `rich`, which others would then find in its place."""
    name = path.stem
    while _is_taken(name, path):
        name = f"game_{name}"
    return name


def _is_taken(name: str, path: Path) -> bool:
    """Tell whether something else than this file is imported by a name, or would be."""
    known = sys.modules.get(name)
    if known is not None:
        return not is_read_from(getattr(known, "__file__", None), path)
    here, sys.path[:] = sys.path[:], _elsewhere(path.parent)
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):  # no name of a module, such as `a.b` where there is no `a`
        return False
    finally:
        sys.path[:] = here
    return spec is not None and spec.origin is not None


def _elsewhere(folder: Path) -> list[str]:
    """Return where modules are looked for, but for this folder."""
    return [entry for entry in sys.path if Path(entry).resolve() != folder.resolve()]


def _step_back(folder: Path) -> None:
    """Have what lies in a folder be found last: `python -m` begins where one is, and there is the file."""
    others = _elsewhere(folder)
    if len(others) < len(sys.path):
        sys.path[:] = [*others, str(folder.resolve())]


def blamed(where: str, error: BaseException) -> str:
    """Return what failed in the file of a game and in which line; nothing if it failed elsewhere."""
    file = _parts(where)[0]
    steps = traceback.extract_tb(error.__traceback__)
    lines = [step.lineno for step in steps if Path(step.filename).resolve() == Path(file).resolve()]
    return f"{file}, line {lines[-1]}: {_said(error)}" if lines else ""


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _hint(error: BaseException) -> str:
    """Return what helps who looks for the kit's names where the rest of netcode is, or for a module beside the game."""
    if "relative import" in str(error):
        return "; what lies beside the file is imported without a dot: `from cards import Deck`"
    wanted = re.match(r"cannot import name '(\w+)' from 'netcode'", str(error))
    known = wanted is not None and wanted[1] in turns.__all__
    return f"; write `from netcode.turns import {wanted[1]}`" if wanted is not None and known else ""
