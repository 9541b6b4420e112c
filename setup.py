"""What the package page says: the README, with links that lead somewhere from there.

The repository has no public address of its own. Whoever releases gives it as `NETCODE_REPOSITORY`; without one, links to
files of the repository are text, pictures are what they show in words, and the page has no links beside it.
"""

import os
import re
from pathlib import Path

from setuptools import setup

PICTURE = re.compile(r"!\[([^\]]*)\]\(([^):]+)\)")
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^):#][^):]*)\)")
COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)


def page(readme: str, repository: str) -> str:
    """Return the README as a page elsewhere can show it."""
    readme = COMMENT.sub("", readme)
    if not repository:
        return LINK.sub(r"\1 (`\2`)", PICTURE.sub(r"*\1*", readme)).replace(" (`examples`)", "")
    readme = PICTURE.sub(rf"![\1]({repository}/raw/HEAD/\2)", readme)
    return LINK.sub(rf"[\1]({repository}/blob/HEAD/\2)", readme)


def urls(repository: str) -> dict[str, str]:
    """Return the links beside the page."""
    return {
        "Source": repository,
        "Documentation": f"{repository}/blob/HEAD/docs/index.md",
        "Changelog": f"{repository}/blob/HEAD/CHANGELOG.md",
        "Issues": f"{repository}/issues",
    }


if __name__ == "__main__":
    REPOSITORY = os.environ.get("NETCODE_REPOSITORY", "").rstrip("/")
    setup(
        long_description=page((Path(__file__).parent / "README.md").read_text(encoding="utf-8"), REPOSITORY),
        long_description_content_type="text/markdown",
        project_urls=urls(REPOSITORY) if REPOSITORY else {},
    )
