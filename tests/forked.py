"""The installed program, forked from a process that has imported it.

A start takes some 20 ms instead of the most of a second, of which the tests of commands have
hundreds. All else is as if it had been started: a process, its streams, folder, environment,
arguments, signals and end. What Python reads when it starts is that of the first process, so who
sets such a variable starts the program itself.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NoReturn

PROGRAM = Path(sys.executable).with_name("confiture-flows")
# What commands import when they run. Prefect is none of it: it reads the environment meanwhile.
_IMPORTED = (
    "confiture_flows.anonymization.planning",
    "confiture_flows.dryrun.report",
    "confiture_flows.lint.runner",
    "confiture_flows.migrations.plain",
    "confiture_flows.report.console",
    "hypothesis",
    "postgast",
    "psycopg",
    "pydantic",
    "rich.table",
    "sqlfluff.core",
)


class ForkedProgram:
    """A program that runs, with what tests need of `subprocess.Popen`.

    Attributes:
        pid: Of its process.
        returncode: None until its end is known; below zero for a signal.
    """

    def __init__(self, pid: int, told: int, out: IO[bytes], err: IO[bytes]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._told, self._out, self._err = told, out, err

    def wait(self, timeout: float) -> int:
        """Wait for its end; raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("confiture-flows", timeout)
            said = os.read(self._told, 32)
            os.close(self._told)
            assert said, "the process that it was forked from is gone"
            self.returncode = os.waitstatus_to_exitcode(int(said))
        return self.returncode

    def communicate(self, timeout: float = 60) -> tuple[str, str]:
        """Wait for its end; what it said on both streams."""
        self.wait(timeout)
        said = []
        for stream in (self._out, self._err):
            stream.seek(0)
            said.append(stream.read().decode())
            stream.close()
        return said[0], said[1]

    def kill(self) -> None:
        """Kill it, if it has not ended."""
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)


class ForkingProcess:
    """The process that has imported the program; it ends with its control socket."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control

    def start(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> ForkedProgram:
        """Run the program in a folder, with nothing to read, as in a pipe."""
        wanted = {"arguments": [*arguments], "folder": str(folder), "environment": {**environment}}
        out, err = (tempfile.TemporaryFile() for _ in range(2))  # noqa: SIM115
        mine, told = os.pipe()
        with open(os.devnull, "rb") as nothing:
            streams = [nothing.fileno(), out.fileno(), err.fileno(), told]
            socket.send_fds(self._control, [json.dumps(wanted).encode()], streams)
        os.close(told)
        said = os.read(mine, 32)
        assert said, "the process that programs are forked from is gone"
        return ForkedProgram(int(said), mine, out, err)


@contextmanager
def forking_process() -> Iterator[ForkingProcess]:
    """Start it; it imports while others go on."""
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, __file__, str(its.fileno())]
    with subprocess.Popen(
        command,
        pass_fds=[its.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"LC_ALL": "C.UTF-8"},
    ):
        its.close()
        with mine:
            yield ForkingProcess(mine)


def _serve(control: socket.socket) -> dict[str, Any]:
    """Fork for each request, and tell of each end; returns in the children, with the request."""
    children: dict[int, int] = {}
    wakened, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    while True:
        ready, _, _ = select.select([control, wakened], [], [])
        if wakened in ready:
            os.read(wakened, 4096)
            _tell_ends(children)
        if control in ready:
            asked, streams, _, _ = socket.recv_fds(control, 1 << 20, 4)
            if not asked:
                os._exit(0)
            *standard, told = streams
            if pid := os.fork():
                children[pid] = told
                os.write(told, str(pid).encode())
                for each in standard:
                    os.close(each)
                continue
            for number, each in enumerate(standard):
                os.dup2(each, number)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for each in (*streams, *children.values(), wakened, wake):
                os.close(each)
            control.close()
            return json.loads(asked)


def _tell_ends(children: dict[int, int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        told = children.pop(pid)
        with contextlib.suppress(BrokenPipeError):
            os.write(told, str(status).encode())
        os.close(told)


def _main() -> NoReturn:
    for name in _IMPORTED:
        importlib.import_module(name)
    from confiture_flows.cli.main import program

    assert "prefect" not in sys.modules
    gc.freeze()
    asked = _serve(socket.socket(fileno=int(sys.argv[1])))
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = [str(PROGRAM), *asked["arguments"]]
    program()


if __name__ == "__main__":
    _main()
