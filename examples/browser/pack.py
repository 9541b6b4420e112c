"""Put a page's Python into one folder: `python examples/browser/pack.py build/dots`, then `python -m pygbag build/dots`.

The folder gets main.py, netcode without its C part, and the part of msgpack that is plain Python; nothing has to be
fetched from elsewhere but pygbag's own Python and pygame. The server lets pages of pygbag in when it knows their origin:
`python examples/many_server.py 7777 http://localhost:8000`.
"""

import shutil
import sys
from pathlib import Path

import msgpack

import netcode


def pack(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for package in (netcode, msgpack):
        source = Path(str(package.__file__)).parent
        for path in source.rglob("*.py"):
            target = folder / source.name / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    shutil.copy(Path(__file__).with_name("main.py"), folder)


if __name__ == "__main__":
    pack(Path(sys.argv[1]))
    print(f"packed into {sys.argv[1]}; now: python -m pygbag {sys.argv[1]}")
