"""Which system calls a worker may make -> a seccomp filter in classic BPF. Pure.

What is not allowed fails with EPERM, so that Python says which call was refused; a call of another
architecture ends the process. Source: Linux, Documentation/userspace-api/seccomp_filter.rst.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

EPERM = 1
RETURN_ALLOW = 0x7FFF0000
RETURN_ERRNO = 0x00050000
RETURN_KILL_PROCESS = 0x80000000

# Of classic BPF: load a word, compare, test bits, return.
LOAD, JUMP_EQUAL, JUMP_ABOVE, JUMP_BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# Of struct seccomp_data; the low half of an argument, on little-endian machines.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_X32 = 0x40000000  # x86_64 has a second table of calls above this number
_PROT_EXEC = 0x4
_FARTHEST = 255

# To compute, to allocate, to know the time, to read a pipe and to write to one: that is all there
# is to masking. No file, no socket, no process, no signal, no change of any limit.
_ALLOWED = """
read write close munmap mremap madvise brk futex getrandom gettimeofday time clock_gettime
clock_getres clock_nanosleep nanosleep sched_yield getpid gettid rt_sigprocmask rt_sigreturn
sigaltstack restart_syscall rseq exit exit_group
"""
# Allowed unless they ask for memory that can be executed; the argument that says so.
_NO_NEW_CODE = {"mmap": 2, "mprotect": 2}


@dataclass(frozen=True, slots=True)
class Architecture:
    """How a machine numbers its system calls.

    Attributes:
        audit: As seccomp names it.
        seccomp: The number of the call that sets a filter.
        calls: The numbers of those that a worker may make; what a machine has not is missing.
        second_table: Whether numbers above 2**30 are calls of their own.
    """

    audit: int
    seccomp: int
    calls: dict[str, int]
    second_table: bool = False


# Source: Linux, arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
ARCHITECTURES = {
    "x86_64": Architecture(
        0xC000003E,
        317,
        {
            "read": 0, "write": 1, "close": 3, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12,
            "rt_sigprocmask": 14, "rt_sigreturn": 15, "sched_yield": 24, "mremap": 25,
            "madvise": 28, "nanosleep": 35, "getpid": 39, "exit": 60, "gettimeofday": 96,
            "sigaltstack": 131, "gettid": 186, "time": 201, "futex": 202, "restart_syscall": 219,
            "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231,
            "getrandom": 318, "rseq": 334,
        },
        second_table=True,
    ),
    "aarch64": Architecture(
        0xC00000B7,
        277,
        {
            "close": 57, "read": 63, "write": 64, "exit": 93, "exit_group": 94, "futex": 98,
            "nanosleep": 101, "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115,
            "sched_yield": 124, "restart_syscall": 128, "sigaltstack": 132,
            "rt_sigprocmask": 135, "rt_sigreturn": 139, "gettimeofday": 169, "getpid": 172,
            "gettid": 178, "brk": 214, "munmap": 215, "mremap": 216, "mmap": 222, "mprotect": 226,
            "madvise": 233, "getrandom": 278, "rseq": 293,
        },
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Step:
    """An instruction; a label of None is the next one."""

    code: int
    value: int
    then: str | None = None
    otherwise: str | None = None
    label: str | None = None


def assemble(steps: list[_Step]) -> bytes:
    """Instructions with labels -> `struct sock_filter[]`.

    Raises:
        ValueError: A jump goes backwards or farther than 255 instructions.
    """
    places = {step.label: place for place, step in enumerate(steps) if step.label}

    def distance(here: int, label: str | None) -> int:
        far = 0 if label is None else places[label] - here - 1
        if not 0 <= far <= _FARTHEST:
            raise ValueError(f"the jump to {label} does not fit")
        return far

    return b"".join(
        struct.pack(
            "=HBBI", each.code, distance(n, each.then), distance(n, each.otherwise), each.value
        )
        for n, each in enumerate(steps)
    )


def worker_filter(machine: Architecture) -> bytes:
    """The filter of a worker, as `struct sock_filter[]`."""
    steps = [
        _Step(LOAD, _ARCHITECTURE),
        _Step(JUMP_EQUAL, machine.audit, otherwise="kill"),
        _Step(LOAD, _NUMBER),
    ]
    if machine.second_table:
        steps.append(_Step(JUMP_ABOVE, _X32, then="kill"))
    steps += [
        _Step(JUMP_EQUAL, machine.calls[name], then="allow")
        for name in _ALLOWED.split()
        if name in machine.calls
    ]
    for name, argument in _NO_NEW_CODE.items():
        steps += [
            _Step(JUMP_EQUAL, machine.calls[name], otherwise=f"after {name}"),
            _Step(LOAD, _ARGUMENTS + 8 * argument),
            _Step(JUMP_BITS, _PROT_EXEC, then="deny", otherwise="allow"),
            _Step(LOAD, _NUMBER, label=f"after {name}"),
        ]
    steps += [
        _Step(RETURN, RETURN_ERRNO | EPERM, label="deny"),
        _Step(RETURN, RETURN_ALLOW, label="allow"),
        _Step(RETURN, RETURN_KILL_PROCESS, label="kill"),
    ]
    return assemble(steps)
