"""Look-ups that never block: the resolver is a fake that answers when the test says so."""

import _thread
import gc
import select
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Any

import pytest

from netcode.transport.lookup import (
    MAX_CANDIDATES,
    MAX_LOOKUPS,
    MAX_LOOKUPS_OF_ONE_NAME,
    Candidate,
    Lookup,
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
        assert self.told.wait(60)
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


def test_addresses_and_localhost_are_known_without_asking() -> None:
    assert without_asking("127.0.0.1", 80) == [(V4, ("127.0.0.1", 80))]
    assert without_asking("::1", 80) == [(V6, ("::1", 80, 0, 0))]
    assert without_asking("LocalHost.", 80) == [(V6, ("::1", 80, 0, 0)), (V4, ("127.0.0.1", 80))]


def test_localhost_without_ipv6_is_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_ipv6", False)

    assert without_asking("localhost", 80) == [(V4, ("127.0.0.1", 80))]


@pytest.mark.parametrize("host", ["game.example", "a" * 300, "bad..label", "ünïcode.example"])
def test_names_have_to_be_asked_for(host: str) -> None:
    assert without_asking(host, 80) is None


def test_a_name_with_a_null_in_it_is_nobodys_though_it_begins_as_one_of_somebody() -> None:
    assert without_asking("127.0.0.1\0.example", 80) == []


def test_an_address_is_looked_up_without_a_thread() -> None:
    lookup = Lookup("127.0.0.1", 80)

    assert lookup.fileno() == -1
    assert lookup.poll() == [(V4, ("127.0.0.1", 80))]


def test_a_port_with_a_name_is_a_port() -> None:
    class Ports(IntEnum):
        GAME = 7777

    resolver = Resolver(found((V4, "192.0.2.1")))
    resolver.told.set()

    assert outcome(Lookup("127.0.0.1", Ports.GAME)) == [(V4, ("127.0.0.1", 7777))]
    assert outcome(Lookup("game.example", Ports.GAME, resolver)) == [(V4, ("192.0.2.1", 7777))]
    assert [type(port) for _, port in resolver.asked] == [int]  # the system's resolver takes nothing else


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


def test_of_thousands_of_addresses_a_few_are_tried(at_once: None) -> None:
    some = [(V4, f"192.0.2.{number}") for number in range(1, 200)]

    tried = answer_to(Resolver(found(*some, (V6, "2001:db8::1"))))

    assert isinstance(tried, list)
    assert [address[0] for _, address in tried[:3]] == ["192.0.2.1", "2001:db8::1", "192.0.2.2"]
    assert len(tried) == MAX_CANDIDATES


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


def test_a_name_that_nobody_answers_leaves_room_for_others_however_often_it_is_asked_for() -> None:
    silent, quick = Resolver([]), Resolver(found((V4, "192.0.2.1")))
    quick.told.set()

    for _ in range(3 * MAX_LOOKUPS):  # as who comes back again and again, and gives up each time
        Lookup("silent.example", 7777, silent).cancel()
    asking = len(Lookup._running)
    other = outcome(Lookup("quick.example", 7777, quick))
    silent.told.set()
    wait_for_threads()

    assert other == [(V4, ("192.0.2.1", 7777))]
    assert asking == MAX_LOOKUPS_OF_ONE_NAME


def test_a_look_up_that_was_cancelled_before_its_turn_is_never_asked() -> None:
    resolver = Resolver([])
    busy = [Lookup(f"busy{number}.example", 7777, resolver) for number in range(MAX_LOOKUPS)]
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
