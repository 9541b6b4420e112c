"""Addresses, and look-ups that never block: the resolver is a fake that answers when the test says so."""

import _thread
import errno
import gc
import os
import re
import select
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from netcode.address import (
    MAX_ADDRESS,
    MAX_LOOKUPS,
    Address,
    Candidate,
    Lookup,
    address_from_wire,
    bucket,
    check_address,
    check_destination,
    check_host,
    check_port,
    from_socket,
    make_address,
    without_asking,
)

V4, V6 = socket.AF_INET, socket.AF_INET6


def found(*entries: tuple[int, str]) -> list[tuple[Any, ...]]:
    """What `getaddrinfo` returns for addresses of these families."""
    return [
        (family, socket.SOCK_STREAM, 6, "", (host, 7777, 0, 0) if family == V6 else (host, 7777))
        for family, host in entries
    ]


class Resolver:
    """Answers when it is told to."""

    def __init__(self, answer: list[tuple[Any, ...]] | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, int]] = []
        self.told = threading.Event()

    def __call__(self, host: str, port: int, **options: object) -> list[tuple[Any, ...]]:
        self.asked.append((host, port))
        assert self.told.wait(10)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture(autouse=True)
def nobody_asks_any_more() -> Iterator[None]:
    yield
    assert Lookup._running == set()


