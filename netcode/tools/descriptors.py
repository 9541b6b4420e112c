"""How many descriptors a tool may have: each link takes one, or two."""

import contextlib
import sys

OPEN_MAX = 10_240
"""As many as macOS grants at most where it says that there is no limit (setrlimit(2), «Compatibility»)."""


def raise_descriptor_limit() -> None:
    """Allow as many descriptors as this process may have; often it begins with 1,024, or 256."""
    if sys.platform == "win32":
        return  # there is none
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (hard, max(soft, OPEN_MAX)):
        with contextlib.suppress(OSError, ValueError):  # more than the system grants
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return
