"""A limit leaves nothing behind in the process."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Python 3.11 never ends a call that is traced while an interrupt is thought to be on its way.
TRACED = """
import sys, threading, time
from confiture_flows.hooks.limits import TimeIsUp, time_limit

def hook():
    try:
        with time_limit({seconds}):
            for _ in range({turns}):
                time.sleep(0.01)
    except TimeIsUp:
        print("ended")

thread = threading.Thread(target=hook)
thread.start()
thread.join()

def traced():
    print("called")

sys.settrace(lambda *_: None)
traced()
"""


@pytest.mark.parametrize(
    ("seconds", "turns", "said"), [(60, 1, "called\n"), (0.05, 10_000, "ended\ncalled\n")]
)
def test_limit_of_a_thread_leaves_no_interrupt_on_its_way(
    seconds: float, turns: int, said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TRACED.format(seconds=seconds, turns=turns)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.stdout, done.stderr) == (said, "")
