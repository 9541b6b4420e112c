"""That the source of a class is what Python itself finds, wherever in a file the class is written."""

import ast
import functools
import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

import pytest

from netcode.turns.language.class_sources import lines_of_classes, source_in_file, source_of

WRITTEN = '''\
"""class Plain: in a text."""
def keep(cls):
    return cls

class Plain:
    text = """
class Plain:
"""
    class Inner:
        a = 1
        # the end of it

if True:
    class Either: a = 1
else:
    class Or: pass

@keep
@keep
class Decorated:
    pass

try:
    raise ValueError
except ValueError:
    class Handled: pass
else:
    class Never: pass
finally:
    class Last: pass

match 1:
    case 1:
        class Matched: pass

def make():
    with open(__file__):
        for _ in range(1):
            class Local:
                class Inner: pass
    return Local, Local.Inner

async def later():
    class Later: pass

class Either: b = 2
'''
NAMES = "Plain Plain.Inner Decorated Handled Last Matched"


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "some_classes.py").write_text(WRITTEN)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return importlib.import_module("some_classes")


def test_a_class_is_found_as_python_finds_it(written: Any) -> None:
    classes = [functools.reduce(getattr, name.split("."), written) for name in NAMES.split()] + [*written.make()]

    assert [*map(source_in_file, classes)] == [*map(inspect.getsource, classes)]
    assert [*map(source_of, classes)] == [*map(inspect.getsource, classes)]


def test_of_several_the_first_is_taken_and_each_is_known_by_where_it_is() -> None:
    lines = WRITTEN.splitlines(keepends=True)

    found = {name: lines[begin].strip() for name, begin in lines_of_classes(lines).items()}

    local = ["Either", "Or", "Never", "make.<locals>.Local", "make.<locals>.Local.Inner", "later.<locals>.Later"]
    assert set(found) == {*NAMES.split(), *local}
    assert (found["Either"], found["Decorated"]) == ("class Either: a = 1", "@keep")


def test_what_is_not_there_has_no_source(written: Any) -> None:
    class_of_none: Any = type("Nowhere", (), {"__module__": "some_classes"})

    assert [source_in_file(class_of_none), source_of(class_of_none), source_of(int)] == ["", "", ""]


def test_a_file_is_read_once_for_all_its_classes_and_again_when_it_has_changed(
    written: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    parse = ast.parse

    def noting(text: str) -> ast.Module:
        read.append(text)
        return parse(text)

    monkeypatch.setattr(ast, "parse", noting)
    for cls in (written.Plain, written.Decorated, written.Plain):
        source_in_file(cls)
    (tmp_path / "some_classes.py").write_text(f"# one line more\n{WRITTEN}")

    assert source_in_file(written.Last) == "    class Last: pass\n"
    assert read == [WRITTEN, f"# one line more\n{WRITTEN}"]
