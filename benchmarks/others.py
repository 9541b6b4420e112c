"""Load the packages that netcode is compared with, or say how to install them."""

import importlib
from typing import Any

from benchmarks.machine import Unsuited


def load(name: str) -> Any:  # noqa: ANN401 - it has no types
    """Import a package of the `bench` extra, as a value without types.

    Raises:
        Unsuited: when it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Unsuited(f"{name} cannot be imported ({error}); install netcode[bench]") from error
