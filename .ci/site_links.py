"""Follow every link of the built site: `python .ci/site_links.py site`.

There is no internet, so links that leave the site are only listed; `tests/test_docs_links.py` knows which are right.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Links(HTMLParser):
    """Collects where a page leads, and what can be led to in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.anchors = {"", "top"}
        self.feed(text)

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one tag."""
        for name, value in attrs:
            if value and name in ("href", "src"):
                self.targets.add(value)
            elif value and name in ("id", "name"):
                self.anchors.add(value)


def broken(site: Path) -> list[str]:
    """Return the links that lead nowhere, and tell of those that lead out."""
    pages = {page.resolve(): Links(page.read_text(encoding="utf-8")) for page in site.rglob("*.html")}
    wrong: list[str] = []
    outside: set[str] = set()
    followed = 0
    for page, links in pages.items():
        for target in links.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                if parts.scheme != "https" and not target.startswith("data:"):
                    wrong.append(f"{page.name}: {target} is not https")
                outside.add(target)
                continue
            followed += 1
            place = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not place.is_file():
                wrong.append(f"{page.name}: {target} is not there")
            elif place in pages and unquote(parts.fragment) not in pages[place].anchors:
                wrong.append(f"{page.name}: {target} has no such place")
    print(f"{len(pages)} pages, {followed} links within, {len(outside)} that leave:", *sorted(outside), sep="\n  ")
    return wrong


if __name__ == "__main__":
    problems = broken(Path(sys.argv[1]))
    print(*problems, sep="\n")
    sys.exit(bool(problems))
