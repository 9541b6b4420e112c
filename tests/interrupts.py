"""Something that comes at a point of our choice: wherever CPython may run a signal handler.

It does so at the beginning of functions, after calls, and at jumps backwards.
"""

import dis
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Self

import netcode

PACKAGE = str(Path(netcode.__file__).parent)
WORLD = str(Path(PACKAGE, "testing")), str(Path(PACKAGE, "faults.py"))
"""The network in memory, which stands for the operating system: nothing comes in the middle of it."""

CALLS = {"RESUME", "CALL", "CALL_KW", "CALL_FUNCTION_EX"}

Trace = Callable[[FrameType, str, Any], Any]

_points: dict[int, tuple[CodeType, frozenset[int]]] = {}
"""By the identity of the code, which is kept for that: its hash is one of all that is in it."""


def points_in(code: CodeType) -> frozenset[int]:
    """Return the offsets of the instructions before which a handler may run; none where none is to come."""
    known = _points.get(id(code))
    if known is not None:
        return known[1]
    found, after = set[int](), False
    ours = code.co_filename.startswith(PACKAGE) and not code.co_filename.startswith(WORLD)
    for instruction in dis.get_instructions(code) if ours else ():
        if after:
            found.add(instruction.offset)
        after = instruction.opname in CALLS
        if instruction.opname.startswith("JUMP_BACKWARD") and "NO_INTERRUPT" not in instruction.opname:
            found.add(instruction.argval)
    _points[id(code)] = code, frozenset(found)
    return _points[id(code)][1]


class Press:
    """Does `what` at the point with the number `at`, once, while it is entered: `with Press(7, interrupt): ...`."""

    def __init__(self, at: int, what: Callable[[], object]) -> None:
        self.count = 0
        """Points passed so far."""
        self.where = ""
        """The point at which it was done; empty if there were fewer."""
        self._at, self._what = at, what
        self._below: FrameType | None = None

    def resume(self) -> None:
        """Go on counting after `pause`."""
        if not self.where:
            _hear(self._pass)

    def pause(self) -> None:
        """Leave out what follows."""
        _hear(None)

    def __enter__(self) -> Self:
        self._below = sys._getframe(1)
        _watch()
        self.resume()
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()
        _watch_no_more()
        self._below = None

    def _pass(self, code: CodeType, offset: int) -> None:
        if _in_a_finaliser(self._below):
            return
        self.count += 1
        if self.count == self._at:
            self.where = f"{Path(code.co_filename).name}, {code.co_qualname}, offset {offset}"
            self.pause()
            self._what()


def _in_a_finaliser(below: FrameType | None) -> bool:
    """Tell whether what is raised now would be reported, and go nowhere: one runs above that frame."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame is not below:
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


def interrupt() -> None:
    """Press Ctrl-C."""
    raise KeyboardInterrupt


Hear = Callable[[CodeType, int], None]
_ear: Hear | None = None
"""What is called at each point."""

if sys.version_info >= (3, 12):
    _TOOL = 4
    _monitoring, _events = sys.monitoring, sys.monitoring.events
    _watched: list[CodeType] = []

    def _hear(ear: Hear | None) -> None:
        """Have `ear` called at each point; None to have it called no more."""
        global _ear  # noqa: PLW0603 - there is one interpreter, and one who listens to it
        _ear = ear

    def _begin(code: CodeType, offset: int) -> object:
        """Look at each instruction of a function with points, and at nothing of any other: to look is what costs."""
        if points_in(code):
            _watched.append(code)
            _monitoring.set_local_events(_TOOL, code, _events.INSTRUCTION)
        return _monitoring.DISABLE

    def _step(code: CodeType, offset: int) -> object:
        if offset not in points_in(code):
            return _monitoring.DISABLE
        if _ear is not None:
            _ear(code, offset)
        return None

    def _watch() -> None:
        """Look at what runs from now on."""
        _monitoring.use_tool_id(_TOOL, "interrupts")
        _monitoring.register_callback(_TOOL, _events.PY_START, _begin)
        _monitoring.register_callback(_TOOL, _events.PY_RESUME, _begin)
        _monitoring.register_callback(_TOOL, _events.INSTRUCTION, _step)
        _monitoring.set_events(_TOOL, _events.PY_START | _events.PY_RESUME)
        _monitoring.restart_events()

    def _watch_no_more() -> None:
        _monitoring.set_events(_TOOL, 0)
        for code in _watched:
            _monitoring.set_local_events(_TOOL, code, 0)
        _watched.clear()
        _monitoring.free_tool_id(_TOOL)

else:
    _before: list[Any] = []
    _steps: dict[int, Trace | None] = {}

    def _hear(ear: Hear | None) -> None:
        """Have `ear` called at each point; None to have it called no more."""
        global _ear  # noqa: PLW0603 - there is one interpreter, and one who listens to it
        _ear = ear
        sys.settrace(_begin if ear is not None else _before[-1])

    def _begin(frame: FrameType, kind: str, _: object) -> Trace | None:
        code = frame.f_code
        if id(code) not in _steps:
            _steps[id(code)] = _step_in(code)
        step = _steps[id(code)]
        if step is not None:
            frame.f_trace_lines, frame.f_trace_opcodes = False, True
        return step

    def _step_in(code: CodeType) -> Trace | None:
        points = points_in(code)

        def step(frame: FrameType, kind: str, _: object) -> Trace:
            if kind == "opcode" and frame.f_lasti in points and _ear is not None:
                _ear(code, frame.f_lasti)
            return step

        return step if points else None

    def _watch() -> None:
        """Look at what runs from now on."""
        _before.append(sys.gettrace())

    def _watch_no_more() -> None:
        sys.settrace(_before.pop())
