"""Which test proves which case of what can go wrong: `python -m tests.reliability` writes `docs/reliability.md`.

The page is made of the marks of the tests, `@pytest.mark.fault(number, layer=...)`, as pytest collects them. With
`--check` nothing is written, and the status says whether the page is what it would be.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reliability.md"
LAYERS = "memory", "loopback", "process", "namespaces"
BEGIN, END = "<!-- begin: python -m tests.reliability -->\n", "<!-- end -->\n"

CASES = """
## Connecting
1. Nothing listens.
2. The connect is swallowed.
3. The host cannot be reached.
4. The name server is slow, or dead.
5. The IPv6 address is dead, the IPv4 address lives.
6. The name leads nowhere, or is none.
7. A connect meets itself.
8. The server's process is stopped, and its kernel accepts.
9. It is another kind of server.
10. The version of the protocol or of the game differs.
11. The largest message differs.
12. The server is full.
13. `close()` in every state, twice, while events are handled.
14. Connect, close, connect again, a thousand times in a frame.

## Accepting
15. Descriptors run out.
16. Somebody is gone before the door opens.
17. A flood of connects from one address.
18. IPv4 in IPv6, and a whole /64.
19. Connects that never speak, or speak a byte a second.
20. A full backlog after a pause of the server.
21. The port is taken; a restart while old links are in TIME_WAIT.
22. Descriptors above 1,024.

## Framing and decoding
23. Lengths that cannot be.
24. The stream is split at any byte.
25. A frame is promised and never completed.
26. The stream ends in mid-frame.
27. Small bytes that become large objects.
28. Four gigabytes claimed in five bytes.
29. Nesting without an end.
30. What is no msgpack, or none of ours.
31. msgpack of the wrong shape.
32. What cannot be sent.
33. A message changed after it was sent.
34. Urgent data.

## Flood
35. Messages without an end.
36. Pings without an end.
37. A client that never reads.
38. A game that does not take its events.
39. A game that raises.
40. A set that changes while it is walked through.

## Silence and time
41. All packets are dropped.
42. One direction is dropped.
43. The peer's process is stopped.
44. The window stays closed.
45. Loss, jitter, bursts, and cuts at any byte.
46. A link slower than what is sent.
47. The link is down for three seconds.
48. Our own process is stopped for a minute.
49. The wall clock jumps.
50. `update()` too rarely, too often, from within itself, from another thread.
51. Answers to pings that were never sent.

## Closing
52. A goodbye behind four megabytes.
53. The peer does not read, or sends for ever.
54. Both say goodbye in one frame.
55. Two goodbyes, with different texts.
56. The peer is killed with unread data.
57. The write fails while a goodbye waits to be read.
58. A goodbye with a megabyte of text, broken text, or an unknown code.
59. SIGTERM to a server with 200 players; a second one.
60. An exception in the game loop, the end of the interpreter, a connection never closed.

## Identity and operation
61. Resume tokens: forged, replayed, expired, truncated.
62. TLS: plain against encrypted, wrong certificates, stalls, ends.
63. The same player twice.
64. A thousand clients return after a restart; those who must not.
65. What strangers say, in our log.
66. A long day of everything.

## Programs
67. An output that cannot take what strangers are called, or nothing at all.
68. Strangers at the programs of the README, of the examples and of the demo.
69. A server on a name with more than one address.
70. Ctrl-C, once and twice.
71. A loop without `update()`, or without `events()`.
72. Names and arguments that do not exist.

## Sessions
73. A limit that the other end chose.
74. An `authenticate` that raises, or returns nothing.
75. The messages that cost most, from many links at once.
76. A link that breaks between the two greetings.
77. More in one frame than the queue may hold, and what is taken slowly.
78. A message that never gets through, however often the link comes back.
79. A return to a session that was ended on purpose.
80. A program that was restarted, and its seat.
81. A server that is not there yet, or has no seat yet.
82. Reads that end anywhere in a beat.
83. A pause of ours that is longer than the timeout.

## The process
84. An interrupt at any point of any call.
85. What signal handlers do to a server and a client.
86. An exception between two events.
87. Children that inherit a server, a client or a connection.
88. Values that cannot be sent, and what sits in them.
89. TLS that ends right behind a message, or in the handshake of a return.
"""


class Marks:
    """Collects the marks while pytest collects the tests."""

    def __init__(self) -> None:
        self.proofs: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            for mark in item.iter_markers("fault"):
                number, layer = (*mark.args, *mark.kwargs.values())
                assert layer in LAYERS, f"{item.nodeid}: there is no layer {layer!r}"
                self.proofs[number][layer].add(item.nodeid.partition("[")[0])


def collect() -> dict[int, dict[str, set[str]]]:
    """Return the tests of each case and layer."""
    files = [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if "mark.fault(" in path.read_text("utf-8")]
    marks = Marks()
    status = pytest.main(["--collect-only", "-qq", "--no-header", *map(str, files)], plugins=[marks])
    assert status == pytest.ExitCode.OK, f"collecting the tests failed: {status!r}"
    return marks.proofs


def table(proofs: dict[int, dict[str, set[str]]]) -> str:
    """Return the part of the page that is made of the marks."""
    lines = [BEGIN.rstrip("\n")]
    for line in CASES.strip().splitlines():
        case = re.fullmatch(r"(\d+)\. (.*)", line)
        if case is None:
            lines += ["", line, "", "| case | layer | proved by |", "|---|---|---|"] if line else []
            continue
        number, text = int(case[1]), f"{case[1]}. {case[2]}"
        assert proofs.get(number), f"no test proves case {number}: {case[2]}"
        for layer in LAYERS:
            for test in sorted(proofs[number].get(layer, ())):
                file, _, name = test.partition("::")
                sentence = name.removeprefix("test_").replace("_", " ")
                lines.append(f"| {text} | {layer} | [{sentence}](../{file}) |")
                text = ""
    cases = len(proofs)
    tests = {test for layers in proofs.values() for found in layers.values() for test in found}
    lines += ["", f"{cases} cases, {len(tests)} tests.", END.rstrip("\n"), ""]
    return "\n".join(lines)


def page(old: str, made: str) -> str:
    """Return the page with its made part replaced."""
    head, _, rest = old.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return head + made + tail


def main() -> int:
    """Write the page, or compare it."""
    old = PAGE.read_text("utf-8")
    new = page(old, table(collect()))
    if "--check" in sys.argv[1:]:
        if old != new:
            sys.stderr.write("docs/reliability.md is not what the tests say; run python -m tests.reliability\n")
        return int(old != new)
    PAGE.write_text(new, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
