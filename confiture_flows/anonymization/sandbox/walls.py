"""What a worker has to do -> it can do nothing else: limits, an own user, Landlock, seccomp.

Called once, in the worker, after it has loaded all it needs and before it runs any code of the
module. Each wall is tried; the names of those that stand are the result.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from typing import TYPE_CHECKING

from confiture_flows.anonymization.sandbox.bpf import ARCHITECTURES, worker_filter

if TYPE_CHECKING:
    from confiture_flows.anonymization.sandbox.bpf import Architecture

MEMORY_BYTES = 768 << 20
# A worker that outlives its parent ends by itself; the parent renews it long before.
CPU_SECONDS = 900

_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38
_SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC = 1, 1
_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF = 444, 446
_LANDLOCK_VERSION = 1
_NOBODY = 65534
# Users that no system gives out: one worker can do nothing to another, nor to a daemon that runs
# as nobody.
_OWN_USERS = 1_900_000_000


class _FilterProgram(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def raise_walls(descriptors: int) -> tuple[str, ...]:
    """Shut this process in, for good.

    Args:
        descriptors: How many file descriptors it has open; it gets no more.

    Returns:
        The names of the walls that stand, of `process`, `user`, `limits`, `no-new-privs`,
        `no-debugging`, `landlock`, `seccomp`.
    """
    os.umask(0o777)
    os.chdir("/")
    # Of its own: a process, a session, an empty environment, no descriptor of the parent's.
    walls = ["process"]
    linux = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    if linux and linux.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        walls.append("no-new-privs")
        if _landlock(linux):
            walls.append("landlock")
    if os.geteuid() == 0 and _leave_root():
        walls.append("user")
    _limit(descriptors)
    walls.append("limits")
    if linux and linux.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0:
        walls.append("no-debugging")
    machine = ARCHITECTURES.get(platform.machine())
    if linux and machine and sys.maxsize > 1 << 32 and _seccomp(linux, machine):
        walls.append("seccomp")
    return tuple(walls)


def _leave_root() -> bool:
    """Become nobody else; whether that is done."""
    for user in (_OWN_USERS + os.getpid(), _NOBODY):
        try:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
        except OSError:  # in a container that knows only some users
            continue
        return True
    return False


def _limit(descriptors: int) -> None:
    limits = {
        "RLIMIT_AS": MEMORY_BYTES,
        "RLIMIT_CPU": CPU_SECONDS,
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_NOFILE": descriptors,
        "RLIMIT_NPROC": 0,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_MSGQUEUE": 0,
    }
    for name, most in limits.items():
        kind = getattr(resource, name, None)  # macOS has not all of them
        if kind is None:
            continue
        present = resource.getrlimit(kind)[1]
        bound = most if present == resource.RLIM_INFINITY else min(most, present)
        try:
            resource.setrlimit(kind, (bound, bound))
        except (OSError, ValueError):
            # macOS refuses to bound the address space below what is mapped.
            if sys.platform == "linux":
                raise


def _landlock(linux: ctypes.CDLL) -> bool:
    """Forbid every path, TCP, and signals and abstract sockets of others, as the kernel can."""
    version = linux.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), _LANDLOCK_VERSION)
    if version < 1:
        return False
    # Source: Linux, include/uapi/linux/landlock.h; each version knows more.
    paths = 13 + sum(version >= since for since in (2, 3, 5))
    rules = struct.pack("=Q", (1 << paths) - 1)
    if version >= 4:
        rules += struct.pack("=Q", 0b11)
    if version >= 6:
        rules += struct.pack("=Q", 0b11)
    ruleset = linux.syscall(_LANDLOCK_CREATE_RULESET, rules, ctypes.c_size_t(len(rules)), 0)
    if ruleset < 0:
        return False
    try:
        return linux.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _seccomp(linux: ctypes.CDLL, machine: Architecture) -> bool:
    code = worker_filter(machine)
    program = _FilterProgram(len(code) // 8, code)
    return (
        linux.syscall(
            machine.seccomp,
            _SECCOMP_SET_MODE_FILTER,
            _SECCOMP_FILTER_FLAG_TSYNC,
            ctypes.byref(program),
        )
        == 0
    )
