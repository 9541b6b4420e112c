"""What `netcode.pygame` offers, and what it says where pygame is not installed."""

import importlib
import subprocess
import sys

import pytest
from programs import ROOT

import netcode

pytest.importorskip("pygame")


def test_it_offers_what_a_game_needs() -> None:
    offered = importlib.import_module("netcode.pygame")

    assert offered.Snapshots is netcode.Snapshots
    assert all(getattr(offered, name) is not None for name in offered.__all__)
    types = [getattr(offered, name) for name in ("AWAY", "BACK", "JOINED", "LEFT", "RECEIVED")]
    assert len({*types}) == 5


def test_without_pygame_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("netcode.pygame")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pygame", None)
    monkeypatch.delattr(netcode, "pygame", raising=False)

    with pytest.raises(ImportError, match=r'netcode.pygame needs pygame: python -m pip install "netcode\[pygame\]"'):
        importlib.import_module("netcode.pygame")


def test_the_package_itself_imports_no_pygame() -> None:
    script = "import sys, netcode; print('pygame' in sys.modules)"

    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)

    assert said.stdout == "False\n"
