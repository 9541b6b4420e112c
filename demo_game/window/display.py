"""Whether a window can be opened here. It can be asked where there is no pygame."""

import os
import sys


def why_no_window() -> str | None:
    """Say why no window can be opened on this computer, or None if one can."""
    driver = os.environ.get("SDL_VIDEODRIVER", "")
    if driver in {"dummy", "offscreen"}:
        return f"SDL_VIDEODRIVER={driver} shows nothing"
    if sys.platform == "linux" and not driver and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return "neither DISPLAY nor WAYLAND_DISPLAY is set"
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    os.environ.setdefault("SDL_VIDEO_X11_WMCLASS", "Broadside")  # else a desktop calls it __main__.py
    try:
        import pygame
    except ImportError:
        return "pygame is not installed (pip install pygame, from Python 3.14 on pygame-ce)"
    try:
        pygame.display.init()
    except pygame.error as error:
        return str(error)
    return None
