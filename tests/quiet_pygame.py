"""pygame for the tests that need it: without what it says when it is imported; where it is missing, they are skipped."""

import os
import warnings

import pytest

with warnings.catch_warnings():
    # pygame imports pkg_resources where it is installed, which warns that it is deprecated.
    warnings.simplefilter("ignore")
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    pytest.importorskip("pygame", reason="the window needs pygame")
    import pygame

__all__ = ["pygame"]
