"""This process and its descendants -> the processor time they took, and the memory they held.

The server of a benchmark is a descendant too, so that a busy machine is told from a slow copy:
whoever waits for a processor takes none.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_LOOK_SECONDS = 0.2
_WORKERS = ("copying.worker", "proof.worker")


def processor_seconds() -> tuple[float, float]:
    """What was used so far, by processes that have ended and were waited for too.

    Returns:
        Seconds of all, and of those the servers'.
    """
    of_parent: dict[int, list[int]] = {}
    ticks: dict[int, tuple[str, int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            name, _, rest = (entry / "stat").read_text().partition(" (")[2].rpartition(") ")
            fields = rest.split()
            pid = int(entry.name)
            of_parent.setdefault(int(fields[1]), []).append(pid)
            # utime, stime, and both of its children
            ticks[pid] = (name, sum(map(int, fields[11:15])))
    todo, everybody, servers = [os.getpid()], 0, 0
    while todo:
        pid = todo.pop()
        todo += of_parent.get(pid, [])
        name, used = ticks.get(pid, ("", 0))
        everybody += used
        servers += used if name == "postgres" else 0
    return everybody / _TICKS, servers / _TICKS


class Memory:
    """The most that this process and the workers of a copy held together, within the block.

    Attributes:
        most: Bytes of proportional set size: pages that several processes share count once.
    """

    def __init__(self) -> None:
        self.most = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        own = os.getpid()
        while not self._over.wait(_LOOK_SECONDS):
            children = Path(f"/proc/{own}/task").glob("*/children")
            pids = [own, *(int(pid) for each in children for pid in each.read_text().split())]
            self.most = max(self.most, sum(_held(pid) for pid in pids if _counts(pid, own)))


def _counts(pid: int, own: int) -> bool:
    with suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_text()
        return pid == own or any(each in command for each in _WORKERS)
    return False


def _held(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    return 0
