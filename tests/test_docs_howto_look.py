"""The pages on the tools: their commands are those of the tools, and the server of one tells."""

import json
import re
import shlex
from pathlib import Path

import pytest
from programs import ROOT

from netcode.__main__ import main

TEXT = (ROOT / "docs" / "how-to" / "look-at-a-server.md").read_text(encoding="utf-8")
NEW = (ROOT / "docs" / "how-to" / "start-a-game-of-your-own.md").read_text(encoding="utf-8")
COMMANDS = [line.removeprefix("python -m netcode ") for line in re.findall(r"```sh\n(.*?)\n```", TEXT + NEW)]
TOOLS = ["ping", "discover", "load", "top", "lag", "new", "new"]


def test_each_tool_has_its_command() -> None:
    assert [shlex.split(command)[0] for command in COMMANDS] == TOOLS


@pytest.mark.parametrize("command", COMMANDS)
def test_the_tools_understand_the_commands(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tool, *arguments = shlex.split(command)
    taken = list[object]()

    def take(parsed: object) -> int:
        taken.append(parsed)
        return 7

    monkeypatch.setattr(f"netcode.tools.{tool}.run", take)

    assert main([tool, *arguments]) == 7
    assert len(taken) == 1


def test_its_server_writes_its_status(tmp_path: Path) -> None:
    [block] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    path = tmp_path / "status.json"
    code = block.replace("7777", "0").replace("status=True", f"status={str(path)!r}")
    told = list[dict[str, object]]()

    code = code.replace("        for event", "        tell() if not tick else server.close_nicely()\n        for event")
    exec(code, {"tell": lambda: told.append(json.loads(path.read_text(encoding="utf-8")))})

    assert told[0]["game"] == "chess 2"
