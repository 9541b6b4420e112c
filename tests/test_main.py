"""The command line of the package: it finds the tool, or says which there are."""

import runpy
import sys

import pytest

import netcode
from netcode.__main__ import main


def test_a_tool_gets_its_arguments_and_gives_its_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lag", "0", "127.0.0.1:9", "--stall", "2/2"]) == 1
    assert capsys.readouterr().err.startswith("lag: 127.0.0.1:0 -> 127.0.0.1:9: ")


@pytest.mark.parametrize("arguments", [[], ["fly"]], ids=["none", "unknown"])
def test_without_a_tool_the_usage_is_shown(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)

    assert exit_.value.code == 2
    assert "usage: python -m netcode" in capsys.readouterr().err


def test_the_help_names_each_tool(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["netcode", "--help"])
    # Only a module that nobody has imported runs as a program without a warning.
    monkeypatch.delitem(sys.modules, "netcode.__main__")

    with pytest.raises(SystemExit) as exit_:
        runpy.run_module("netcode", run_name="__main__")

    assert exit_.value.code == 0
    assert "lag" in capsys.readouterr().out


def test_who_looks_for_turn_based_games_is_told_where_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "tictactoe.py"])

    assert "by `python -m netcode.turns`." in " ".join(capsys.readouterr().err.split())


def test_the_version_is_that_of_the_package_and_says_whether_the_kernel_was_built(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--version"])

    assert exit_.value.code == 0
    language = "C" if netcode.SPEEDUPS else "Python"
    assert capsys.readouterr().out == f"netcode {netcode.__version__}, messages in {language}\n"
