"""Doors at every address of a name, and those that run out of descriptors."""

import errno
import gc
import os
import socket
import subprocess
import sys
from enum import IntEnum
from typing import Any

import pytest
from loopback import LOOPBACK, accept, connect, needs_ipv6
from transport_contract import Ends, receive

from benchmarks.ports import free_port
from netcode.address import FOUR_NUMBERS, Address
from netcode.diagnostics import log
from netcode.transport import Ready
from netcode.transport import tcp_listener as module
from netcode.transport.tcp_listener import SHORTAGE_PAUSE, Listener, TcpDoorway
from netcode.waiting import wait

# Listening.


def test_an_empty_host_is_every_address_of_both_families() -> None:
    listener = Listener("", 0)
    families = [socket.AF_INET, *([socket.AF_INET6] if ":" in listener.address.host else [])]

    for family in families:
        host = "::1" if family == socket.AF_INET6 else LOOPBACK
        with socket.create_connection((host, listener.address.port)):
            transport = accept(listener)
            assert transport.address is not None
            assert transport.address.host == host
            transport.close()
    listener.close()


class NoIpv6(socket.socket):
    """A socket of a computer without IPv6."""

    def __init__(self, family: int = -1, kind: int = -1) -> None:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        super().__init__(family, kind)


def test_without_ipv6_every_address_is_every_ipv4_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", NoIpv6)
    listener = Listener("", 0)

    host = listener.address.host
    listener.close()

    assert host == "0.0.0.0"


@pytest.mark.parametrize("name", [LOOPBACK, "localhost", "a.name.example"])
def test_a_port_with_a_name_is_listened_on(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ports(IntEnum):
        ANY = 0

    look_up = socket.getaddrinfo

    def resolve(host: str, port: int, **options: Any) -> Any:
        return look_up(LOOPBACK if host == "a.name.example" and "flags" not in options else host, port, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    listener = Listener(name, Ports.ANY)
    port = listener.address.port
    listener.close()

    assert port > 0


def test_ipv6_addresses_are_listened_on() -> None:
    listener = Listener("::1", 0)
    address = listener.address
    listener.close()

    assert address.host == "::1"


@pytest.mark.parametrize("host", [LOOPBACK, ""])
def test_a_port_that_is_taken_says_so(host: str) -> None:
    first = Listener(host, 0)

    with pytest.raises(OSError, match=r"cannot listen on .*: the port is taken; is another server running") as caught:
        Listener(host, first.address.port)
    first.close()

    assert caught.value.errno == errno.EADDRINUSE


def test_a_page_in_a_browser_says_that_it_cannot_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "emscripten")

    with pytest.raises(OSError, match=r"a page in a browser cannot listen: run the server as a program") as caught:
        Listener("", 7777)

    assert caught.value.errno == errno.EOPNOTSUPP


needs_two = pytest.mark.skipif(sys.platform == "darwin", reason="there, 127.0.0.2 is no address of this computer")


def resolves(*hosts: str) -> Any:
    """Return a resolver that knows every name by these addresses, and addresses by themselves."""

    def resolve(host: str, port: int, **options: Any) -> Any:
        if options.get("flags"):
            raise socket.gaierror(socket.EAI_NONAME, "a name")
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (host, port, 0, 0))
            if ":" in host
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))
            for host in hosts
        ]

    return resolve


@needs_ipv6
@pytest.mark.fault(69, "loopback")
@pytest.mark.parametrize("name", ["localhost", "LOCALHOST.", "both.example"])
def test_a_name_is_listened_on_at_every_address_that_it_has(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolves("::1", LOOPBACK, "::1"))
        listener = Listener(name, 0)
    doors = listener.instantiate()[0]

    for host in (LOOPBACK, "::1"):
        with socket.create_connection((host, listener.address.port)):
            assert wait(listener, timeout=5.0)
            transport = accept(listener)
            assert transport.address is not None
            assert transport.address.host == host
            transport.close()
    listener.close()

    assert len(doors) == 2
    assert listener.address.host == LOOPBACK
    assert listener.instantiate() == ([], [], [])


@needs_two
def test_a_flood_at_one_address_of_a_name_does_not_shut_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolves(LOOPBACK, "127.0.0.2"))
        listener = Listener("both.example", 0)
    crowd = [socket.create_connection((LOOPBACK, listener.address.port)) for _ in range(5)]
    crowd += [socket.create_connection(("127.0.0.2", listener.address.port)) for _ in range(5)]

    asked = [accept(listener) for _ in range(10)]
    hosts = [transport.getsockname()[0] for transport in asked]
    listener.close()
    for one in [*asked, *crowd]:
        one.close()

    assert [*map(frozenset, zip(hosts[::2], hosts[1::2], strict=True))] == [{LOOPBACK, "127.0.0.2"}] * 5


