"""How the site is built from these pages: `sphinx-build -W docs site`."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import netcode

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "netcode"
author = "the netcode authors"
project_copyright = author
release = version = netcode.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"netcode {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {"navigation_with_keys": True}
html_show_sphinx = False
html_search_scorer = str(Path(__file__).parent / "search.js")
smartquotes_action = "D"  # dashes alone: "" in a docstring is Python
maximum_signature_line_length = 90

myst_enable_extensions = ["deflist"]
# A heading is linked to by its words, as on the pages of a repository.
myst_heading_anchors = 3

# The site is built without them.
autodoc_mock_imports = ["prometheus_client", "pygame"]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autoclass_content = "class"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

# `word` in a docstring leads to what has that name, and is code where nothing has.
default_role = "py:obj"
nitpicky = True
nitpick_ignore_regex = [
    ("py:obj", ".*"),
    # Types that no page describes: those of the standard library, type variables, and what only names a shape.
    (
        "py:class",
        r"(ssl\.)?SSLContext|(collections\.abc|os|pathlib|prometheus_client|pygame|random|socket|types)\.\w+|[\w.]+\[.*",
    ),
    ("py:class", r"([\w.]*\.)?(D|D_co|E|G|P|T)"),
    ("py:class", r"Network|PathLike|TableStats|netcode\.[a-z_.]+\.\w+"),
]


def strip_comments(_app: "Sphinx", _name: str, source: list[str]) -> None:
    """Leave out what a page says to `tests/docs_blocks.py`, and to nobody else."""
    source[0] = re.sub(r"<!--.*?-->\n?", "", source[0], flags=re.DOTALL)


_sentences: list[str] = []


def keep_sentences(_app: "Sphinx", _what: str, _name: str, _thing: object, _options: object, lines: list[str]) -> None:
    """Remember what a property says, before napoleon takes its first words for a type because of a colon."""
    _sentences[:] = lines


def restore_sentences(
    _app: "Sphinx", what: str, _name: str, _thing: object, _options: object, lines: list[str]
) -> None:
    """Put back what a property says."""
    if what in ("attribute", "data", "property"):
        lines[:] = _sentences


def setup(app: "Sphinx") -> None:
    """Connect what is ours."""
    from pygments.lexers import get_lexer_by_name

    app.add_lexer("vectors", type(get_lexer_by_name("text")))
    app.connect("source-read", strip_comments)
    app.connect("autodoc-process-docstring", keep_sentences, priority=400)  # napoleon has 500
    app.connect("autodoc-process-docstring", restore_sentences, priority=600)
