"""How many descriptors a program may have: each link takes one, or two."""

import contextlib
import math
import sys

OPEN_MAX = 10_240
"""As many as macOS grants at most where it says that there is no limit (setrlimit(2), «Compatibility»)."""


def raise_descriptor_limit() -> float:
    """Allow as many descriptors as this process may have, and return how many; often it begins with 1,024, or 256."""
    if sys.platform == "win32":
        return math.inf  # there is no limit
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (hard, max(soft, OPEN_MAX)):
        with contextlib.suppress(OSError, ValueError):  # more than the system grants
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            break
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return math.inf if allowed == resource.RLIM_INFINITY else allowed
