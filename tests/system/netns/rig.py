"""The rig: two hosts with addresses of their own, a link between them that is as bad as told, and what runs on them.

A host is a network namespace. It sees itself, and the other one through the link: no packet of the rig ever reaches
another network, and nothing outside of it reaches the rig. All of it is gone when the `with` block ends.
"""

import json
import os
import secrets
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from programs import DEADLINE, Program

from .link_model import DEVICE, MTU, Conditions

HERE = Path(__file__).parent
NAMES = Path("/etc/netns")
"""Where `ip netns exec` looks for files that a namespace has of its own."""

GROUPS = "224.0.0.251", "ff02::fb"
"""Where multicast DNS goes, besides the hosts themselves."""

TABLE = """
add table inet netcode
add chain inet netcode input {{ type filter hook input priority 0; }}
add chain inet netcode output {{ type filter hook output priority 0; }}
{rule}
"""


def why_not() -> str | None:
    """Say why there can be no hosts here, or None where there can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are a feature of Linux"
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [program for program in ("ip", "tc", "nft") if shutil.which(program) is None]
    if missing:
        return f"{', '.join(missing)} cannot be found: install iproute2 and nftables"
    probe = f"netcode-{secrets.token_hex(4)}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return f"this system makes no network namespaces: {made.stderr.strip()}"
    command("ip", "netns", "delete", probe)
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "/dev/net/tun cannot be opened"
    return None


def command(*words: str, text: str = "") -> str:
    """Run a program to its end and return what it printed; what it complains of is in the error."""
    done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=DEADLINE, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} failed: {done.stderr.strip()}\n{text}")
    return done.stdout


class Host:
    """One of the two computers."""

    def __init__(self, namespace: str, number: int, log: Path, programs: ExitStack) -> None:
        self.namespace = namespace
        self.number = number
        self.ipv4 = f"10.77.0.{number + 1}"
        self.ipv6 = f"fd00:77::{number + 1}"
        self._log = log
        self._programs = programs
        self._started = 0

    def run(self, script: Path, *arguments: object) -> Program:
        """Start a Python program here; it ends with the rig at the latest."""
        self._started += 1
        log = self._log / f"{self.namespace}-{self._started}.log"
        return self._programs.enter_context(Program(HERE / "enter.py", self.namespace, script, *arguments, log=log))

    def configure(self, *lines: str) -> None:
        """Run lines of `ip` here."""
        command("ip", "-n", self.namespace, "-batch", "-", text="\n".join(lines))

    def filter(self, rule: str, *, chain: str = "input") -> None:
        """Add a rule of nftables to what comes in (`input`) or goes out (`output`)."""
        rule = f"add rule inet netcode {chain} {rule}"
        command("ip", "netns", "exec", self.namespace, "nft", "-f", "-", text=TABLE.format(rule=rule))

    def clear_filter(self) -> None:
        """Take every rule away again."""
        command(
            "ip", "netns", "exec", self.namespace, "nft", "-f", "-", text=TABLE.format(rule="flush table inet netcode")
        )

    def know(self, name: str, *addresses: str) -> None:
        """Let `name` mean `addresses` to the programs that start here from now on."""
        folder = NAMES / self.namespace
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "hosts").open("a", encoding="ascii") as hosts:
            hosts.writelines(f"{address} {name}\n" for address in addresses)


class Link(Protocol):
    """What joins the two hosts."""

    def set(self, conditions: Conditions | None = None, *, source: Host | None = None) -> None:
        """Set how bad the link is, both ways or just from `source`; without conditions it is good again."""
        ...

    def lost(self) -> list[int]:
        """Return how many packets were lost so far, from the first host and from the second."""
        ...

    def carried(self) -> list[int]:
        """Return how many packets arrived so far, from the first host and from the second."""
        ...


class DeviceLink:
    """A process of ours carries the packets: the same seed loses the same ones. For kernels without netem."""

    def __init__(self, hosts: tuple[Host, Host], seed: int) -> None:
        names = [host.namespace for host in hosts]
        addresses = [address for host in hosts for address in (host.ipv4, host.ipv6)]
        self._answers = b""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "netns.link", *names, str(seed), *addresses, *GROUPS],
            cwd=HERE.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Self:
        self._answer()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        # Also closes the pipes.
        self._process.communicate()

    def set(self, conditions: Conditions | None = None, *, source: Host | None = None) -> None:
        """See `Link`."""
        for number in (0, 1) if source is None else (source.number,):
            self._ask({"way": number, "conditions": asdict(conditions or Conditions())})

    def lost(self) -> list[int]:
        """See `Link`."""
        return list(self._ask({})["lost"])

    def carried(self) -> list[int]:
        """See `Link`."""
        return list(self._ask({})["carried"])

    def is_over(self) -> bool:
        """Tell whether the process is gone."""
        return self._process.poll() is not None

    def _ask(self, question: Mapping[str, object]) -> dict[str, list[int]]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, list[int]]:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        deadline = time.monotonic() + DEADLINE
        while b"\n" not in self._answers:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(descriptor, 65536) if ready else b""
            assert data, "the link does not answer"
            self._answers += data
        line, _, self._answers = self._answers.partition(b"\n")
        answer: dict[str, list[int]] = json.loads(line)
        return answer


class NetemLink:
    """The kernel carries the packets, over a cable with netem at both ends."""

    def __init__(self, hosts: tuple[Host, Host]) -> None:
        self._hosts = hosts
        first, second = hosts
        # gso_max_segs 1: netem loses and delays packets, and shall not take forty segments for one.
        first.configure(
            f"link add {DEVICE} mtu {MTU} gso_max_segs 1 type veth "
            f"peer name {DEVICE} netns {second.namespace} mtu {MTU} gso_max_segs 1"
        )

    def __enter__(self) -> Self:
        self.set()
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: the cable goes with its hosts."""

    def set(self, conditions: Conditions | None = None, *, source: Host | None = None) -> None:
        """See `Link`."""
        for host in self._hosts if source is None else (source,):
            words = (conditions or Conditions()).netem()
            command("tc", "-n", host.namespace, "qdisc", "replace", "dev", DEVICE, "root", "netem", *words)

    def lost(self) -> list[int]:
        """See `Link`."""
        return self._count("drops")

    def carried(self) -> list[int]:
        """See `Link`."""
        return self._count("packets")

    def _count(self, what: str) -> list[int]:
        counts: list[int] = []
        for host in self._hosts:
            shown: Any = json.loads(command("tc", "-n", host.namespace, "-s", "-j", "qdisc", "show", "dev", DEVICE))
            counts.append(int(shown[0][what]))
        return counts


