from typing import Any

import pytest

from netcode import read_address
from netcode.turns import Invitation, read_invitation


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("localhost", (("localhost", 7777), None, False)),
        (" localhost:8000/ ", (("localhost", 8000), None, False)),
        ("[::1]:8000", (("::1", 8000), None, False)),
        ("http://192.168.1.7:7777/#room=KTQXB&game=Broadside", (("192.168.1.7", 7777), "KTQXB", False)),
        ("https://play.example.org/#room=%23c0ffee&game=Broadside", (("play.example.org", 443), "#c0ffee", True)),
        ("http://h:1/#room=%D9%85%DB%8C%E2%80%8C%D8%AE", (("h", 1), "می\u200cخ", False)),
        ("HTTP://h:1/below/#game=Broadside", (("h", 1), None, False)),
        ("http://[::1]", (("::1", 80), None, False)),
    ],
)
def test_a_link_for_a_friend_leads_to_its_table(text: str, found: tuple[tuple[str, int], str | None, bool]) -> None:
    invitation = read_invitation(text, 7777)

    assert isinstance(invitation, Invitation)
    assert invitation == found


@pytest.mark.parametrize(
    "text",
    [
        "http://[::1",
        "https://[",
        "//[::1",
        "http://[::1]:x/",
        "https://h:99999/",
        "http://h:/",
        "http://",
        "",
        "ws://h:1",
    ],
)
def test_half_a_link_is_told_as_any_other_address(text: str) -> None:
    with pytest.raises(ValueError, match="is no address"):
        read_invitation(text, 7777)


@pytest.mark.parametrize("room", ["x" * 65, "a%00b", "%1B[2J", "%E2%80%8D"])
def test_a_link_with_a_code_that_no_table_has_is_told_as_such(room: str) -> None:
    said = "that link leads to no table: its room is no text of at most 64 characters"

    with pytest.raises(ValueError, match=said):
        read_invitation(f"http://localhost:1/#room={room}", 7777)


def test_a_setting_that_is_not_there_is_told_so() -> None:
    nothing: Any = None

    for read in (read_invitation, read_address):
        with pytest.raises(TypeError, match="text must be a str, as it was typed, not NoneType"):
            read(nothing, 7777)
