"""How large a file, a class and a function may be: what cannot be seen at once has more than one job.

Docstrings count. What is larger is named here with its reason, and may not grow beyond what it has.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
MOST = {"file": 400, "class": 350, "function": 40}

READ = "half of it is what a game reads: arguments and verbs with their docstrings"

LARGER: dict[str, tuple[int, str]] = {
    "netcode/turns/server.py serve": (60, READ),
    "netcode/turns/server.py Server.__init__": (80, "each argument is checked or handed on once"),
}
"""Lines, rounded up, and why: what would be cut apart belongs together, or is not apart yet."""


def sizes() -> Iterator[tuple[str, str, int]]:
    """Yield the kind, the name and the lines of everything in the package; a function's signature does not count."""
    for path in sorted((ROOT / "netcode").rglob("*.py")):
        name, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        yield "file", name, len(text.splitlines())
        yield from sizes_in(ast.parse(text), f"{name} ")


def sizes_in(tree: ast.AST, prefix: str) -> Iterator[tuple[str, str, int]]:
    """Yield the same of what is defined in `tree`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield "class", f"{prefix}{node.name}", (node.end_lineno or 0) - node.lineno + 1
            yield from sizes_in(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield "function", f"{prefix}{node.name}", (node.end_lineno or 0) - node.body[0].lineno + 1
            yield from sizes_in(node, f"{prefix}{node.name}.")
        else:
            yield from sizes_in(node, prefix)


def test_nothing_is_larger_than_can_be_seen_at_once() -> None:
    too_large = {name: lines for kind, name, lines in sizes() if lines > LARGER.get(name, (MOST[kind], ""))[0]}

    assert too_large == {}


def test_what_may_be_larger_is() -> None:
    found = {name: (kind, lines) for kind, name, lines in sizes()}

    needless = [name for name in LARGER if name not in found or found[name][1] <= MOST[found[name][0]]]
    assert needless == []
