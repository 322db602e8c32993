"""Ten runners at once, each a process: one works, the others wait or leave clearly."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

PROGRAM = Path(sys.executable).with_name("confiture-flows")
RUNNERS = 10
# Run twice, an INSERT would show it where a CREATE TABLE would only fail.
FILES = {
    "0001_marks.up.sql": "CREATE TABLE marks (mark text);",
    "0002_slow.up.sql": "INSERT INTO marks VALUES ('0002');\nSELECT pg_sleep(1);",
    "0003_index.up.sql": "CREATE INDEX CONCURRENTLY marks_mark ON marks (mark);\n"
    "INSERT INTO marks VALUES ('0003');",
    "0004_last.up.sql": "INSERT INTO marks VALUES ('0004');",
}


def run_all(dsn: str, directory: Path) -> list[tuple[int, str]]:
    """Exit code and terminal of each."""
    started = [
        subprocess.Popen(
            [PROGRAM, "migrate", "--plain", "--target", "shop", "--dir", directory],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=directory.parent,
            env={"PATH": "/usr/bin:/bin", "SHOP_DSN": dsn},
        )
        for _ in range(RUNNERS)
    ]
    outputs = [process.communicate(timeout=120)[0] for process in started]
    return [(process.returncode, out) for process, out in zip(started, outputs, strict=True)]


@pytest.mark.parametrize(("patience", "codes"), [(60, {0}), (0, {0, 6})])
def test_each_migration_runs_once(
    dsn: str,
    conn: psycopg.Connection,
    write: Callable[..., Path],
    patience: int,
    codes: set[int],
) -> None:
    directory = write(FILES)
    (directory.parent / "confiture.toml").write_text(
        f'[targets.shop]\ndsn = "${{SHOP_DSN}}"\nlock_patience = {patience}\n'
    )

    ended = run_all(dsn, directory)

    assert {code for code, _ in ended} == codes, ended
    assert sum("applied 0002_slow" in out for _, out in ended) == 1
    for code, out in ended:
        if code == 6:
            assert "Another run works on this database: confiture-flows migrate" in out
    rows = conn.execute("SELECT version FROM tb_confiture ORDER BY pk_confiture").fetchall()
    assert [row[0] for row in rows] == ["0001", "0002", "0003", "0004"]
    marks = conn.execute("SELECT mark FROM marks ORDER BY 1").fetchall()
    assert [row[0] for row in marks] == ["0002", "0003", "0004"]
