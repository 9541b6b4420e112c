"""What keeps a server, a client or a set whole when something comes between two of its steps."""

import pytest

from netcode.loop.engine import Engine


class Owner:
    """An owner who notes what happens."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.heard: list[str] = []
        self.presses = 0

    def recover(self) -> None:
        self.heard.append("recovers")

    def act(self) -> None:
        self.heard.append("acts")
        if self.presses:
            self.presses -= 1
            raise KeyboardInterrupt

    def act_and_ask(self) -> None:
        self.heard.append("asks")
        self.engine.do(self.act, self.recover)
        self.heard.append("has asked")


def test_what_is_asked_for_is_done_at_once() -> None:
    owner = Owner()

    owner.engine.do(owner.act, owner.recover)

    assert owner.heard == ["acts"]
    assert not owner.engine.busy


def test_what_is_asked_for_in_the_middle_of_something_waits_for_its_end() -> None:
    owner = Owner()

    owner.engine.do(owner.act_and_ask, owner.recover)

    assert owner.heard == ["asks", "has asked", "acts"]


def test_what_an_exception_came_into_is_recovered_from_and_done_again() -> None:
    owner = Owner()
    owner.presses = 1

    with pytest.raises(KeyboardInterrupt):
        owner.engine.do(owner.act, owner.recover)
    left = (owner.engine.torn, owner.engine.busy)
    owner.engine.catch_up(owner.recover)

    assert left == (True, False)
    assert owner.heard == ["acts", "recovers", "acts"]
    assert (owner.engine.torn, owner.engine.later) == (False, [])


def test_a_recovery_that_an_exception_came_into_is_done_again() -> None:
    owner = Owner()
    owner.engine.torn, owner.presses = True, 1

    with pytest.raises(KeyboardInterrupt):
        owner.engine.catch_up(owner.act)
    owner.engine.catch_up(owner.act)
    owner.engine.catch_up(owner.act)

    assert owner.heard == ["acts", "acts"]


def test_it_is_busy_while_it_runs_something_and_torn_if_an_exception_leaves_that() -> None:
    owner = Owner()

    owner.engine.run(owner.act_and_ask)
    owner.engine.catch_up(owner.recover)
    owner.presses = 1
    with pytest.raises(KeyboardInterrupt):
        owner.engine.run(owner.act)

    assert owner.heard == ["asks", "has asked", "acts", "acts"]
    assert (owner.engine.torn, owner.engine.busy) == (True, False)


def test_in_a_child_nothing_is_under_way_and_nothing_waits() -> None:
    owner = Owner()
    owner.engine.busy = True
    owner.engine.do(owner.act, owner.recover)

    owner.engine.abandon()
    owner.engine.catch_up(owner.recover)

    assert (owner.engine.busy, owner.engine.later, owner.heard) == (False, [], [])
