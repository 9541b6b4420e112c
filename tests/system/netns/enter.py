"""Become a Python program on another host: `python enter.py NAMESPACE SCRIPT ARGUMENT...`.

`ip netns exec` also puts the host's own list of names, `/etc/netns/NAMESPACE/hosts`, in the place of `/etc/hosts`.
"""

import os
import sys

if __name__ == "__main__":
    namespace, *program = sys.argv[1:]
    os.execvp("ip", ["ip", "netns", "exec", namespace, sys.executable, "-u", "-W", "error", *program])
