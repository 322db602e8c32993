"""However the parent ends, the server and its folder end with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from confiture_flows.postgres import start_server

from .conftest import Footprint, wait_until

if TYPE_CHECKING:
    from pathlib import Path

SLEEP = "with start_server(BIN) as server:\n    tell(server)\n    time.sleep(60)\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGABRT])
def test_killed_parent_leaves_neither_server_nor_folder(start_parent, number: int) -> None:
    parent, footprint = start_parent(SLEEP)
    os.kill(parent.pid, number)
    assert parent.wait(60) == -number
    assert wait_until(lambda: not footprint.remains())


def test_ctrl_c_leaves_neither_server_nor_folder(start_parent) -> None:
    parent, footprint = start_parent(SLEEP)
    os.killpg(parent.pid, signal.SIGINT)
    assert parent.wait(60) != 0
    assert not footprint.remains()


def test_ctrl_c_leaves_the_server_to_the_parents_last_words(start_parent) -> None:
    parent, footprint = start_parent(
        "import psycopg\n"
        "with start_server(BIN) as server:\n"
        "    try:\n"
        "        tell(server)\n"
        "        time.sleep(60)\n"
        "    except KeyboardInterrupt:\n"
        "        time.sleep(1)\n"
        "        print(psycopg.connect(server.dsn).execute('SELECT 41 + 1').fetchone()[0])\n"
    )
    os.killpg(parent.pid, signal.SIGINT)
    out, _ = parent.communicate(timeout=60)
    assert out.strip() == "42"
    assert not footprint.remains()


def test_exit_without_leaving_the_block_ends_the_server(start_parent) -> None:
    parent, footprint = start_parent(
        "block = start_server(BIN)\ntell(block.__enter__())\ntime.sleep(1)\nos._exit(0)\n"
    )
    assert parent.wait(60) == 0
    assert wait_until(lambda: not footprint.remains())


def test_forked_child_that_outlives_the_parent_does_not_keep_the_server(start_parent) -> None:
    parent, footprint = start_parent(
        "with start_server(BIN) as server:\n"
        "    if os.fork() == 0:\n"
        "        time.sleep(60)\n"
        "        os._exit(0)\n"
        "    tell(server)\n"
        "    time.sleep(60)\n"
    )
    parent.kill()
    assert wait_until(lambda: not footprint.remains())


def test_forked_child_that_leaves_the_block_does_not_end_the_server(start_parent) -> None:
    parent, footprint = start_parent(
        "import psycopg\n"
        "with start_server(BIN) as server:\n"
        "    child = os.fork()\n"
        "    if child:\n"
        "        tell(server)\n"
        "        os.waitpid(child, 0)\n"
        "        time.sleep(1)\n"
        "        print(psycopg.connect(server.dsn).execute('SELECT 41 + 1').fetchone()[0])\n"
    )
    out, _ = parent.communicate(timeout=60)
    assert out.strip() == "42"
    assert not footprint.remains()


def test_killed_supervisor_leaves_nothing_after_the_block(any_bin_dir: Path) -> None:
    with start_server(any_bin_dir) as server:
        folder = conninfo_to_dict(server.dsn)["host"]
        footprint = Footprint(str(folder))
        os.kill(footprint.supervisor(), signal.SIGKILL)
        if sys.platform == "linux":
            assert wait_until(lambda: not footprint.server_runs())
    assert wait_until(lambda: not footprint.remains())


def test_server_that_crashed_leaves_nothing_after_the_block(any_bin_dir: Path) -> None:
    with start_server(any_bin_dir) as server:
        footprint = Footprint(str(conninfo_to_dict(server.dsn)["host"]))
        segments = footprint.shared_segments()
        # The one thing no file names; 56 bytes, but macOS allows no more than 32 of them.
        number = (
            (footprint.folder / "data" / "postmaster.pid").read_text().splitlines()[6].split()[1]
        )
        os.kill(footprint.pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.dsn)
    subprocess.run(["ipcrm", "-m", number], check=True)
    assert wait_until(lambda: not footprint.remains())
    if footprint.folder.is_relative_to("/dev/shm"):
        assert segments
        assert not any(segment.exists() for segment in segments)