def outcome(lookup: Lookup) -> list[Candidate] | OSError | None:
    """Wait for the answer as `wait` does, and return it."""
    if lookup.fileno() >= 0:
        assert select.select([lookup.fileno()], [], [], 10)[0]
    answer = lookup.poll()
    lookup.cancel()
    return answer


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run what belongs into a thread at once: what is measured is measured in one thread."""

    def run(ask: Callable[[int], None], arguments: tuple[int]) -> None:
        try:
            ask(*arguments)
        except KeyError:
            pass  # a thread would print it, and end

    monkeypatch.setattr(_thread, "start_new_thread", run)


def answer_to(resolver: Resolver) -> list[Candidate] | OSError | None:
    resolver.told.set()
    return outcome(Lookup("game.example", 7777, resolver))


@pytest.mark.parametrize(
    ("address", "text"),
    [(Address("10.0.0.1", 7777), "10.0.0.1:7777"), (Address("::1", 80), "[::1]:80"), (Address("x.org", 1), "x.org:1")],
)
def test_an_address_prints_as_it_is_typed(address: Address, text: str) -> None:
    assert str(address) == text


@pytest.mark.parametrize("port", [0, 1, 65_535])
def test_ports_are_accepted(port: int) -> None:
    check_port(port)


def test_what_is_no_port_is_refused() -> None:
    with pytest.raises(ValueError, match="port must be from 0 to 65535, not -1"):
        check_port(-1)
    with pytest.raises(ValueError, match="port must be from 0 to 65535, not 65536"):
        check_port(65_536)
    for wrong in ("80", 8.0, True, None):
        with pytest.raises(TypeError, match=f"port must be an int, not {type(wrong).__name__}"):
            check_port(wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_destination_has_a_host_and_a_port() -> None:
    check_destination("localhost", 7777)
    for host, port in (("", 7777), ("localhost", 0)):
        with pytest.raises(ValueError, match="both must be given"):
            check_destination(host, port)
    with pytest.raises(TypeError, match="host must be a str, not bytes"):
        check_destination(b"localhost", 7777)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("host", "advice"),
    [
        ("localhost:7777", "without the port, which is the next argument: 'localhost', 7777"),
        ("127.0.0.1:7777", "without the port, which is the next argument: '127.0.0.1', 7777"),
        ("[::1]", "an IPv6 address without brackets"),
        ("[::1]:7777", "an IPv6 address without brackets, and the port apart"),
        ("http://game.example", "a name or an address, not a URL: 'game.example'"),
        ("tcp://game.example:7777/lobby", "a name or an address, not a URL: 'game.example'"),
        ("game.example/lobby", "a name or an address, not a URL: 'game.example'"),
        (" localhost", "a name or an address without blanks"),
        ("localhost\n", "a name or an address without blanks"),
        ("my computer", "a name or an address without blanks"),
        ("  ", "a name or an address without blanks"),
    ],
)
def test_a_host_that_is_more_than_a_host_is_told_what_it_should_be(host: str, advice: str) -> None:
    expected = f"^host must be {re.escape(advice)}.*, not {re.escape(repr(host))}$"
    with pytest.raises(ValueError, match=expected):
        check_host(host)
    with pytest.raises(ValueError, match=expected):
        check_destination(host, 7777)


@pytest.mark.parametrize(
    "host", ["localhost", "::1", "fe80::1%eth0", "192.0.2.1", "::ffff:192.0.2.1", "ünïcode.example"]
)
def test_names_and_addresses_are_hosts(host: str) -> None:
    check_destination(host, 7777)


def test_a_port_that_is_text_is_told_how_it_becomes_a_number() -> None:
    with pytest.raises(TypeError, match=r"port must be an int, not str: int\(port\) makes one of it"):
        check_destination("localhost", "7777")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_the_zone_of_a_link_local_address_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "if_indextoname", {2: "eth0"}.__getitem__)

    assert str(from_socket(("fe80::1", 7777, 0, 2))) == "[fe80::1%eth0]:7777"
    assert str(from_socket(("fe80::1%eth0", 7777, 0, 2))) == "[fe80::1%eth0]:7777"
    assert str(from_socket(("2001:db8::1", 7777, 0, 0))) == "[2001:db8::1]:7777"


def test_the_zone_of_an_interface_that_has_gone_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(number: int) -> str:
        raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))

    monkeypatch.setattr(socket, "if_indextoname", gone)

    assert from_socket(("fe80::1", 7777, 0, 2)).host == "fe80::1%2"


def test_make_address_takes_both_kinds_of_address() -> None:
    assert make_address("127.0.0.1", 7777) == Address("127.0.0.1", 7777)
    assert make_address("::1", 7777) == Address("::1", 7777)


def test_make_address_looks_names_up(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver(found((V6, "2001:db8::1"), (V4, "192.0.2.1")))
    resolver.told.set()
    monkeypatch.setattr(socket, "getaddrinfo", resolver)

    assert make_address("game.example", 7777) == Address("2001:db8::1", 7777)


def test_make_address_raises_an_os_error_for_what_cannot_be_a_name() -> None:
    with pytest.raises(socket.gaierror, match="cannot be a host name"):
        make_address("a" * 300, 7777)
    with pytest.raises(ValueError, match="both must be given"):
        make_address("", 7777)


def test_an_ipv4_peer_of_a_dual_stack_listener_shows_as_ipv4() -> None:
    assert from_socket(("::ffff:192.0.2.1", 5, 0, 0)) == Address("192.0.2.1", 5)
    assert from_socket(("2001:db8::1", 5, 0, 0)) == Address("2001:db8::1", 5)
    assert from_socket(("::ffff:0:1", 5, 0, 0)) == Address("::ffff:0:1", 5)
    assert from_socket(("192.0.2.1", 5)) == Address("192.0.2.1", 5)


def test_a_unix_socket_has_an_address_too() -> None:
    assert from_socket("/run/game.sock") == Address("/run/game.sock", 0)
    assert from_socket("") == Address("local", 0)


def test_a_place_of_origin_is_an_ipv4_address_or_a_64_of_ipv6() -> None:
    places = [
        bucket(Address(host, 1))
        for host in ("192.0.2.1", "2001:db8:0:1::5", "2001:db8:0:1:ffff::6", "2001:db8:0:2::5", "fe80::1%eth0")
    ]

    assert places == ["192.0.2.1", "20010db800000001", "20010db800000001", "20010db800000002", "fe80000000000000"]
    assert bucket(Address("not:an:address", 1)) == "not:an:address"


def test_addresses_and_localhost_are_known_without_asking() -> None:
    assert without_asking("127.0.0.1", 80) == [(V4, ("127.0.0.1", 80))]
    assert without_asking("::1", 80) == [(V6, ("::1", 80, 0, 0))]
    assert without_asking("LocalHost.", 80) == [(V6, ("::1", 80, 0, 0)), (V4, ("127.0.0.1", 80))]


def test_localhost_without_ipv6_is_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_ipv6", False)

    assert without_asking("localhost", 80) == [(V4, ("127.0.0.1", 80))]


@pytest.mark.parametrize("host", ["game.example", "a" * 300, "bad..label", "null\0byte", "ünïcode.example"])
def test_names_have_to_be_asked_for(host: str) -> None:
    assert without_asking(host, 80) is None


def test_an_address_is_looked_up_without_a_thread() -> None:
    lookup = Lookup("127.0.0.1", 80)

    assert lookup.fileno() == -1
    assert lookup.poll() == [(V4, ("127.0.0.1", 80))]


def test_a_name_is_looked_up_beside_the_game() -> None:
    resolver = Resolver(found((V4, "192.0.2.1")))
    lookup = Lookup("game.example", 7777, resolver)

    before = lookup.poll(), select.select([lookup.fileno()], [], [], 0)[0]
    resolver.told.set()

    assert before == (None, [])
    assert outcome(lookup) == [(V4, ("192.0.2.1", 7777))]
    assert resolver.asked == [("game.example", 7777)]


def test_families_take_turns_and_the_first_one_begins(at_once: None) -> None:
    answer = found((V6, "::1"), (V6, "::2"), (V6, "::3"), (V4, "192.0.2.1"), (socket.AF_UNIX, "no"))

    ordered = answer_to(Resolver(answer))

    assert isinstance(ordered, list)
    assert [sockaddr[0] for _, sockaddr in ordered] == ["::1", "192.0.2.1", "::2", "::3"]


def test_a_name_without_an_address_gives_no_candidates(at_once: None) -> None:
    assert answer_to(Resolver([])) == []


@pytest.mark.parametrize("error", [socket.gaierror(socket.EAI_AGAIN, "try again"), OSError(5, "broken")])
def test_an_error_of_the_resolver_is_an_answer(error: OSError, at_once: None) -> None:
    assert answer_to(Resolver(error)) is error


@pytest.mark.parametrize("error", [UnicodeError("label too long"), ValueError("embedded null byte")])
def test_a_name_that_cannot_be_one_is_an_answer(error: Exception, at_once: None) -> None:
    answer = answer_to(Resolver(error))

    assert isinstance(answer, socket.gaierror)
    assert answer.args == (socket.EAI_NONAME, str(error))


def test_a_late_answer_after_cancel_goes_nowhere() -> None:
    resolver = Resolver(found((V4, "192.0.2.1")))
    lookup = Lookup("game.example", 7777, resolver)

    lookup.cancel()
    lookup.cancel()
    resolver.told.set()
    wait_for_threads()

    assert lookup.fileno() == -1


@pytest.mark.parametrize("known", [True, False])
def test_a_page_in_a_browser_has_no_threads_and_needs_none(known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> list[tuple[Any, ...]]:
        if not known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return found((V4, "172.29.1.0"))

    with monkeypatch.context() as page:
        page.setattr(_thread, "start_new_thread", None)
        page.setattr(sys, "platform", "emscripten")
        lookup = Lookup("play.example.org", 7777, resolve)

    answer = lookup.poll()
    assert answer == [(V4, ("172.29.1.0", 7777))] if known else isinstance(answer, socket.gaierror)
    assert lookup.fileno() == -1


def test_a_forgotten_look_up_leaves_nothing_open() -> None:
    resolver = Resolver(found((V4, "192.0.2.1")))
    lookup: Any = Lookup("game.example", 7777, resolver)

    cycle = [lookup]
    cycle.append(cycle)
    del lookup, cycle
    resolver.told.set()
    wait_for_threads()
    gc.collect()


def wait_for_threads() -> None:
    """Wait until every resolver has come back. What it holds is checked by the fixture for every test."""
    deadline = threading.Event()
    for _ in range(1000):
        if not Lookup._running:
            return
        deadline.wait(0.01)


def test_too_many_look_ups_wait_their_turn() -> None:
    resolver = Resolver(found((V4, "192.0.2.1")))
    lookups = [Lookup(f"game{number}.example", 7777, resolver) for number in range(MAX_LOOKUPS + 1)]
    last = lookups.pop()

    waiting = last.poll(), last.fileno()
    resolver.told.set()
    answers = [outcome(lookup) for lookup in lookups]
    last.poll()

    assert waiting == (None, -1)
    assert answers == [[(V4, ("192.0.2.1", 7777))]] * MAX_LOOKUPS
    assert outcome(last) == [(V4, ("192.0.2.1", 7777))]


def test_a_look_up_that_was_cancelled_before_its_turn_is_never_asked() -> None:
    resolver = Resolver([])
    busy = [Lookup("busy.example", 7777, resolver) for _ in range(MAX_LOOKUPS)]
    last = Lookup("last.example", 7777, resolver)

    last.cancel()
    resolver.told.set()
    for lookup in busy:
        outcome(lookup)

    assert last.poll() is None
    assert ("last.example", 7777) not in resolver.asked


def test_a_shortage_of_descriptors_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    error = OSError(24, "Too many open files")

    def no_pair() -> tuple[socket.socket, socket.socket]:
        raise error

    monkeypatch.setattr(socket, "socketpair", no_pair)

    assert Lookup("game.example", 7777, Resolver([])).poll() is error


def test_a_shortage_of_threads_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(*_: object) -> int:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", no_thread)
    answer = outcome(Lookup("game.example", 7777, Resolver([])))

    assert isinstance(answer, OSError)
    assert str(answer) == "can't start new thread"


def test_a_broken_resolver_is_an_answer(at_once: None) -> None:
    answer = answer_to(Resolver(KeyError("out of order")))

    assert isinstance(answer, OSError)
    assert str(answer) == "the resolver failed"


def test_an_interrupt_where_a_name_is_asked_for_takes_nobody_elses_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(_thread, "start_new_thread", interrupted)

    with pytest.raises(KeyboardInterrupt):
        Lookup("games.example", 7777, Resolver([]))

    assert not Lookup._running


def test_a_forked_child_has_none_of_the_threads_that_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lookup, "_running", {object()})

    Lookup._abandon()

    assert not Lookup._running


def test_an_answer_for_which_nobody_waits_goes_nowhere() -> None:
    resolver = Resolver(found((V4, "192.0.2.1")))
    lookup = Lookup("games.example", 7777, resolver)
    theirs, ours = socket.socketpair()
    ours.close()

    lookup._answered([], theirs)
    lookup.cancel()
    resolver.told.set()

    assert theirs.fileno() == -1


@pytest.mark.parametrize(
    "text", ["a:1", "play-2.example.org:65535", "10.0.0.7:7777", "[::1]:7777", "[::ffff:10.0.0.7]:1", "A_b:80"]
)
def test_an_address_that_travels_is_read_as_it_was_written(text: str) -> None:
    address = address_from_wire(text)

    assert str(address) == text
    assert check_address(text, "address") == check_address(tuple(address or ()), "address") == address


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            ":",
            "a",
            "a:",
            ":1",
            "a:0",
            "a:01",
            "a:65536",
            "a:1 ",
            " a:1",
            "a:1\n",
            "a b:1",
            "a/b:1",
            "u@a:1",
            "a:١",
        ),
        *("::1:7777", "[]:1", "[a]:1", "[10.0.0.7]:1", "[fe80::1%eth0]:1", "é:1", "tls://a:1", "a:-1", "a:1:2"),
        *("a" * (MAX_ADDRESS - 1) + ":1", None, 7, b"a:1", ["a", 1], {"a": 1}),
    ],
)
def test_whatever_else_a_stranger_sends_is_no_address(text: Any) -> None:
    assert address_from_wire(text) is None


@pytest.mark.parametrize(
    ("address", "error", "text"),
    [
        ("a", ValueError, 'where must be a host and a port, such as "play.example.org:7777"'),
        (("fe80::1%eth0", 1), ValueError, "where must be a host and a port"),
        (("a", 0), ValueError, "both must be given"),
        (("a", "1"), TypeError, "port must be an int"),
        ((1, 1), TypeError, "host must be a str"),
        (("a", 1, 2), TypeError, r'where must be \(host, port\) or "host:port", not tuple'),
        (7777, TypeError, r'where must be \(host, port\) or "host:port", not int'),
        (None, TypeError, "not NoneType"),
    ],
)
def test_an_address_that_cannot_be_told_is_refused(address: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        check_address(address, "where")
