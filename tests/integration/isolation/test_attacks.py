"""What succeeds in this process is refused behind the walls: each attack is made both ways."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from confiture_flows.anonymization.sandbox.strategy import SandboxedStrategy
from confiture_flows.postgres import Server
from confiture_flows.postgres.launcher import start_server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")

Isolate = Callable[..., SandboxedStrategy]
REFUSED = "refused"


@pytest.fixture(scope="module")
def doors(server: Server) -> Iterator[tuple[str, str]]:
    """A PostgreSQL's address as host:port, and the path of its socket."""
    if server.bin_dir is None:
        pytest.skip("the server's binaries are not here")
    with start_server(server.bin_dir, tcp=True) as found, psycopg.connect(found.dsn) as conn:
        port = conninfo_to_dict(found.dsn)["port"]
        (folder,) = conn.execute("SHOW unix_socket_directories").fetchone() or ("",)
        folder = folder.strip('"')
        yield f"127.0.0.1:{port}", f"{folder}/.s.PGSQL.{port}"


def test_system_file_cannot_be_read(isolate: Isolate, attacks: ModuleType) -> None:
    assert "root" in attacks.read_file("/etc/passwd")
    assert isolate("vendor_attacks:read_file").anonymize("/etc/passwd") == REFUSED


def test_environment_of_the_parent_cannot_be_read(
    isolate: Isolate, attacks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONFITURE_ANONYMIZATION_SECRET", "very-secret-indeed")
    me = str(os.getpid())
    assert "very-secret-indeed" in attacks.read_environment(me)
    assert "PATH=" in attacks.read_file(f"/proc/{me}/environ")
    assert isolate("vendor_attacks:read_environment").anonymize(me) == REFUSED


def test_file_cannot_be_written(isolate: Isolate, attacks: ModuleType, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    mine, other = tmp_path / "mine", tmp_path / "other"
    assert attacks.write_file(str(mine)) == "written"
    assert isolate("vendor_attacks:write_file").anonymize(str(other)) == REFUSED
    assert mine.exists()
    assert not other.exists()


def test_postgres_cannot_be_reached_by_tcp(
    isolate: Isolate, attacks: ModuleType, doors: tuple[str, str]
) -> None:
    assert attacks.connect_tcp(doors[0]) == "connected"
    assert isolate("vendor_attacks:connect_tcp").anonymize(doors[0]) == REFUSED


def test_postgres_cannot_be_reached_by_its_socket(
    isolate: Isolate, attacks: ModuleType, doors: tuple[str, str]
) -> None:
    assert attacks.connect_unix(doors[1]) == "connected"
    assert isolate("vendor_attacks:connect_unix").anonymize(doors[1]) == REFUSED


def test_program_cannot_be_executed(isolate: Isolate, attacks: ModuleType, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    mine, other = tmp_path / "mine", tmp_path / "other"
    assert attacks.execute(str(mine)) == "executed"
    assert isolate("vendor_attacks:execute").anonymize(str(other)) == REFUSED
    assert mine.exists()
    assert not other.exists()


def test_parent_cannot_be_signalled(isolate: Isolate, attacks: ModuleType) -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _frame: seen.append(number))
    try:
        order = f"{os.getpid()}:{int(signal.SIGUSR1)}"
        assert attacks.signal_parent(order) == "signalled"
        assert len(seen) == 1
        assert isolate("vendor_attacks:signal_parent").anonymize(order) == REFUSED
        assert len(seen) == 1
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_memory_is_bounded(isolate: Isolate, attacks: ModuleType) -> None:
    assert isolate("vendor_attacks:take_memory").anonymize("now") == REFUSED


def test_datagram_cannot_be_sent(isolate: Isolate, attacks: ModuleType) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        assert attacks.send_udp(address) == "sent"
        assert listener.recv(10) == b"stolen"
        assert isolate("vendor_attacks:send_udp").anonymize(address) == REFUSED
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.recv(10)


def test_no_child_can_be_forked(isolate: Isolate, attacks: ModuleType) -> None:
    assert attacks.fork("now") == "forked"
    assert isolate("vendor_attacks:fork").anonymize("now") == REFUSED


def test_no_machine_code_can_be_made(isolate: Isolate, attacks: ModuleType) -> None:
    assert attacks.run_machine_code("now") == "mapped"
    assert isolate("vendor_attacks:run_machine_code").anonymize("now") == REFUSED


def test_kernel_confirms_the_walls(isolate: Isolate) -> None:
    strategy = isolate("vendor_attacks:fork")
    assert {"process", "limits", "no-new-privs", "no-debugging", "seccomp"} <= {*strategy.walls}
    status = dict(
        line.split(":\t", 1)
        for line in Path(f"/proc/{strategy.pid}/status").read_text().splitlines()
        if ":\t" in line
    )
    assert status["Seccomp"] == "2"
    assert status["NoNewPrivs"] == "1"
    if os.geteuid() == 0:
        assert "user" in strategy.walls
        assert "0" not in status["Uid"].split()
        assert "0" not in status["Gid"].split()
        assert int(status["CapEff"], 16) == 0
        # Who may read /proc/PID/... of a process that is not dumpable: root alone.
        open_files = os.listdir(f"/proc/{strategy.pid}/fd")
        assert sorted(map(int, open_files)) == [0, 1, 2, 3, 4]
        assert Path(f"/proc/{strategy.pid}/environ").read_text().count("=") == 2
