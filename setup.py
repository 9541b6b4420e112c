"""The part in C, and what the package page says: the README, with links that lead somewhere from there.

The hot path of messages, and of the sockets that carry them, is in C for the stable ABI. Where there is no compiler it
is left out, and Python does the same: `netcode.wire.speed`. A Python without the global lock is left without, too: it
has no such ABI before 3.15, and the keys that the part in C remembers would need a lock.

The repository has no public address of its own. Whoever releases gives it as `NETCODE_REPOSITORY`; without one, links to
files of the repository are text, pictures are what they show in words, and the page has no links beside it.
"""

import os
import re
import sysconfig
from pathlib import Path

from setuptools import Extension, setup

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


def kernel() -> list[Extension]:
    """Return the part in C, if this Python can use it."""
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return []
    stable: list[tuple[str, str | None]] = [("Py_LIMITED_API", "0x030B0000")]
    sources = ["netcode/_speed.c", "netcode/_sockets.c", "netcode/_beats.c"]
    return [Extension("netcode._speed", sources, define_macros=stable, optional=True, py_limited_api=True)]


if __name__ == "__main__":
    KERNEL = kernel()
    REPOSITORY = os.environ.get("NETCODE_REPOSITORY", "").rstrip("/")
    setup(
        ext_modules=KERNEL,
        options={"bdist_wheel": {"py_limited_api": "cp311"}} if KERNEL else {},
        long_description=page((Path(__file__).parent / "README.md").read_text(encoding="utf-8"), REPOSITORY),
        long_description_content_type="text/markdown",
        project_urls=urls(REPOSITORY) if REPOSITORY else {},
    )
