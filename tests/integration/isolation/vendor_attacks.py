"""What a hostile strategy would try. Each gives the value back where it gets nowhere: "refused"."""

from __future__ import annotations

import ctypes
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
REFUSED = "refused"


def _failed(result: int) -> bool:
    return result < 0


def read_file(value: str) -> str:
    """By the interpreter, then by the C library."""
    try:
        with open(value) as file:
            return file.read()
    except OSError:
        pass
    number = libc.open(value.encode(), os.O_RDONLY)
    if _failed(number):
        return REFUSED
    buffer = ctypes.create_string_buffer(4096)
    return buffer.raw[: libc.read(number, buffer, 4096)].decode(errors="replace")


def read_environment(value: str) -> str:
    """The parent's, by its number, and what this process itself was started with."""
    own = " ".join(f"{name}={text}" for name, text in os.environ.items())
    for number in (value, "self"):
        if (found := read_file(f"/proc/{number}/environ")) != REFUSED:
            own += found
    return own or REFUSED


def write_file(value: str) -> str:
    """Make a file."""
    try:
        with open(value, "w") as file:
            file.write("mine")
        return "written"
    except OSError:
        number = libc.open(value.encode(), os.O_CREAT | os.O_WRONLY, 0o600)
        return REFUSED if _failed(number) else "written"


def _connected(family: int, address: bytes) -> str:
    kind = 1  # SOCK_STREAM
    number = libc.socket(family, kind, 0)
    if _failed(number) or _failed(libc.connect(number, address, len(address))):
        return REFUSED
    return "connected"


def _internet(value: str) -> bytes:
    host, _, port = value.partition(":")
    return (
        (2).to_bytes(2, sys.byteorder)
        + int(port).to_bytes(2, "big")
        + bytes(map(int, host.split(".")))
        + bytes(8)
    )


def connect_tcp(value: str) -> str:
    """host:port; samples of a registration are none."""
    return _connected(2, _internet(value)) if value[:1].isdigit() and ":" in value else REFUSED


def connect_unix(value: str) -> str:
    """The path of a socket."""
    return _connected(1, (1).to_bytes(2, sys.byteorder) + value.encode()[:100] + b"\0")


def send_udp(value: str) -> str:
    """host:port."""
    if not (value[:1].isdigit() and ":" in value):
        return REFUSED
    number = libc.socket(2, 2, 0)
    address = _internet(value)
    if _failed(number) or _failed(libc.sendto(number, b"stolen", 6, 0, address, len(address))):
        return REFUSED
    return "sent"


def execute(value: str) -> str:
    """A shell that makes a file."""
    try:
        if os.system(f"echo mine > '{value}'") == 0:
            return "executed"
    except OSError:
        pass
    try:
        child = os.posix_spawn("/bin/true", ["true"], {})
        os.waitpid(child, 0)
    except OSError:
        return REFUSED
    return "executed"


def signal_parent(value: str) -> str:
    """pid:number."""
    if not value.replace(":", "").isdigit():
        return REFUSED
    pid, _, number = value.partition(":")
    try:
        os.kill(int(pid), int(number))
    except OSError:
        return REFUSED if _failed(libc.kill(int(pid), int(number))) else "signalled"
    return "signalled"


def take_memory(value: str) -> str:
    """Three GB, by the interpreter and by the kernel; untouched, they cost nothing."""
    try:
        return f"took {len(bytearray(3 << 30)) >> 30} GB"
    except MemoryError:
        pass
    libc.mmap.restype = ctypes.c_void_p
    anonymous = 0x22  # MAP_PRIVATE | MAP_ANONYMOUS
    found = libc.mmap(None, ctypes.c_size_t(3 << 30), 3, anonymous, -1, ctypes.c_long(0))
    return REFUSED if found == ctypes.c_void_p(-1).value else "took 3 GB"


def fork(value: str) -> str:
    """Children without end, if there is one."""
    try:
        child = os.fork()
    except OSError:
        return REFUSED
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return "forked"


def run_machine_code(value: str) -> str:
    """Memory that can be executed, such as shell code needs."""
    libc.mmap.restype = ctypes.c_void_p
    found = libc.mmap(None, ctypes.c_size_t(4096), 7, 0x22, -1, ctypes.c_long(0))
    return REFUSED if found == ctypes.c_void_p(-1).value else "mapped"
