"""The map of floors: a module imports from lower floors only.

The list below is the map. A new module gets its place here; a package named here stands for everything in it
that is not named by itself. An import for type checkers alone (`if TYPE_CHECKING`) leads down like any other:
what is handed up from below is described there, by a Protocol.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

FLOORS: tuple[tuple[str, ...], ...] = (
    ("address", "loop", "diagnostics", "faults", "http_request"),
    ("reasons", "waiting", "console"),
    ("errors", "tools.command_line", "tools.descriptors"),
    ("wire",),
    ("limits", "lan", "site", "certificate"),
    ("transport", "admission"),
    ("web", "stream"),
    ("connection", "ticks", "discovery", "session", "snapshots"),
    ("connection_set", "sync", "peer", "opening"),
    ("events",),
    ("observing",),
    ("client", "server"),
    ("turns.errors", "turns.stats"),
    ("turns.reading",),
    ("turns.language.marks",),
    ("turns.values",),
    ("turns.language",),
    ("turns.rules", "turns.runtime"),
    ("turns.table", "turns.store"),
    ("turns.simulate", "turns.protocol", "turns.events"),
    ("turns.proving", "turns.bots", "turns.player", "turns.serving", "turns.numbers"),
    ("turns.check", "turns.invitation", "turns.seat", "turns.replay", "turns.server"),
    ("turns.client",),
    ("turns",),
    ("metrics", "agones"),
    ("turns.terminal",),
    ("turns.pettingzoo", "turns.__main__"),
    ("tools", "pygame"),
    ("__main__",),
)
BESIDE = ("testing",)
"""For the tests of users' games: imports from every floor, and no floor imports it."""

LATE = frozenset(
    {
        "pygame",
        "asyncio",
        "threading",
        "ssl",
        "logging",
        "pettingzoo",
        "gymnasium",
        "numpy",
        "zeroconf",
        "ifaddr",
        "prometheus_client",
        "psycopg",
    }
)
"""Never imported with the package: a game that does without them shall not pay for them."""

PUBLIC_MODULES = (
    "netcode.sync",
    "netcode.testing",
    "netcode.turns",
    "netcode.turns.pettingzoo",
    "netcode.pygame",
    "netcode.metrics",
    "netcode.agones",
)
"""What a game imports besides the names of the package itself."""

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "netcode"
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path != PACKAGE / "__init__.py"
}


def entry_of(module: str) -> str | None:
    """Return the entry of the map that `module` belongs to: itself, or the nearest package around it."""
    entries = {name for floor in FLOORS for name in floor} | {*BESIDE}
    while module and module not in entries:
        module = module.rpartition(".")[0]
    return module or None


def floor_of(entry: str) -> int:
    return next((number for number, floor in enumerate(FLOORS) if entry in floor), len(FLOORS))


