"""What `import netcode` offers: all of it is there, and all of it is explained."""

import inspect
import re
from collections.abc import Iterator
from enum import EnumMeta

import pytest
from programs import ROOT

import netcode
import netcode.testing

PUBLIC = {
    "netcode": (netcode, netcode.__all__),
    "netcode.sync": (netcode.sync, ("connect", "send", "receive", "close_nicely")),
    "netcode.testing": (netcode.testing, netcode.testing.__all__),
}
"""The modules that users import, and what each offers."""


def members_of(thing: object) -> Iterator[tuple[str, object]]:
    """Yield the public methods and properties of a class; nothing for everything else."""
    if inspect.isclass(thing) and not isinstance(thing, EnumMeta):
        for name, member in inspect.getmembers(thing):
            if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
                yield name, member


def public_things() -> Iterator[tuple[str, object]]:
    """Yield what can be explained: each public class, function and module, and what the classes have."""
    for path, (where, names) in PUBLIC.items():
        for name in names:
            thing = getattr(where, name)
            if inspect.isclass(thing) or inspect.isroutine(thing) or inspect.ismodule(thing):
                yield f"{path}.{name}", thing
            yield from ((f"{path}.{name}.{inner}", member) for inner, member in members_of(thing))


@pytest.mark.parametrize(("name", "thing"), [pytest.param(*pair, id=pair[0]) for pair in public_things()])
def test_every_public_name_is_explained(name: str, thing: object) -> None:
    explained = inspect.getdoc(thing)  # a method may inherit it from the contract that it fulfils

    assert explained, f"{name} has no docstring"
    assert not explained.startswith("Alias for field"), f"{name} has the docstring of its tuple"


def test_everything_that_is_imported_is_offered() -> None:
    import_lines = re.findall(r"^from netcode.* import (.*)$", inspect.getsource(netcode), re.MULTILINE)

    imported = {name.strip() for line in import_lines for name in line.split(",")}

    assert {*netcode.__all__} == imported


def test_the_changelog_begins_with_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    newest = re.search(r"^## (\S+?)(?:,|$)", changelog, re.MULTILINE)

    assert newest is not None
    assert newest[1] == netcode.__version__
