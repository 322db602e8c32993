"""A person at a terminal: width, progress, Ctrl-C, and readers that leave early."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support import eventually

from .conftest import PROGRAM, Runner

TOKENS = re.compile(r"\x1b\[(?P<number>[\d;?]*)(?P<command>[A-Za-z])|\r|\n|[^\x1b\r\n]+")


class Terminal:
    """The program in a pseudo-terminal of 80 columns."""

    def __init__(self, arguments: list[str], cwd: Path, environment: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            [PROGRAM, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd,
            env=environment | {"TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(slave)
        self.raw = b""

    def read(self, until: Callable[[str], bool] = lambda _: False, seconds: float = 30) -> str:
        """Read until something is there, or the program has ended."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not until(self.raw.decode(errors="replace")):
            if select.select([self._master], [], [], 0.1)[0]:
                try:
                    got = os.read(self._master, 65536)
                except OSError:  # the other end is closed
                    break
                if not got:
                    break
                self.raw += got
        return self.raw.decode(errors="replace")

    def type(self, text: str) -> None:
        """Type, as a person would."""
        os.write(self._master, text.encode())

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)


def screen(text: str) -> list[str]:
    """The lines that stand on the screen in the end: carriage return, erase and cursor up."""
    lines, row, column = [""], 0, 0
    for token in TOKENS.finditer(text):
        match token["command"] or token[0]:
            case "A":
                row = max(row - int(token["number"] or 1), 0)
            case "K":
                lines[row] = "" if token["number"] == "2" else lines[row][:column]
            case "\r":
                column = 0
            case "\n":
                row += 1
                lines += [""] * (row + 1 - len(lines))
            case written if not token["command"]:
                end = column + len(written)
                lines[row] = lines[row][:column].ljust(column) + written + lines[row][end:]
                column = end
    return [line.rstrip() for line in lines]


@pytest.fixture
def terminal(
    tmp_path: Path, environment: dict[str, str], dsn: str
) -> Iterator[Callable[..., Terminal]]:
    started: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        found = Terminal([*arguments], tmp_path, environment | {"CONFITURE_DSN": dsn})
        started.append(found)
        return found

    yield start
    for each in started:
        each.close()


@pytest.fixture
def running(conn: psycopg.Connection) -> Callable[[], int]:
    """How many queries of the program run."""

    def count() -> int:
        row = conn.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name LIKE 'confiture-flows%' AND state <> 'idle'"
            " AND query LIKE '%pg_sleep%'"
        ).fetchone()
        return row[0] if row else 0

    return count


def test_progress_bar_is_shown_and_gone_at_the_end(
    terminal: Callable[..., Terminal], write: Callable[..., Path]
) -> None:
    write({f"000{n}_step.up.sql": "SELECT pg_sleep(0.15);" for n in range(1, 5)})

    shown = terminal("migrate", "--plain").read()

    lines = [line for line in screen(shown) if line]
    assert "━" in shown
    assert not any("━" in line for line in lines)
    assert [line.split()[:2] for line in lines[:4]] == [
        ["applied", f"000{n}_step"] for n in range(1, 5)
    ]
    assert "4 migrations applied" in lines[4]
    assert len(lines) == 5
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h"), "the cursor stays hidden"


def test_nothing_is_wider_than_the_terminal(
    terminal: Callable[..., Terminal], write: Callable[..., Path]
) -> None:
    name = "a_migration_with_a_very_long_name_that_somebody_thought_was_a_good_idea_at_the_time"
    write({f"2026010100000{n}_{name}.up.sql": "SELECT 1;" for n in range(2)})
    for command in (["status"], ["plan"]):
        assert all(len(line) <= 80 for line in screen(terminal(*command).read())), command


def test_place_of_a_failure_can_be_copied_whole(
    terminal: Callable[..., Terminal], write: Callable[..., Path]
) -> None:
    """A path that was broken into lines could be neither clicked nor pasted."""
    name = f"0001_{'a_name_that_goes_on_' * 5}.up.sql"
    write({name: "SELECT nothing;"})

    shown = terminal("migrate", "--plain").read()

    assert f"db/migrations/{name}:1" in shown


def test_failure_on_a_terminal_is_readable(
    terminal: Callable[..., Terminal], write: Callable[..., Path]
) -> None:
    write({"0001_users.up.sql": "SELECT 1;\nSELECT '[bold]' AS \"[red]\", nothing;\n"})

    shown = terminal("migrate", "--plain").read()

    text = "\n".join(screen(shown))
    assert 'column "nothing" does not exist' in text
    assert "db/migrations/0001_users.up.sql:2" in text
    assert "SELECT '[bold]' AS \"[red]\", nothing" in text
    assert "━" not in text


