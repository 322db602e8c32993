"""The seccomp filter, run by a small machine here: also for the processor that this is not."""

from __future__ import annotations

import struct

import pytest

from confiture_flows.anonymization.sandbox import bpf

ALLOW, KILL, DENY = bpf.RETURN_ALLOW, bpf.RETURN_KILL_PROCESS, bpf.RETURN_ERRNO | bpf.EPERM
machines = pytest.mark.parametrize("name", sorted(bpf.ARCHITECTURES))
# Of each machine: what must never be allowed.
FORBIDDEN = {
    "x86_64": {
        "open": 2, "socket": 41, "connect": 42, "sendto": 44, "clone": 56, "fork": 57, "vfork": 58,
        "execve": 59, "kill": 62, "fcntl": 72, "ptrace": 101, "prctl": 157, "setrlimit": 160,
        "tgkill": 234, "openat": 257, "prlimit64": 302, "process_vm_readv": 310, "seccomp": 317,
        "memfd_create": 319, "bpf": 321, "execveat": 322, "pidfd_open": 434, "io_uring_setup": 425,
        "clone3": 435, "openat2": 437, "pkey_mprotect": 329, "rt_sigaction": 13, "shmget": 29,
    },
    "aarch64": {
        "fcntl": 25, "openat": 56, "kill": 129, "tgkill": 131, "rt_sigaction": 134,
        "setrlimit": 164,
        "prctl": 167, "socket": 198, "connect": 203, "sendto": 206, "clone": 220, "execve": 221,
        "prlimit64": 261, "process_vm_readv": 270, "seccomp": 277, "memfd_create": 279, "bpf": 280,
        "execveat": 281, "io_uring_setup": 425, "pidfd_open": 434, "clone3": 435, "openat2": 437,
        "ptrace": 117, "pkey_mprotect": 288, "shmget": 194,
    },
}  # fmt: skip


def run(code: bytes, number: int, audit: int, arguments: tuple[int, ...] = ()) -> int:
    """What a filter answers to a system call."""
    data = struct.pack("<IIQ6Q", number, audit, 0, *(*arguments, *[0] * 6)[:6])
    place, word = 0, 0
    while True:
        op, yes, no, value = struct.unpack_from("=HBBI", code, 8 * place)
        place += 1
        if op == bpf.LOAD:
            (word,) = struct.unpack_from("<I", data, value)
        elif op == bpf.RETURN:
            return value
        else:
            taken = {
                bpf.JUMP_EQUAL: word == value,
                bpf.JUMP_ABOVE: word >= value,
                bpf.JUMP_BITS: bool(word & value),
            }[op]
            place += yes if taken else no


@machines
def test_only_named_calls_are_allowed(name: str) -> None:
    machine = bpf.ARCHITECTURES[name]
    code = bpf.worker_filter(machine)
    allowed = {n for n in range(1000) if run(code, n, machine.audit) == ALLOW}
    assert allowed == set(machine.calls.values())
    assert not allowed & set(FORBIDDEN[name].values())
    for number in FORBIDDEN[name].values():
        assert run(code, number, machine.audit) == DENY


@machines
@pytest.mark.parametrize("call", ["mmap", "mprotect"])
def test_memory_is_given_unless_it_can_be_executed(name: str, call: str) -> None:
    machine = bpf.ARCHITECTURES[name]
    code, number = bpf.worker_filter(machine), machine.calls[call]
    for protection in range(8):
        expected = DENY if protection & 4 else ALLOW
        assert run(code, number, machine.audit, (0, 4096, protection)) == expected
    # Of 64 bits the kernel looks at the low half alone, as the filter does.
    assert run(code, number, machine.audit, (0, 4096, 1 << 34)) == ALLOW


@machines
def test_calls_of_another_table_end_the_process(name: str) -> None:
    machine = bpf.ARCHITECTURES[name]
    code = bpf.worker_filter(machine)
    read = machine.calls["read"]
    assert run(code, read, 0x40000003) == KILL  # i386
    other = next(each for each in bpf.ARCHITECTURES.values() if each is not machine)
    assert run(code, read, other.audit) == KILL
    expected = KILL if machine.second_table else DENY
    assert run(code, 0x40000000 + read, machine.audit) == expected


def test_jump_that_does_not_fit_is_refused() -> None:
    far = [bpf._Step(bpf.JUMP_EQUAL, 0, then="end")]
    far += [bpf._Step(bpf.LOAD, 0)] * 256
    far.append(bpf._Step(bpf.RETURN, 0, label="end"))
    with pytest.raises(ValueError, match="jump to end does not fit"):
        bpf.assemble(far)
    back = [bpf._Step(bpf.LOAD, 0, label="start"), bpf._Step(bpf.JUMP_EQUAL, 0, then="start")]
    with pytest.raises(ValueError, match="does not fit"):
        bpf.assemble(back)
