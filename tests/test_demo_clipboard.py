"""What was copied elsewhere is typed into a field, on desktops of every kind."""

from types import SimpleNamespace
from typing import Any

import pytest
from quiet_pygame import pygame

from demo_game.window.clipboard import is_paste, pasted
from demo_game.window.field import Field


def key(code: int, held: int = 0) -> pygame.event.Event:
    return pygame.event.Event(pygame.KEYDOWN, key=code, mod=held)


def fail(*_: Any) -> None:
    raise pygame.error("there is no desktop")


def copied(monkeypatch: pytest.MonkeyPatch, **scrap: Any) -> None:
    started: list[bool] = []
    usual: dict[str, Any] = {
        "get_init": lambda: bool(started),
        "init": lambda: started.append(True),
        "get": dict[str, bytes]().get,
    }
    monkeypatch.setattr(pygame, "scrap", SimpleNamespace(**{**usual, **scrap}))


@pytest.mark.parametrize(
    ("scrap", "text"),
    [
        ({"get_text": lambda: "Käse"}, "Käse"),
        ({"get": {"text/plain;charset=utf-8": b"K\xc3\xa4se"}.get}, "Käse"),
        ({"get": {pygame.SCRAP_TEXT: b"cheese\0"}.get}, "cheese"),
        ({}, ""),
        ({"init": fail}, ""),
        ({"get_text": fail}, ""),
    ],
)
def test_what_was_copied_is_found_however_a_desktop_keeps_it(
    scrap: dict[str, Any], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied(monkeypatch, **scrap)

    assert [pasted(), pasted()] == [text, text]


def test_the_keys_that_paste_do_and_others_type(monkeypatch: pytest.MonkeyPatch) -> None:
    copied(monkeypatch, get_text=lambda: " 192.168.1.7:7799\n")
    field = Field("Server", "", limit=16)

    assert field.handle(key(pygame.K_v))
    assert field.text == ""
    for paste in (key(pygame.K_v, pygame.KMOD_LCTRL), key(pygame.K_INSERT, pygame.KMOD_RSHIFT)):
        assert field.handle(paste)
    assert field.text == "192.168.1.7:7799"
    assert not is_paste(pygame.event.Event(pygame.KEYUP, key=pygame.K_v, mod=pygame.KMOD_LCTRL))
    assert not is_paste(key(pygame.K_INSERT))