def has_netem(host: Host) -> bool:
    """Tell whether this kernel can make a link bad by itself."""
    try:
        command("tc", "-n", host.namespace, "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1us")
        command("tc", "-n", host.namespace, "qdisc", "delete", "dev", "lo", "root")
    except RuntimeError:
        return False
    return True


class Hosts:
    """Two hosts and the link between them.

    Usage::

        with Hosts(tmp_path) as hosts:
            server = hosts.b.run(SCRIPT, "7777")
            hosts.link.set(Conditions(loss=0.1, delay=0.05))

    Args:
        log: A folder for what the programs print.
        seed: The same seed loses the same packets, where the link is ours.
        netem: Whether the kernel carries the packets, or None to see whether it can.
    """

    link: Link

    def __init__(self, log: Path, *, seed: int = 1, netem: bool | None = None) -> None:
        self._seed = seed
        self._netem = netem
        self._undo = ExitStack()
        self._programs = ExitStack()
        run = f"netcode-{os.getpid()}-{secrets.token_hex(3)}"
        self.a, self.b = (Host(f"{run}-{letter}", number, log, self._programs) for number, letter in enumerate("ab"))

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            for host in (self.a, self.b):
                command("ip", "netns", "add", host.namespace)
                undo.callback(shutil.rmtree, NAMES / host.namespace, ignore_errors=True)
                undo.callback(command, "ip", "netns", "delete", host.namespace)
            netem = has_netem(self.a) if self._netem is None else self._netem
            pair = (self.a, self.b)
            self.link = (
                undo.enter_context(NetemLink(pair)) if netem else undo.enter_context(DeviceLink(pair, self._seed))
            )
            for host in (self.a, self.b):
                host.configure(
                    "link set lo up",
                    f"link set {DEVICE} addrgenmode none mtu {MTU}",
                    f"address add {host.ipv4}/24 dev {DEVICE}",
                    f"address add {host.ipv6}/64 dev {DEVICE} nodad",
                    f"link set {DEVICE} up",
                )
            # Last in, first out: programs end while there still is a network.
            undo.enter_context(self._programs)
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.__exit__(kind, error, trace)
