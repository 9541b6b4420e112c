"""What was copied elsewhere, such as an address that a friend has sent."""

from typing import Any

import pygame

_KINDS = ("text/plain;charset=utf-8", pygame.SCRAP_TEXT)
"""What desktops call a text."""
_PASTE = pygame.KMOD_CTRL | pygame.KMOD_META


def is_paste(event: pygame.event.Event) -> bool:
    """Tell whether a key means to insert what was copied: Ctrl-V, Cmd-V, Shift-Insert."""
    if event.type != pygame.KEYDOWN:
        return False
    held = getattr(event, "mod", 0)
    return (event.key == pygame.K_v and bool(held & _PASTE)) or (
        event.key == pygame.K_INSERT and bool(held & pygame.KMOD_SHIFT)
    )


def pasted() -> str:
    """Return the text that was copied last; nothing where there is none, or no desktop that keeps one."""
    try:
        get_text: Any = getattr(pygame.scrap, "get_text", None)  # of pygame-ce
        if get_text is not None:
            return str(get_text())
        if not pygame.scrap.get_init():
            pygame.scrap.init()
        data = next(filter(None, map(pygame.scrap.get, _KINDS)), b"")
    except (pygame.error, NotImplementedError):
        return ""
    return data.decode("utf-8", "replace").rstrip("\0")