def test_interrupt_ends_the_query_and_leaves_nothing(
    terminal: Callable[..., Terminal],
    write: Callable[..., Path],
    running: Callable[[], int],
    tables: Callable[[], list[str]],
) -> None:
    write(
        {
            "0001_users.up.sql": "CREATE TABLE users (id int);",
            "0002_slow.up.sql": "CREATE TABLE slow (id int);\nSELECT pg_sleep(60);",
        }
    )
    started = terminal("migrate", "--plain")
    started.read(lambda text: "applied 0001_users" in text)
    eventually(running, lambda count: count == 1)

    os.killpg(started.process.pid, signal.SIGINT)
    eventually(running, lambda count: count == 0)
    shown = started.read()

    assert started.process.wait(60) == 130
    assert tables() == ["users"]
    assert "Traceback" not in shown
    text = "\n".join(screen(shown))
    assert "Interrupted; what was running is cancelled." in text
    assert "━" not in text
    assert "KeyboardInterrupt" not in text


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_tells_a_program(
    way: signal.Signals,
    write: Callable[..., Path],
    running: Callable[[], int],
    tmp_path: Path,
    environment: dict[str, str],
    dsn: str,
) -> None:
    import json

    write({"0001_slow.up.sql": "SELECT pg_sleep(60);"})
    process = subprocess.Popen(
        [PROGRAM, "migrate", "--plain", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment | {"CONFITURE_DSN": dsn},
    )
    eventually(running, lambda count: count == 1)

    process.send_signal(way)
    out, err = process.communicate(timeout=60)

    assert process.returncode == 130
    value = json.loads(out)
    assert value["ok"] is False
    assert value["error"]["code"] == "run_cancelled"
    assert err == ""


def test_interrupt_while_waiting_for_another_run(
    terminal: Callable[..., Terminal], write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    from confiture_flows.migrations.lock import lock_key

    write({"0001_users.up.sql": "SELECT 1;"})
    conn.execute("SELECT pg_advisory_lock(1751936052, %s)", (lock_key(conn.info.dbname),))
    started = terminal("migrate", "--plain")
    started.read(lambda text: "Waiting for another run" in text)

    os.killpg(started.process.pid, signal.SIGINT)
    shown = started.read()

    assert started.process.wait(60) == 130
    assert "Traceback" not in shown


def test_failed_run_fails_although_its_reader_has_left(
    write: Callable[..., Path], tmp_path: Path, environment: dict[str, str], dsn: str
) -> None:
    write({"0001_wrong.up.sql": "SELECT nothing;"})

    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; '{PROGRAM}' migrate --plain | true"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment | {"CONFITURE_DSN": dsn},
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize(
    "command", ["status", "plan", "status --json", "migrate --plain", "--help"]
)
def test_reader_that_leaves_early_hears_no_complaint(
    write: Callable[..., Path],
    tmp_path: Path,
    environment: dict[str, str],
    dsn: str,
    command: str,
    conn: psycopg.Connection,
) -> None:
    write({f"{n:04}_a_migration_with_some_name.up.sql": "SELECT 1;" for n in range(300)})

    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; '{PROGRAM}' {command} 2>&1 | head -1"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment | {"CONFITURE_DSN": dsn},
        timeout=60,
    )

    assert done.returncode == 0 or command == "--help"
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stdout
    if command.startswith("migrate"):
        found = conn.execute("SELECT count(*) FROM tb_confiture").fetchone()
        assert found == (300,), "the run went on without its reader"


def test_closed_standard_output_is_no_traceback(
    write: Callable[..., Path], tmp_path: Path, environment: dict[str, str], dsn: str
) -> None:
    write({"0001_users.up.sql": "SELECT 1;"})

    done = subprocess.run(
        ["bash", "-c", f"'{PROGRAM}' status >&-"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment | {"CONFITURE_DSN": dsn},
        timeout=60,
    )

    assert "Traceback" not in done.stderr


def test_no_colour_in_a_pipe(run: Runner, write: Callable[..., Path], dsn: str) -> None:
    write({"0001_users.up.sql": "SELECT nothing;"})

    for command in (["status"], ["migrate", "--plain"]):
        assert "\x1b" not in run(*command, dsn=dsn).said


def test_unicode_reaches_a_terminal_that_has_none(
    run: Runner, write: Callable[..., Path], dsn: str
) -> None:
    write({"0001_é.up.sql": "SELECT '€';\nSELECT nothing;"})

    result = run("migrate", "--plain", dsn=dsn, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")

    assert result.code == 1
    assert "Traceback" not in result.said
