"""Look at the page that a wheel brings along: `python .ci/package_page.py REPOSITORY WHEEL`.

On a package index nothing of the repository lies beside it, so every link is absolute, or there is none. REPOSITORY
is the address that links begin with, empty where there is no address.
"""

import email
import re
import sys
import zipfile
from pathlib import Path


def complaints(repository: str, wheel: Path) -> list[str]:
    """Return what is wrong with the page."""
    with zipfile.ZipFile(wheel) as files:
        [name] = [name for name in files.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = email.message_from_bytes(files.read(name))
    text = str(metadata.get_payload())
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    wrong = [f"{target} leads nowhere from a package page" for target in targets if not target.startswith("https://")]
    here = [target.removeprefix(f"{repository}/") for target in targets if repository and target.startswith(repository)]
    files_there = {path: Path(re.sub(r"^\w+/HEAD/|#.*", "", path)) for path in here}
    wrong += [f"{path} is not in the repository" for path, file in files_there.items() if not file.exists()]
    if bool(repository) != bool(here) or bool(repository) != bool(metadata.get_all("Project-URL")):
        wrong.append(f"links to the repository: {len(here)}, beside the page: {metadata.get_all('Project-URL')}")
    if "<!--" in text or len(text) < 5000:
        wrong.append("the page is not the README")
    return wrong


if __name__ == "__main__":
    problems = complaints(sys.argv[1], Path(sys.argv[2]))
    print(*problems, sep="\n")
    sys.exit(bool(problems))