@pytest.mark.fault(69, "loopback")
def test_addresses_of_a_name_that_this_computer_does_not_have_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolves("192.0.2.1", LOOPBACK))
    listener = Listener("moved.example", 0)
    listener.close()

    assert listener.address.host == LOOPBACK
    monkeypatch.setattr(socket, "getaddrinfo", resolves("192.0.2.1", "198.51.100.1"))
    with pytest.raises(OSError, match=r"cannot listen on 192\.0\.2\.1:0: ") as caught:
        Listener("moved.example", 0)
    assert caught.value.errno == errno.EADDRNOTAVAIL


@needs_two
@pytest.mark.fault(21, "loopback")
def test_a_port_that_is_taken_at_one_address_of_a_name_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolves(LOOPBACK, "127.0.0.2"))
    port = free_port()  # which is free at the other address
    with socket.create_server(("127.0.0.2", port)):
        with pytest.raises(OSError, match=rf"cannot listen on 127\.0\.0\.2:{port}: the port is taken"):
            Listener("both.example", port)
        with socket.create_server((LOOPBACK, port)):
            pass  # nothing of the attempt is left


@needs_two
def test_a_free_port_is_free_at_every_address_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    bind, tried = module._bind, list[int]()

    def taken_at_first(family: int, sockaddr: Any, dual_stack: bool = False) -> socket.socket:
        if sockaddr[0] == "127.0.0.2":
            tried.append(sockaddr[1])
            if len(tried) < 3:
                raise OSError(errno.EADDRINUSE, "the port is taken")
        return bind(family, sockaddr, dual_stack)

    monkeypatch.setattr(socket, "getaddrinfo", resolves(LOOPBACK, "127.0.0.2"))
    monkeypatch.setattr(module, "_bind", taken_at_first)
    listener = Listener("both.example", 0)
    listener.close()

    assert tried[2:] == [listener.address.port]


@needs_two
def test_a_name_at_which_no_port_is_free_everywhere_is_an_error_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    bind, tried = module._bind, list[int]()

    def always_taken(family: int, sockaddr: Any, dual_stack: bool = False) -> socket.socket:
        if sockaddr[0] == "127.0.0.2":
            tried.append(sockaddr[1])
            raise OSError(errno.EADDRINUSE, "the port is taken")
        return bind(family, sockaddr, dual_stack)

    monkeypatch.setattr(socket, "getaddrinfo", resolves(LOOPBACK, "127.0.0.2"))
    monkeypatch.setattr(module, "_bind", always_taken)
    with pytest.raises(OSError, match="taken"):
        Listener("both.example", 0)

    assert len(tried) == module.PORTS + 1


@needs_two
@pytest.mark.fault(15, "loopback")
def test_while_one_address_of_a_name_rests_none_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolves(LOOPBACK, "127.0.0.2"))
    listener = Listener("both.example", 0)

    listener._further[0]._rest_until = 5.0
    resting = listener.instantiate(), listener.due(), listener._seconds_left()
    listener.accept(5.0)
    awake = len(listener.instantiate()[0]), listener.due(), listener._seconds_left()
    listener.close()

    assert resting == (([], [], []), 5.0, SHORTAGE_PAUSE)
    assert awake == (2, None, None)


@needs_ipv6
def test_two_colons_are_every_ipv6_address_and_no_ipv4_one() -> None:
    listener = Listener("::", free_port())  # at which nobody listens for IPv4 either
    with socket.create_connection(("::1", listener.address.port)):
        accept(listener).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, listener.address.port))
    listener.close()

    assert listener.address.host == "::"


@needs_ipv6
def test_an_ipv4_address_in_the_clothes_of_ipv6_is_listened_on() -> None:
    listener = Listener("::ffff:127.0.0.1", 0)
    with socket.create_connection((LOOPBACK, listener.address.port)):
        accept(listener).close()
    listener.close()

    assert listener.address.host == LOOPBACK


def test_a_port_with_old_links_can_be_listened_on_again() -> None:
    first = Listener(LOOPBACK, free_port())  # which nobody is given once it is closed
    one = connect(first)
    other = accept(first)
    other.close()  # the side that closes first keeps the link in TIME_WAIT
    receive(one, Ends(one, other, lambda: None))
    one.close()
    first.close()

    second = Listener(LOOPBACK, first.address.port)
    second.close()

    assert second.address == first.address


def test_a_computer_without_a_family_of_addresses_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_socket(*_: Any) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

    monkeypatch.setattr(socket, "socket", no_such_socket)

    with pytest.raises(OSError, match=r"cannot listen on \[::1\]:7777: this computer speaks no IPv6; leave") as caught:
        Listener("::1", 7777)

    assert caught.value.errno == errno.EAFNOSUPPORT


