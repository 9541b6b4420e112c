"""What `import netcode` offers: all of it is there, and all of it is explained."""

import inspect
import re
from collections.abc import Iterator
from enum import EnumMeta

import pytest
from programs import ROOT

import netcode


def public_things() -> Iterator[tuple[str, object]]:
    """Yield what can be explained: each public class, function and module, and what the classes have."""
    for name in netcode.__all__:
        thing = getattr(netcode, name)
        if inspect.isclass(thing) or inspect.isroutine(thing) or inspect.ismodule(thing):
            yield name, thing
        if inspect.isclass(thing) and not isinstance(thing, EnumMeta):
            for inner, member in inspect.getmembers(
                thing, lambda it: inspect.isfunction(it) or isinstance(it, property)
            ):
                if not inner.startswith("_"):
                    yield f"{name}.{inner}", member


@pytest.mark.parametrize(("name", "thing"), [pytest.param(*pair, id=pair[0]) for pair in public_things()])
def test_every_public_name_is_explained(name: str, thing: object) -> None:
    explained = inspect.getdoc(thing)  # a method may inherit it from the contract that it fulfils

    assert explained, f"netcode.{name} has no docstring"
    assert not explained.startswith("Alias for field"), f"netcode.{name} has the docstring of its tuple"


def test_all_is_sorted_and_complete() -> None:
    import_lines = re.findall(r"^from netcode.* import (.*)$", inspect.getsource(netcode), re.MULTILINE)

    imported = {name.strip() for line in import_lines for name in line.split(",")}

    assert {*netcode.__all__} == imported
    assert len(netcode.__all__) == len({*netcode.__all__})


def test_the_changelog_begins_with_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    newest = re.search(r"^## (\S+?)(?:,|$)", changelog, re.MULTILINE)

    assert newest is not None
    assert newest[1] == netcode.__version__
