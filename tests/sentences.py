"""Every sentence that the package can say to somebody, read from its source."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from programs import ROOT

PACKAGE = ROOT / "netcode"

CONSOLES = (
    "__main__.py",
    "metrics.py",
    "tools/",
    "turns/__main__.py",
    "turns/check.py",
    "turns/proving/",
    "turns/terminal/",
)
"""What prints for somebody who reads as it goes: of these, only what they raise and give as a reason is looked up later."""

SAYS_WHY = {"warn", "advise", "Reason", "ProtocolError", "Refusal", "Explained", "RulesError", "Lost", "Unavailable"}
"""What is called with a sentence."""


@dataclass(frozen=True, order=True)
class Sentence:
    """One of them, with `…` where a value stands."""

    module: str
    line: int
    text: str

    def pattern(self) -> re.Pattern[str]:
        """Return what finds its first line on a page, whatever stands for the values."""
        first = self.text.splitlines()[0]
        parts = [re.escape(part.strip()) for part in first.split("…") if part.strip(" «»'\"`.,;:()")]
        return re.compile("[^\n]*?".join(parts))


def all_sentences() -> list[Sentence]:
    """Return those of the whole package."""
    return sorted({sentence for path in PACKAGE.rglob("*.py") for sentence in sentences_of(path)})


def sentences_of(path: Path, text: str | None = None) -> Iterator[Sentence]:
    """Yield those of one module."""
    name = path.relative_to(PACKAGE).as_posix()
    if name in {"diagnostics/mistakes.py", "diagnostics/vocabulary.py"}:
        return  # it completes the sentence of a mistaken name, which says what the right one is
    tree = ast.parse(text if text is not None else path.read_text(encoding="utf-8"))
    skipped = {part for node in ast.walk(tree) for part in _not_said(node)}
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and _name_of(node.func) in SAYS_WHY):
            yield from _said_in(node, name, skipped, words=2)
        elif not name.startswith(CONSOLES) and isinstance(node, ast.Constant | ast.JoinedStr):
            yield from _said_in(node, name, skipped, words=4)


def _said_in(top: ast.AST, name: str, skipped: set[ast.AST], words: int) -> Iterator[Sentence]:
    inner = {part for node in ast.walk(top) for part in _not_said(node)} | skipped
    for node in ast.walk(top):
        if node in inner:
            continue
        text = _template(node)
        if " " in text and len(re.findall(r"[^\W\d_]{2,}", text)) >= words and not _is_for_programs(text):
            yield Sentence(name, getattr(node, "lineno", 0), text)


def _template(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"%\(?\w*\)?[sdr.]\d?f?|\{\w*\}", "…", node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return ""


def _not_said(node: ast.AST) -> Iterator[ast.AST]:
    """Yield strings that say nothing to anybody: docstrings, parts of f-strings, names of an Enum, annotations."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield from (part for part in node.values if isinstance(part, ast.Constant))
    elif isinstance(node, ast.ClassDef) and any(_name_of(base) == "Enum" for base in node.bases):
        yield from (part for line in node.body if isinstance(line, ast.Assign) for part in ast.walk(line))
    elif isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
        yield from ast.walk(node.annotation)
    elif isinstance(node, ast.FunctionDef) and node.returns is not None:
        yield from ast.walk(node.returns)
    elif isinstance(node, ast.Call) and _name_of(node.func) in {"cast", "TypeVar", "debug"}:
        yield from ast.walk(node)
    elif isinstance(node, ast.Call) and _name_of(node.func) in {"warn", "error"} and len(node.args) > 1:
        yield from ast.walk(node.args[0])  # by which the log knows what it has said


def _name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


_PROGRAMS = re.compile(
    r"\s*(?:[A-Z]{4,} |ORDER BY|<|\w+\[|\w+ \| )|[a-z]+(?: [a-z]*_[a-z_]+)"
    r"|[A-Z]\w*(?:-\w+)+: |[a-z]+-src |[a-z]+/[a-z]+; "
)


def _is_for_programs(text: str) -> bool:
    """Tell whether a string is SQL, a type, a `repr`, HTML, a list of names, or what browsers read in headers."""
    return _PROGRAMS.match(text) is not None
