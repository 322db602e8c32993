"""One worker process: started behind walls, asked over pipes under a deadline, ended by its pid.

What it answers is read as bytes of a stranger: the kind has to be one that was asked for, the size
bounded, and nothing may come unasked.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from confiture_flows.anonymization.sandbox.frames import (
    FRAME_BYTES,
    HEAD_BYTES,
    NOTE_BYTES,
    Kind,
    frame,
    head,
)
from confiture_flows.errors import StrategyCrashError, StrategyError

if TYPE_CHECKING:
    from collections.abc import Collection

START_SECONDS = 60.0
_PIPE_BYTES = 1 << 20
_BOOT = (
    "import sys; sys.path += sys.argv[1:]; "
    "from confiture_flows.anonymization.sandbox.worker import main; main()"
)
# From where those are imported here; nothing else of this process's path is the worker's.
_LIBRARIES = (
    "confiture_flows",
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "typing_extensions",
    "typing_inspection",
)


class Worker:
    """A process that runs one untrusted strategy.

    It ends with this object, with its parent's last reference to the pipe, or by SIGKILL.

    Attributes:
        who: The strategy, as errors name it.
        walls: Those that stand.
        busy_seconds: How long it was waited for.
    """

    def __init__(self, who: str) -> None:
        """Start it; it has not seen any code of the module yet.

        Args:
            who: The strategy, as errors name it.

        Raises:
            StrategyCrashError: It does not start.
        """
        self.who = who
        self._parent = os.getpid()
        self._process = _start()
        self._end = weakref.finalize(self, _end, self._process, self._parent)
        self.busy_seconds = 0.0
        answer = self.ask(None, (Kind.STANDING,), START_SECONDS)[1]
        assert self._process.stderr is not None  # noqa: S101 - a pipe, see Popen
        self._process.stderr.close()
        self.walls: tuple[str, ...] = tuple(self.note(answer)["walls"])

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether this process can still ask it; a fork of this process cannot."""
        return self._end.alive and self._parent == os.getpid()

    def close(self) -> None:
        """End it."""
        self._end()

    def ask(
        self, request: bytes | None, kinds: Collection[Kind], seconds: float
    ) -> tuple[Kind, bytes]:
        """Send a frame and wait for the answer.

        Args:
            request: The frame; None only waits.
            kinds: What may be answered.
            seconds: How long it may take; then the process is killed.

        Raises:
            StrategyCrashError: It took too long, or died.
            StrategyError: It answered something else.
        """
        started = time.monotonic()
        try:
            data = self._exchange(request, started + seconds)
        except TimeoutError:
            self.close()
            raise StrategyCrashError(
                f"{self.who} took longer than {seconds:g} s; its process was killed.",
                next_step="Mend it, or give it more time: `timeout` in [anonymization.modules].",
            ) from None
        except (EOFError, BrokenPipeError, ConnectionError):
            self._died()
        finally:
            self.busy_seconds += time.monotonic() - started
        kind = data[HEAD_BYTES - 1]
        if kind not in kinds:
            self.broken("answered what nobody had asked for")
        return Kind(kind), bytes(memoryview(data)[HEAD_BYTES:])

    def note(self, body: bytes) -> dict[str, Any]:
        """A body in JSON.

        Raises:
            StrategyError: It is no object.
        """
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            self.broken("answered what is no JSON object")
        return said

    def broken(self, what: str) -> NoReturn:
        """Kill it, since it does not keep to the protocol, and say so.

        Raises:
            StrategyError: Always.
        """
        self.close()
        raise StrategyError(
            f"{self.who} {what}; its process was killed.",
            next_step="Do not use it before its author has explained that.",
        )

    def _exchange(self, request: bytes | None, deadline: float) -> bytearray:
        assert self._process.stdin is not None  # noqa: S101 - pipes, see Popen
        assert self._process.stdout is not None  # noqa: S101
        to, back = self._process.stdin.fileno(), self._process.stdout.fileno()
        unsent = memoryview(request or b"")
        data = bytearray()
        expected: int | None = None
        watch = select.poll()
        watch.register(back, select.POLLIN)
        if unsent:
            with suppress(BlockingIOError):
                unsent = unsent[os.write(to, unsent) :]
            if unsent:
                watch.register(to, select.POLLOUT)
        while unsent or expected is None or len(data) < expected:
            left = deadline - time.monotonic()
            ready = watch.poll(max(0.0, left) * 1000)
            if not ready:
                raise TimeoutError
            for descriptor, _events in ready:
                if descriptor == to:
                    with suppress(BlockingIOError):
                        unsent = unsent[os.write(to, unsent[:_PIPE_BYTES]) :]
                    if not unsent:
                        watch.unregister(to)
                    continue
                with suppress(BlockingIOError):
                    part = os.read(back, _PIPE_BYTES)
                    if not part:
                        raise EOFError
                    data += part
            if expected is None and len(data) >= HEAD_BYTES:
                expected = self._expected(data)
            if expected is not None and len(data) > expected:
                self.broken("answered more than it was asked for")
        return data

    def _expected(self, data: bytearray) -> int:
        size, kind = head(data)
        most = FRAME_BYTES if kind == Kind.RESULTS else NOTE_BYTES
        if not 0 <= size <= most:
            self.broken("answered with more bytes than an answer may have")
        return HEAD_BYTES + size

    def _died(self) -> NoReturn:
        code = _ended(self._process)
        told = b""
        stderr = self._process.stderr
        # Still open only while nothing but our own code has run there.
        if stderr is not None and not stderr.closed:
            told = stderr.read()
        self.close()
        how = _cause(code)
        last = told.decode(errors="replace").strip().rpartition("\n")[2]
        raise StrategyCrashError(
            f"The process of {self.who} died: {how}." + (f" It said: {last}" if last else ""),
            next_step="It can be tried outside of a copy: confiture-flows strategies test",
        )


