"""Programs started by tests: they behave as if a player had started them."""

import signal
import sys

import pytest
from programs import Start


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no Ctrl-C to send")
def test_ctrl_c_reaches_a_program_of_tests_that_ignore_it(start: Start) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does to what it starts in the background
    try:
        program = start("-c", "import time; print('up'); time.sleep(60)")
        program.until("up")
        program.interrupt()
        status = program.status()
        ignored = signal.getsignal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)

    assert "KeyboardInterrupt" in program.output
    assert status == -signal.SIGINT
    assert ignored == signal.SIG_IGN