def test_an_address_of_another_computer_cannot_be_listened_on() -> None:
    with pytest.raises(OSError, match=r"cannot listen on 192\.0\.2\.1:\d+: that is no address of ") as caught:
        Listener("192.0.2.1", 0)

    assert caught.value.errno == errno.EADDRNOTAVAIL


@pytest.mark.parametrize(
    ("host", "shown", "why"),
    [
        ("no.such.host.invalid", "no.such.host.invalid", "the name {} has no address; is it spelled right?"),
        ("a" * 300, "a" * 80, "the name {} has no address; is it spelled right?"),
        ("no\n.invalid", "no\\n.invalid", "the name {} has no address; is it spelled right?"),
        ("localhost\0.invalid", "localhost\\x00.invalid", "the name {} has no address; is it spelled right?"),
        ("192.168.1,5", "192.168.1,5", f"that is no address; {FOUR_NUMBERS}"),
    ],
)
def test_a_name_without_an_address_cannot_be_listened_on(
    host: str, shown: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(host: str, *args: Any, **options: Any) -> Any:
        host.encode("idna")
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)

    with pytest.raises(OSError, match="cannot listen on ") as caught:
        Listener(host, 7777)

    text = f"cannot listen on {shown}:7777: {why.format(shown)}"
    assert (type(caught.value), caught.value.errno) == (socket.gaierror, socket.EAI_NONAME)
    assert caught.value.strerror == text


def test_a_listener_waits_for_who_comes(listener: Listener) -> None:
    before = wait(listener, timeout=0.0), listener.accept(0.0)

    one = connect(listener)

    assert before == (False, None)
    assert wait(listener, timeout=5.0) is True
    accept(listener).close()
    one.close()


def test_a_closed_listener_raises_and_is_not_waited_for() -> None:
    listener = Listener(LOOPBACK, 0)
    listener.close()
    listener.close()

    with pytest.raises(OSError):
        listener.accept(0.0)
    assert listener.instantiate() == ([], [], [])
    assert wait(listener) is True


def test_what_somebody_else_has_closed_by_its_number_is_no_trouble() -> None:
    listener = Listener(LOOPBACK, 0)
    spare = listener._spare
    assert spare is not None
    for number in (spare, *listener.doors()):
        os.close(number)

    listener.close()

    assert listener._spare is None
    assert listener.doors() == ()


def test_a_dropped_listener_closes_without_a_warning() -> None:
    listener: Any = Listener(LOOPBACK, free_port())  # which nobody is given once it is closed
    address = listener.address

    cycle = [listener]
    cycle.append(cycle)
    del listener, cycle
    gc.collect()

    Listener(LOOPBACK, address.port).close()


def test_a_doorway_in_front_of_a_users_socket_leaves_it_open() -> None:
    with socket.create_server((LOOPBACK, 0)) as sock:
        doorway = TcpDoorway(sock)
        doorway.close()

        assert sock.fileno() >= 0


class Door:
    """Stands for a listening socket: accepts as the list says."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.comes: list[OSError | None] = []

    def accept(self) -> tuple[socket.socket, Any]:
        if not self.comes:
            raise BlockingIOError
        error = self.comes.pop(0)
        if error is not None:
            raise error
        ours, theirs = socket.socketpair()
        theirs.close()
        return ours, ("192.0.2.7", 5)

    def fileno(self) -> int:
        return self.sock.fileno()

    def close(self) -> None:
        self.sock.close()


@pytest.fixture
def door(listener: Listener) -> Door:
    made = Door(listener._socket)
    listener._socket = made  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    return made


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    warned: list[str] = []

    def warn(cause: str, text: str, *arguments: object) -> None:
        warned.append(text % arguments)

    monkeypatch.setattr(log, "warn", warn)
    return warned


def shortage(number: int = errno.EMFILE) -> OSError:
    return OSError(number, os.strerror(number))


def test_who_left_before_we_came_to_the_door_is_skipped(listener: Listener, door: Door) -> None:
    door.comes = [ConnectionAbortedError(), OSError(errno.EPERM, "firewall"), None]

    newcomer = listener.accept(0.0)

    assert isinstance(newcomer, Ready)
    assert newcomer.address == Address("192.0.2.7", 5)
    newcomer.close()


def test_the_skipping_has_an_end(listener: Listener, door: Door) -> None:
    door.comes = [ConnectionAbortedError()] * (module.BACKLOG + 10)

    assert listener.accept(0.0) is None
    assert len(door.comes) == 10


def test_a_socket_that_broke_while_it_was_accepted_is_skipped(
    listener: Listener, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.comes = [None]

    def broken(sock: socket.socket) -> None:
        raise OSError(errno.EINVAL, "it is gone")

    monkeypatch.setattr(module, "tune", broken)

    assert listener.accept(0.0) is None


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_without_descriptors_one_is_refused_and_the_door_rests(
    listener: Listener, door: Door, warnings: list[str], number: int
) -> None:
    door.comes = [shortage(number), None, None]

    during = listener.accept(10.0), listener.accept(10.0 + SHORTAGE_PAUSE * 0.99), len(door.comes)
    resting = listener.doors(), listener.due(), listener.instantiate(), listener._seconds_left()
    newcomer = listener.accept(10.0 + SHORTAGE_PAUSE)

    assert during == (None, None, 1)
    assert resting == ((), 10.0 + SHORTAGE_PAUSE, ([], [], []), SHORTAGE_PAUSE)
    assert newcomer is not None
    newcomer.close()
    assert (listener.due(), listener._seconds_left()) == (None, None)
    assert listener._spare is not None
    assert warnings == [
        f"{listener.address}: cannot accept: {os.strerror(number)}; is the limit of open files too low?"
    ]


class Short:
    """A listening socket of a program that has one descriptor left, and needs it to refuse somebody."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._is_short = True

    def accept(self) -> Any:
        if self._is_short:
            self._is_short = False
            raise shortage()
        return self._sock.accept()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