def _start() -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        # Isolated and without site-packages: no .pth file and no variable reaches it.
        [sys.executable, "-I", "-S", "-B", "-c", _BOOT, *_paths()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env=_environment(),
        cwd="/",
        close_fds=True,
        start_new_session=True,
    )
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None  # noqa: S101 - see Popen
        os.set_blocking(pipe.fileno(), False)
    return process


def _paths() -> list[str]:
    found: dict[str, None] = {}
    for name in _LIBRARIES:
        spec = sys.modules[name].__spec__ if name in sys.modules else None
        if spec is not None and spec.origin:
            file = Path(spec.origin)
            found[str(file.parents[1] if spec.submodule_search_locations else file.parent)] = None
    return list(found)


def _environment() -> dict[str, str]:
    own = {"LC_ALL": "C.UTF-8", "TZ": "UTC"}
    # An interpreter that is built with a shared library may not start without.
    for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
        if name in os.environ:
            own[name] = os.environ[name]
    return own


def _end(process: subprocess.Popen[bytes], parent: int) -> None:
    """Kill and reap; a forked child of ours only drops its copies of the pipes."""
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    if parent == os.getpid():
        process.kill()
        process.wait()


def _ended(process: subprocess.Popen[bytes]) -> int:
    """How a process ended whose pipe is closed; one that only closed its pipe is killed."""
    try:
        return process.wait(1.0)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _cause(code: int) -> str:
    if code == -signal.SIGXCPU:
        return "it used up its time on the processor"
    if code < 0:
        with suppress(ValueError):
            return signal.Signals(-code).name
        return f"signal {-code}"
    return f"it exited with {code}"


def load(sources: dict[str, tuple[str, str, bool]], module: str, name: str) -> bytes:
    """The frame that hands over a module."""
    said = {"sources": sources, "module": module, "name": name}
    return frame(Kind.LOAD, json.dumps(said).encode())
