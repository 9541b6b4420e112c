"""docs/how-to/use-pygame.md and move-smoothly.md are followed to the letter, each by real programs."""

import re
from pathlib import Path

import pytest
from programs import ROOT, Start

from netcode import Snapshots

pytestmark = pytest.mark.process


def blocks(page: str) -> list[str]:
    text = (ROOT / "docs" / "how-to" / page).read_text(encoding="utf-8")
    return [str(block) for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]


def serve(start: Start, code: str) -> str:
    """Start the server of a page, on a port of its own, which is returned."""
    told = code.replace("7777", "0").replace(
        " as server:\n", " as server:\n    print('port', server.address.port)\n", 1
    )
    return start("-c", told).until(r"port (\d+)")[1]


def test_the_loop_over_pygames_queue_talks_to_the_server_of_the_readme(start: Start) -> None:
    pytest.importorskip("pygame")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    server = str(re.findall(r"```python\n(.*?)```", readme, re.DOTALL)[0])
    port = serve(start, server)
    [code] = blocks("use-pygame.md")

    window = start("-c", code.replace("7777", port), environment={"SDL_VIDEODRIVER": "dummy"})

    window.until(r"welcome, number 1")
    window.until(r"'said': 'ahoy'")


def test_positions_arrive_and_are_shown_a_little_late(start: Start) -> None:
    server, client, *_ = blocks("move-smoothly.md")
    port = serve(start, server)

    shown = start("-c", client.replace("7777", port).replace("print(shown)", "print(shown, flush=True)"))

    shown.until(r"\{1: \[0(\.0)?, 0(\.0)?\]\}")


def test_the_page_says_what_snapshots_do() -> None:
    text = (ROOT / "docs" / "how-to" / "move-smoothly.md").read_text(encoding="utf-8")

    for name in re.findall(r"`snapshots\.(\w+)\(", text):
        assert hasattr(Snapshots, name)
    for target in re.findall(r"\]\(([^):]+)\)", text):
        assert (Path(ROOT) / "docs" / "how-to" / target.partition("#")[0]).exists()