@pytest.mark.parametrize("greeting", [b"", b"hello"])
def test_who_is_refused_for_want_of_a_descriptor_is_told_and_not_reset(
    listener: Listener, warnings: list[str], greeting: bytes
) -> None:
    listener.say_when_short(b"there is no room")
    listener._socket = Short(listener._socket)  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    with socket.create_connection((LOOPBACK, listener.address.port), timeout=5.0) as guest:
        guest.sendall(greeting)

        assert listener.accept(10.0) is None

        assert guest.recv(100) == b"there is no room"
        assert guest.recv(100) == b""


@needs_two
def test_every_address_of_a_name_says_the_same_when_it_is_short(
    warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolves(LOOPBACK, "127.0.0.2"))
        listener = Listener("both.example", 0)
    listener.say_when_short(b"no room")
    for doorway in listener._further:
        doorway._socket = Short(doorway._socket)  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    address = listener._further[0].address
    with socket.create_connection((address.host, address.port), timeout=5.0) as guest:
        assert (listener.accept(10.0), listener.accept(10.0)) == (None, None)

        assert guest.recv(100) == b"no room"
    listener.close()


def test_the_last_descriptor_may_be_taken_by_somebody_quicker(
    listener: Listener, door: Door, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*arguments: object) -> int:
        raise shortage()

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", none_left)
        door.comes = [shortage(), shortage()]
        first = listener.accept(0.0), listener._spare, len(door.comes)
        door.comes = [shortage(), None]
        second = listener.accept(1.0), listener._spare, len(door.comes)
    third = listener.accept(2.0)

    assert first == (None, None, 0)
    assert second == (None, None, 1)
    assert third is not None
    third.close()
    assert listener._spare is not None
    assert len(warnings) == 2


def test_a_listener_may_be_made_with_the_last_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*arguments: object) -> int:
        raise shortage()

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", none_left)
        listener = Listener(LOOPBACK, 0)

    assert listener._spare is None
    listener.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
def test_a_real_shortage_passes_with_little_work_and_players_untouched() -> None:
    script = """
import os, resource, socket, time
import netcode
listener = netcode.Listener("127.0.0.1", 0)
set = netcode.ConnectionSet()
player = netcode.connect("127.0.0.1", listener.address.port)
def turn(until):
    deadline = time.monotonic() + 60
    while not until() and time.monotonic() < deadline:
        set.accept(listener, lambda address: None)
        set.update()
        player.update()
        netcode.wait(listener, set, player, timeout=0.05)
    assert until()
turn(lambda: len(set) == 1)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
others = [socket.socket() for _ in range(2)]
hoard = []
try:
    while True: hoard.append(os.open(os.devnull, os.O_RDONLY))
except OSError:
    pass
for other in others:
    other.setblocking(False)
    other.connect_ex(tuple(listener.address))
rounds, cpu, end = 0, time.process_time(), time.monotonic() + 0.5
while time.monotonic() < end:
    set.accept(listener, lambda address: None)
    set.update()
    rounds += 1
    netcode.wait(listener, set, timeout=end - time.monotonic() if end > time.monotonic() else 0)
cpu = time.process_time() - cpu
for fd in hoard: os.close(fd)
latecomer = socket.create_connection(tuple(listener.address))
player.send(b"still here")
turn(lambda: len(set) >= 2 and any(c.receive_buffer_length == 10 for c in set))
print(rounds < 30, cpu < 0.25, player.state.name)
for end in (*others, latecomer, set, listener, player): end.close()
"""

    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)

    assert done.stdout == "True True CONNECTED\n", done.stderr
    assert "cannot accept: Too many open files" in done.stderr
    assert "Traceback" not in done.stderr
