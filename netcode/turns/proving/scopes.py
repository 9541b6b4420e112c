"""Which names in a function are its own, and not of its module: functions and comprehensions inside have names of theirs."""

import ast
from collections.abc import Iterable, Iterator

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (*_FUNCTIONS, *_COMPREHENSIONS, ast.ClassDef)
Names = frozenset[str]


def names_in(tree: ast.FunctionDef, around: Iterable[str]) -> dict[ast.AST, Names]:
    """Return for each node of a function which names are no globals there.

    Args:
        tree: the function.
        around: the names that it has from functions around it.
    """
    found: dict[ast.AST, Names] = {}
    todo: list[tuple[ast.AST, Names]] = [(tree, Names(around))]
    while todo:
        node, own = todo.pop()
        found[node] = own
        inside = (own - _globals(node)) | _bound(node) if isinstance(node, _SCOPES) else own
        outside = getattr(node, "decorator_list", ())
        for child in ast.iter_child_nodes(node):
            is_method = isinstance(node, ast.ClassDef) and isinstance(child, _SCOPES)  # it sees no names of its class
            todo.append((child, own if is_method or child in outside else inside))
    return found


def _bound(scope: ast.AST) -> Names:
    """Return the names that a function, a comprehension or a class binds itself."""
    names = {one.arg for one in _arguments(scope)}
    for node in _within(scope):
        match node:
            case ast.Name(name, ast.Store() | ast.Del()):
                names.add(name)
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
                names.add(name)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                names.add(name)
            case ast.MatchMapping(rest=str(name)):
                names.add(name)
            case ast.alias(name, asname):
                names.add(asname or name.partition(".")[0])
            case _:
                pass
    return Names(names - _globals(scope))


def _globals(scope: ast.AST) -> Names:
    return Names(name for node in _within(scope) if isinstance(node, ast.Global) for name in node.names)


def _arguments(scope: ast.AST) -> list[ast.arg]:
    if not isinstance(scope, _FUNCTIONS):
        return []
    one = scope.args
    return [*one.posonlyargs, *one.args, *one.kwonlyargs, *filter(None, (one.vararg, one.kwarg))]


def _within(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a scope, but for those of scopes inside: of these only what they are called, and `(name := …)`."""
    todo = [*ast.iter_child_nodes(scope)]
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, _COMPREHENSIONS):  # what is assigned in there is a name of what is around it
            todo += [one.target for one in ast.walk(node) if isinstance(one, ast.NamedExpr)]
        elif not isinstance(node, _SCOPES):
            todo += ast.iter_child_nodes(node)
