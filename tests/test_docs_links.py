"""Links of the documents: those within lead somewhere, and those that leave are of places that are known to be right."""

import re
from pathlib import Path

import pytest
from docs_blocks import documents
from programs import ROOT

PAGES = [*documents(), ROOT / "CHANGELOG.md"]

LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")

OUTSIDE = {
    "https://agones.dev",
    "https://github.com/FiloSottile/mkcert",
    "https://github.com/cryptosense/procord",
    "https://github.com/google/atheris",
    "https://github.com/msgpack/msgpack/blob/master/spec.md",
    "https://hypothesis.readthedocs.io",
    "https://jcristharif.com/msgspec/",
    "https://pettingzoo.farama.org",
    "https://prometheus.io",
    "https://semver.org",
}
"""Each was looked at by somebody: tests have no internet."""


def text_of(page: Path) -> str:
    """Return what is text on a page: in code there are no links."""
    return re.sub(r"^```.*?^```$|`[^`\n]*`", "code", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors_of(page: Path) -> set[str]:
    """Return what can follow a `#`: headings in small letters, without punctuation, with hyphens for blanks."""
    lines = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#{1,6} (.*)$", lines, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    wrong: list[str] = []
    for target in LINK.findall(text_of(page)):
        path, _, anchor = target.partition("#")
        if ":" in path:
            wrong += [target] if target not in OUTSIDE else []
            continue
        place = page.parent / path if path else page
        if not place.exists() or (anchor and anchor not in anchors_of(place)):
            wrong.append(target)

    assert wrong == []


def test_every_outside_place_is_linked_to() -> None:
    linked = {target for page in PAGES for target in LINK.findall(text_of(page))}

    assert OUTSIDE - linked == set()


def test_every_page_is_in_the_table_of_contents() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    entries = [line for tree in re.findall(r"```\{toctree\}\n(.*?)```", index, re.DOTALL) for line in tree.splitlines()]
    found = {path for entry in entries if entry and entry[0] != ":" for path in (ROOT / "docs").glob(f"{entry}.md")}

    pages = {*(ROOT / "docs").rglob("*.md")} - {ROOT / "docs" / "index.md"}

    assert pages - found == set()