def names_in(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the full dotted name of everything that one statement imports."""
    if isinstance(node, ast.Import):
        yield from ((node.lineno, alias.name) for alias in node.names)
    else:
        around = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*around, *([node.module] if node.module else [])])
        yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


@cache
def tree_of(path: Path) -> ast.Module:
    """Return what a module says; it is asked for again and again."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imported_names(tree: ast.AST, package: str = "", *, late: bool = True) -> Iterator[tuple[int, str]]:
    """Yield the line and the full dotted name of everything that `tree` imports.

    Args:
        package: where its relative imports start from.
        late: whether to count what only a call imports, or a type checker.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from names_in(node, package)
        elif not late and isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from imported_names(ast.Module(node.orelse, []), package, late=late)
        elif late or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imported_names(node, package, late=late)


def module_in(name: str) -> str | None:
    """Return the module of the package, without `netcode.`, that the import of `name` leads to; None for others."""
    inner = name.removeprefix("netcode.") if name != "netcode" else ""
    if inner == name:
        return None
    if inner == "_speed":
        return "wire.speed"  # in C, and no room of its own
    while inner and inner not in MODULES:
        inner = inner.rpartition(".")[0]
    return inner


@cache
def names_imported(path: Path, package: str) -> list[tuple[int, str]]:
    """Return the line and the full dotted name of everything that a module imports."""
    return [*imported_names(tree_of(path), package)]


def imported_modules(path: Path, package: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the name, without `netcode.`, of each module of the package that is imported."""
    for line, name in names_imported(path, package):
        inner = module_in(name)
        if inner is not None:
            yield line, inner


def public_names() -> set[str]:
    """Return what a game may import: the modules meant for it, and the names that the package exports."""
    init = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    exports = next(line for line in ast.parse(init).body if ast.unparse(line).startswith("__all__ = "))
    assert isinstance(exports, ast.Assign)
    return {f"netcode.{name}" for name in ast.literal_eval(exports.value)} | {"netcode", *PUBLIC_MODULES}


def package_of(module: str) -> str:
    """Return the package that a relative import in `module` starts from."""
    inside = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    return f"netcode.{inside}".rstrip(".")


def test_every_module_has_its_floor() -> None:
    assert [module for module in MODULES if entry_of(module) is None] == []


def test_every_floor_is_lived_on() -> None:
    assert [entry for floor in (*FLOORS, BESIDE) for entry in floor if entry not in MODULES] == []


@pytest.mark.parametrize("module", MODULES)
def test_imports_lead_to_lower_floors(module: str) -> None:
    entry = entry_of(module)
    assert entry is not None
    floor = floor_of(entry)

    wrong = [
        f"{MODULES[module].relative_to(ROOT)}:{line} imports netcode.{name or '__init__'}"
        for line, name in imported_modules(MODULES[module], package_of(module))
        if (other := entry_of(name)) != entry
        and (other is None or floor_of(other) >= floor)
        and not (name == "" and entry == "__main__")  # a program stands on the whole package
    ]

    assert wrong == []


def test_no_circle_of_imports() -> None:
    """Not even for type checkers, and not within a package that the map names as a whole."""
    order = TopologicalSorter[str]()
    for module, path in MODULES.items():
        order.add(module, *(inner for _, inner in imported_modules(path, package_of(module)) if inner != module))

    try:
        order.prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_what_type_checkers_import_is_seen() -> None:
    tree = ast.parse("if TYPE_CHECKING:\n    from netcode.server import Server\nelse:\n    import netcode.peer")

    assert [name for _, name in imported_names(tree)] == ["netcode.server.Server", "netcode.peer"]
    assert [name for _, name in imported_names(tree, late=False)] == ["netcode.peer"]


def test_a_table_knows_no_network_and_no_disk() -> None:
    todo, seen = ["turns.check", "turns.bots"], {"turns.check", "turns.bots"}
    while todo:
        module = todo.pop()
        for _, inner in imported_modules(MODULES[module], package_of(module)):
            if inner not in seen and inner != "turns":
                seen.add(inner)
                todo.append(inner)

    assert {module for module in seen if not module.startswith("turns.")} == {
        "errors",
        "diagnostics.log",
        "diagnostics.mistakes",
        "diagnostics.vocabulary",
        "reasons",
        "address",
    }


def test_heavy_modules_are_imported_late() -> None:
    """What needs one of them may import it at once, if it is itself imported only where it is used."""
    todo, seen, early = ["", "sync", "testing"], {""}, list[str]()
    while todo:
        module = todo.pop()
        path = MODULES.get(module, PACKAGE / "__init__.py")
        for line, name in imported_names(tree_of(path), late=False):
            if name.partition(".")[0] in LATE:
                early.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
            inner = module_in(name)
            if inner is not None and inner not in seen:
                seen.add(inner)
                todo.append(inner)

    assert early == []


def test_what_was_built_is_imported_in_one_place() -> None:
    importers = [
        module
        for module, path in MODULES.items()
        for _, name in names_imported(path, package_of(module))
        if name == "netcode._speed"
    ]

    assert importers == ["wire.speed"]


def test_importing_the_package_pulls_in_nothing_heavy() -> None:
    script = "import sys, netcode, netcode.sync, netcode.testing; print(*sorted(sys.modules))"

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)

    assert LATE & {*loaded.stdout.split()} == set()


def test_importing_turns_pulls_in_neither_threads_nor_a_database() -> None:
    script = "import sys, netcode.turns; print(*sorted(sys.modules))"

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)

    assert {*LATE, "sqlite3", "subprocess"} & {*loaded.stdout.split()} == set()


def test_the_package_itself_only_exports() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))

    others = [
        node
        for node in tree.body[1:]  # the first is the docstring
        if not isinstance(node, ast.ImportFrom) and not ast.unparse(node).startswith(("__all__ = ", "__version__ = "))
    ]

    assert [ast.unparse(node) for node in others] == []


@pytest.mark.parametrize(
    "path",
    sorted(path for folder in ("demo_game", "examples") for path in (ROOT / folder).rglob("*.py")),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_games_use_public_names_only(path: Path) -> None:
    public = public_names()
    tree = ast.parse(path.read_text(encoding="utf-8"))

    used = {name for _, name in imported_names(tree) if name.partition(".")[0] == "netcode"}
    used |= {
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "netcode"
    }

    private = {name for name in used if name not in public and name.rpartition(".")[0] not in PUBLIC_MODULES}
    assert private == set()
