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

_points: dict[CodeType, frozenset[int]] = {}


def points_in(code: CodeType) -> frozenset[int]:
    """Return the offsets of the instructions before which a handler may run; none where none is to come."""
    if code not in _points:
        found, after = set[int](), False
        ours = code.co_filename.startswith(PACKAGE) and not code.co_filename.startswith(WORLD)
        for instruction in dis.get_instructions(code) if ours else ():
            if after:
                found.add(instruction.offset)
            after = instruction.opname in CALLS
            if instruction.opname.startswith("JUMP_BACKWARD") and "NO_INTERRUPT" not in instruction.opname:
                found.add(instruction.argval)
        _points[code] = frozenset(found)
    return _points[code]


class Press:
    """Does `what` at the point with the number `at`, once, while it is entered: `with Press(7, interrupt): ...`."""

    def __init__(self, at: int, what: Callable[[], object]) -> None:
        self.count = 0
        """Points passed so far."""
        self.where = ""
        """The point at which it was done; empty if there were fewer."""
        self._at, self._what = at, what

    def resume(self) -> None:
        """Go on counting after `pause`."""
        if not self.where:
            _watch(self._pass)

    def pause(self) -> None:
        """Leave out what follows."""
        _watch(None)

    def __enter__(self) -> Self:
        self.resume()
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()

    def _pass(self, code: CodeType, offset: int) -> None:
        if self.where or _in_a_finaliser():
            return
        self.count += 1
        if self.count == self._at:
            self.where = f"{Path(code.co_filename).name}, {code.co_qualname}, offset {offset}"
            self._what()


def _in_a_finaliser() -> bool:
    """Tell whether what is raised now would be reported, and go nowhere."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code.co_name != "__del__":
        frame = frame.f_back
    return frame is not None


def interrupt() -> None:
    """Press Ctrl-C."""
    raise KeyboardInterrupt


if sys.version_info >= (3, 12):
    _monitoring = sys.monitoring
    _TOOL = 4

    def _watch(hear: Callable[[CodeType, int], None] | None) -> None:
        """Have `hear` called at each point; None to have it called no more."""
        if hear is None:
            if _monitoring.get_tool(_TOOL) is not None:
                _monitoring.set_events(_TOOL, 0)
                _monitoring.free_tool_id(_TOOL)
            return

        def step(code: CodeType, offset: int) -> object:
            if offset not in points_in(code):
                return _monitoring.DISABLE
            hear(code, offset)
            return None

        _monitoring.use_tool_id(_TOOL, "interrupts")
        _monitoring.register_callback(_TOOL, _monitoring.events.INSTRUCTION, step)
        _monitoring.set_events(_TOOL, _monitoring.events.INSTRUCTION)
        _monitoring.restart_events()

else:
    _before: list[Any] = []

    def _watch(hear: Callable[[CodeType, int], None] | None) -> None:
        """Have `hear` called at each point; None to have it called no more."""
        if hear is None:
            if _before:
                sys.settrace(_before.pop())
            return

        def step(frame: FrameType, kind: str, _: object) -> Trace:
            if kind == "opcode" and frame.f_lasti in points_in(frame.f_code) and _before:
                hear(frame.f_code, frame.f_lasti)
            return step

        def enter(frame: FrameType, kind: str, _: object) -> Trace | None:
            if not points_in(frame.f_code):
                return None
            frame.f_trace_lines, frame.f_trace_opcodes = False, True
            return step

        _before.append(sys.gettrace())
        sys.settrace(enter)
