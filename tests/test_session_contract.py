"""What a link is to those around it."""

from typing import Any

from netcode.session.contract import NOBODY


def test_nobody_hears_of_a_link_and_keeps_nothing_of_it() -> None:
    link: Any = object()

    for hear in (NOBODY.link_opened, NOBODY.link_over, NOBODY.link_gone):
        hear(link)
    NOBODY.greeted(link, link)

    assert not hasattr(NOBODY, "__dict__")
