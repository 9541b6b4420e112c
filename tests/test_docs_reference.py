"""The reference has every public name: whoever can import it can look it up."""

import ast
import re

import pytest
from programs import ROOT

REFERENCE = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "reference").glob("*.md"))

MODULES = ("__init__", "turns/__init__", "testing/__init__", "pygame/__init__", "metrics", "agones")


def names_of(module: str) -> list[str]:
    """Return what a module offers, without importing it: some need an extra."""
    tree = ast.parse((ROOT / "netcode" / f"{module}.py").read_text(encoding="utf-8"))
    [offered] = [
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    names: list[str] = ast.literal_eval(offered)
    return names


@pytest.mark.parametrize("module", MODULES)
def test_each_public_name_is_in_the_reference(module: str) -> None:
    path = ".".join(["netcode", *module.removesuffix("__init__").split("/")]).rstrip(".")
    is_whole = re.search(rf"automodule:: {re.escape(path)}$", REFERENCE, re.MULTILINE) is not None

    missing = [
        name
        for name in names_of(module)
        if not is_whole and not re.search(rf"\b{re.escape(path)}\.{name}\b", REFERENCE)
    ]

    assert missing == []
