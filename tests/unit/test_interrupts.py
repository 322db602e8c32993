"""Ctrl-C is answered at once, and does not reach what is kept out of its reach."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from confiture_flows.flows.own_server import out_of_reach
from confiture_flows.runs.interrupts import told_at_once


def test_interrupt_is_told_and_goes_on_as_one() -> None:
    before = signal.getsignal(signal.SIGINT)
    said: list[str] = []

    with pytest.raises(KeyboardInterrupt), told_at_once(said.append, "stopping"):
        signal.raise_signal(signal.SIGINT)

    assert said == ["stopping"]
    assert signal.getsignal(signal.SIGINT) == before


def test_process_started_out_of_reach_outlives_ctrl_c() -> None:
    program = [sys.executable, "-c", "print(flush=True); input(); print('alive')"]
    pipe = subprocess.PIPE
    with out_of_reach() as pool:
        child = pool.submit(subprocess.Popen, program, stdin=pipe, stdout=pipe, text=True).result()
    with child:
        assert child.stdout is not None
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        assert child.communicate("\n", timeout=60)[0] == "alive\n"
