"""The built-in hooks, from confiture.toml alone, run by the program without Prefect."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from confiture_flows.errors import ConfigError, HookError
from confiture_flows.hooks.builtin.backup import Backup
from confiture_flows.hooks.builtin.run_sql import RunSqlOptions, make
from confiture_flows.hooks.model import HookContext, HookPoint
from confiture_flows.hooks.progress import progress_to
from confiture_flows.postgres.clients import find_clients
from confiture_flows.sql.relations import changed_tables
from confiture_flows.target import Target
from tests.integration.conftest import PROGRAM
from tests.support import Webhook, webhook_server

USERS = {
    "0001_users.up.sql": "CREATE TABLE users (id int PRIMARY KEY, name text);\n"
    "INSERT INTO users SELECT g, 'user ' || g FROM generate_series(1, 100) g;",
    "0001_users.down.sql": "DROP TABLE users;",
}
SECOND = {"0002_orders.up.sql": "CREATE TABLE orders (id int);"}


@pytest.fixture
def program(tmp_path: Path, dsn: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Write hooks into confiture.toml, and run the program beside it."""

    def run(hooks: str, *arguments: str, command: str = "migrate") -> Any:
        text = f'[targets.shop]\ndsn = "${{SHOP_DSN}}"\n{hooks}'
        (tmp_path / "confiture.toml").write_text(text)
        return subprocess.run(
            [PROGRAM, command, "--plain", *arguments],
            cwd=tmp_path,
            env=os.environ | {"SHOP_DSN": dsn},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_backup_is_read_back_kept_and_restores(
    program: Any, write: Callable[..., Path], tmp_path: Path, new_database: Callable[[], str]
) -> None:
    hooks = '[[hooks]]\nuse = "backup"\npoint = "before_apply"\noptions = { keep = 2 }\n'
    write(USERS)
    for number in range(2, 5):
        done = program(hooks)
        assert done.returncode == 0, done.stderr
        assert "To restore it: pg_restore" in done.stderr
        write({f"000{number}_t.up.sql": f"CREATE TABLE t{number} (id int);"})
    files = sorted((tmp_path / "backups").iterdir())
    assert [file.suffix for file in files] == [".dump", ".dump"]
    assert files[-1].name.endswith(".0003.dump")
    assert files[-1].stat().st_mode & 0o077 == 0
    copy = new_database()
    options = ("--clean", "--if-exists", "--exit-on-error", f"--dbname={copy}")
    with psycopg.connect(copy) as conn:
        folder = find_clients(conn.info.server_version // 10000, "pg_restore")
    command = [folder / "pg_restore", *options, files[-1]]
    restored = subprocess.run(command, capture_output=True, text=True)
    assert restored.returncode == 0, restored.stderr
    with psycopg.connect(copy) as conn:
        assert conn.execute("SELECT count(*) FROM users").fetchone() == (100,)
        assert conn.execute("SELECT count(*) FROM tb_confiture").fetchone() == (2,)


def test_backup_that_fails_stops_the_migration_and_leaves_no_file(
    program: Any, write: Callable[..., Path], tmp_path: Path, conn: psycopg.Connection
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("pg_dump", "pg_restore"):
        script = folder / name
        script.write_text(
            "#!/bin/sh\n"
            '[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 99.1" && exit 0\n'
            "echo half; echo 'pg_dump: error: disk full' >&2; exit 1\n"
        )
        script.chmod(0o755)
    hooks = '[[hooks]]\nuse = "backup"\npoint = "before_apply"\noptions = { bin_dir = "%s" }\n'
    write(USERS)
    done = program(hooks % folder)
    assert done.returncode == 1
    assert "pg_dump failed: pg_dump: error: disk full" in done.stdout + done.stderr
    assert list((tmp_path / "backups").iterdir()) == []
    assert conn.execute("SELECT to_regclass('users')").fetchone() == (None,)


def test_backup_wants_a_pg_dump_as_new_as_the_server(target: Target, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("pg_dump", "pg_restore"):
        script = folder / name
        script.write_text('#!/bin/sh\necho "pg_dump (PostgreSQL) 9.6"\n')
        script.chmod(0o755)
    hook = Backup(tmp_path / "backups", keep=1, bin_dir=folder)
    context = HookContext(HookPoint.BEFORE_APPLY, "backup", "run", "shop")
    with pytest.raises(HookError, match=r"no pg_dump of version .* or newer.*Found: 9"):
        hook(context, target)


def test_backup_that_cannot_be_read_back_is_no_backup(target: Target, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, action in (("pg_dump", "echo nonsense"), ("pg_restore", "echo bad >&2; exit 1")):
        script = folder / name
        script.write_text(
            '#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 99.1" && exit 0\n'
            f"{action}\n"
        )
        script.chmod(0o755)
    hook = Backup(tmp_path / "backups", keep=1, bin_dir=folder)
    context = HookContext(HookPoint.BEFORE_APPLY, "backup", "run", "shop")
    with pytest.raises(HookError, match="cannot be read back: bad"):
        hook(context, target)
    assert list((tmp_path / "backups").iterdir()) == []


def test_deployment_log_has_a_row_and_a_line_a_run(
    program: Any, write: Callable[..., Path], tmp_path: Path, conn: psycopg.Connection
) -> None:
    hooks = (
        '[[hooks]]\nuse = "deployment_log"\npoint = ["after_apply", "on_error"]\n'
        'options = { table = "public.deployments", file = "log/deployments.jsonl" }\n'
    )
    write(USERS)
    assert program(hooks).returncode == 0
    write({"0002_wrong.up.sql": "SELECT nothing;"})
    assert program(hooks).returncode == 1
    assert program(hooks, command="rollback").returncode == 0
    rows = conn.execute("SELECT direction, ok, done, error FROM deployments ORDER BY logged_at")
    up, failed, down = rows.fetchall()
    assert up == ("up", True, ["0001"], None)
    assert failed[:3] == ("up", False, [])
    assert 'column "nothing" does not exist' in failed[3]
    assert down == ("down", True, ["0001"], None)
    lines = (tmp_path / "log" / "deployments.jsonl").read_text().splitlines()
    assert [json.loads(line)["ok"] for line in lines] == [True, False, True]


def test_run_sql_transforms_in_batches_once(
    program: Any, write: Callable[..., Path], tmp_path: Path, conn: psycopg.Connection
) -> None:
    hooks = (
        '[[hooks]]\nuse = "run_sql"\npoint = "after_apply"\non_failure = "abort"\n'
        'options = { file = "fill.sql", table = "users", key = "id", batch_size = 30 }\n'
    )
    (tmp_path / "fill.sql").write_text(
        "UPDATE users SET name = upper(name) || ':' WHERE id BETWEEN :first AND :last;"
    )
    write(USERS)
    done = program(hooks)
    assert done.returncode == 0, done.stderr
    assert "fill.sql: 100 rows" in done.stderr
    write(SECOND)
    assert "fill.sql was run before" in program(hooks).stderr
    wrong = conn.execute("SELECT count(*) FROM users WHERE name <> 'USER ' || id || ':'")
    assert wrong.fetchone() == (0,)


def test_run_sql_goes_on_where_it_was_stopped(
    target: Target, tmp_path: Path, conn: psycopg.Connection
) -> None:
    conn.execute("CREATE TABLE t (id int, n int DEFAULT 0)")
    conn.execute("INSERT INTO t SELECT 3 * g FROM generate_series(-49, 50) g")
    path = tmp_path / "add.sql"
    path.write_text("UPDATE t SET n = n + 1 WHERE id-:first >= 0 AND id <= :last")
    hook = make({"file": "add.sql", "table": "t", "key": "id", "batch_size": 10}, tmp_path)
    context = HookContext(HookPoint.AFTER_APPLY, "run_sql", "run", "shop")
    told: list[float] = []

    def stop(fraction: float, said: str) -> None:
        told.append(fraction)
        if len(told) == 4:
            raise RuntimeError("killed")

    with progress_to(stop), pytest.raises(RuntimeError):
        hook(context, target)
    assert told == sorted(told)
    assert conn.execute("SELECT sum(n) FROM t").fetchone() != (100,)
    result = hook(context, target)
    assert conn.execute("SELECT sum(n), max(n) FROM t").fetchone() == (100, 1)
    assert result.data["rows"] == 100


def test_run_sql_without_batches_is_one_transaction(
    target: Target, tmp_path: Path, conn: psycopg.Connection
) -> None:
    conn.execute("CREATE TABLE t (id int)")
    path = tmp_path / "two.sql"
    path.write_text("INSERT INTO t VALUES (1); SELECT 1/0;")
    context = HookContext(HookPoint.AFTER_APPLY, "run_sql", "run", "shop")
    with pytest.raises(HookError, match=r"two.sql: division by zero"):
        make({"file": "two.sql"}, tmp_path)(context, target)
    assert conn.execute("SELECT count(*) FROM t").fetchone() == (0,)
    path.write_text("INSERT INTO t VALUES (1); SELECT 1;")
    assert make({"file": "two.sql"}, tmp_path)(context, target).data["rows"] == 1


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("SELECT 1", {"table": "t", "key": "id"}, "say :first and :last"),
        ("SELECT :first", {}, "name no table"),
        ("SELECT 1", {"table": "t"}, "go together"),
        ("SELECT 1", {"batchsize": 3}, "no option 'batchsize'"),
        ("SELECT 1", {"batch_size": 0}, "batch_size"),
    ],
)
def test_run_sql_refuses_what_does_not_fit(
    tmp_path: Path, text: str, options: dict[str, Any], said: str
) -> None:
    (tmp_path / "a.sql").write_text(text)
    with pytest.raises(ConfigError) as caught:
        make({"file": "a.sql"} | options, tmp_path)
    assert said in caught.value.message
    with pytest.raises(ConfigError, match="there is no file"):
        make({"file": "b.sql"}, tmp_path)
    assert RunSqlOptions(file="a").batch_size == 10_000


def test_statistics_of_changed_tables_are_refreshed(
    program: Any, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    conn.execute("CREATE TABLE other AS SELECT 1 AS id")
    conn.execute("CREATE TABLE untouched AS SELECT 1 AS id")
    hooks = (
        '[[hooks]]\nuse = "refresh_statistics"\npoint = "after_apply"\n'
        'options = { tables = ["other"] }\n'
    )
    write(USERS)
    done = program(hooks)
    assert "analyzed public.other, public.users" in done.stderr
    found = conn.execute("SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'public'")
    assert {row[0] for row in found} >= {"other", "users"}
    assert "untouched" not in {row[0] for row in found}


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("INSERT INTO a.b SELECT * FROM c", (("a", "b"),)),
        ("ALTER TABLE t ADD n int", (("t",),)),
        ("CREATE INDEX ON t (n)", (("t",),)),
        ("CREATE TABLE t AS SELECT 1", (("t",),)),
        ("TRUNCATE x, y", (("x",), ("y",))),
        ("COPY t FROM STDIN", (("t",),)),
        ("SELECT * FROM t", ()),
        ("DO $$ BEGIN END $$", ()),
        ("NONSENSE", ()),
    ],
)
def test_changed_tables(sql: str, tables: tuple[tuple[str, ...], ...]) -> None:
    assert changed_tables(sql) == tables


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with webhook_server() as found:
        yield found


def test_notify_posts_to_a_webhook_and_tries_again(
    program: Any, write: Callable[..., Path], webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    got, answers = webhook.got, webhook.answers
    answers.append(503)
    monkeypatch.setenv("WEBHOOK", webhook.url)
    hooks = (
        '[[hooks]]\nuse = "notify"\npoint = "after_apply"\n'
        'options = { url = "${WEBHOOK}", template = "{target}: {done}" }\n'
        '[[hooks]]\nuse = "notify"\npoint = "on_error"\nretries = 0\noptions.url = "${WEBHOOK}"\n'
    )
    write(USERS)
    done = program(hooks)
    assert done.returncode == 0, done.stderr
    assert [each["text"] for each in got] == ["shop: 0001", "shop: 0001"]
    assert got[0]["key"] == got[1]["key"]
    answers.append(404)
    write({"0002_wrong.up.sql": "SELECT nothing;"})
    failed = program(hooks)
    assert failed.returncode == 1
    assert got[-1]["text"].startswith("shop: failed. ")
    assert "127.0.0.1 answered 404" in failed.stderr
    assert "secret-path" not in failed.stdout + failed.stderr


def test_notify_refuses_what_it_cannot_send() -> None:
    from confiture_flows.flows import notify

    for options, said in (
        ({}, "give either block or url"),
        ({"url": "http://x", "block": "slack/ops"}, "give either block or url"),
        ({"url": "http://x", "template": "{targt}"}, "{targt}, which nobody knows"),
        ({"url": "http://x", "template": "{"}, "cannot be read"),
        ({"url": "http://x", "template": "{}"}, "{}, which nobody knows"),
        ({"url": "http://x", "template": "{done:d}"}, "cannot be read"),
    ):
        with pytest.raises(ConfigError) as caught:
            notify.make(options, Path())
        assert said in caught.value.message


@pytest.mark.parametrize(
    ("hooks", "said"),
    [
        ('[[hooks]]\nuse = "backup"\n', "says no point"),
        ('[[hooks]]\nuse = "backup"\npoint = "before"\n', "hooks.0.point"),
        ('[[hooks]]\nuse = "backup"\npoint = "before_apply"\noptions = { kep = 1 }\n', "'kep'"),
        ('[[hooks]]\nuse = "bakup"\npoint = "before_apply"\n', "there is no module bakup"),
        ('[[hooks]]\nuse = "mine:nobody"\npoint = "before_apply"\n', "mine has no nobody"),
        ('[[hooks]]\nuse = "mine:bad"\npoint = "before_apply"\n', "wrong signature"),
        ('[[hooks]]\nuse = "broken:x"\npoint = "before_apply"\n', "RuntimeError: at import"),
        ('[[hooks]]\nuse = "needs:x"\npoint = "before_apply"\n', "no module nowhere_at_all"),
        (
            '[[hooks]]\nuse = "mine:good"\npoint = "before_apply"\noptions = { a = 1 }\n',
            "takes no options",
        ),
        (
            '[[hooks]]\nuse = "mine:good"\npoint = "before_apply"\nafter = ["x"]\n',
            "has no hook of that name",
        ),
    ],
)
def test_bad_configuration_is_told_before_anything_runs(
    program: Any,
    write: Callable[..., Path],
    tmp_path: Path,
    conn: psycopg.Connection,
    hooks: str,
    said: str,
) -> None:
    (tmp_path / "mine.py").write_text("def bad(): ...\ndef good(context): ...\n")
    (tmp_path / "broken.py").write_text("raise RuntimeError('at import')\n")
    (tmp_path / "needs.py").write_text("import nowhere_at_all\n")
    write(USERS)
    done = program(hooks)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr.replace("\n", " ")
    assert "confiture.toml" in done.stderr
    assert conn.execute("SELECT to_regclass('users')").fetchone() == (None,)


def test_hooks_of_the_file_and_of_decorators_fire_once_each_and_for_their_targets(
    program: Any, write: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "team_hooks.py").write_text(
        "from confiture_flows.plugins import hook\n"
        "@hook('after_apply')\ndef first(context): return 'first'\n"
        "@hook('after_apply', priority=1)\ndef second(context): return 'second'\n"
        "def third(context): return 'third'\n"
    )
    hooks = (
        '[[hooks]]\nuse = "team_hooks"\n'
        '[[hooks]]\nuse = "team_hooks:first"\nname = "renamed"\n'
        '[[hooks]]\nuse = "team_hooks:third"\npoint = "after_apply"\ntargets = ["other"]\n'
        '[[hooks]]\nuse = "team_hooks:third"\npoint = "before_apply"\ntargets = ["shop"]\n'
    )
    write(USERS)
    done = program(hooks)
    lines = [line.partition(" (")[0] for line in done.stderr.splitlines() if "hook" in line]
    assert lines == [
        "hook before_apply: third: third",
        "hook after_apply: second: second",
        "hook after_apply: renamed: first",
    ]


def test_hook_of_an_installed_package_is_found_by_its_entry_point(
    program: Any, write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site"
    (package / "shouter-1.0.dist-info").mkdir(parents=True)
    (package / "shouter.py").write_text("def shout(context): return 'LOUD'\n")
    (package / "broken.py").write_text("1 / 0\n")
    (package / "shouter-1.0.dist-info" / "METADATA").write_text("Name: shouter\nVersion: 1.0\n")
    (package / "shouter-1.0.dist-info" / "entry_points.txt").write_text(
        "[confiture_flows.hooks]\nshout = shouter:shout\nwreck = broken:wreck\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(package))
    write(USERS)
    done = program('[[hooks]]\nuse = "shout"\npoint = "before_apply"\n')
    assert "hook before_apply: shout: LOUD" in done.stderr
    done = program('[[hooks]]\nuse = "wreck"\npoint = "before_apply"\n')
    assert done.returncode == 2
    assert "'wreck' of broken:wreck cannot be imported: ZeroDivisionError" in done.stderr


def test_on_error_is_told_when_nobody_answers_at_the_target(
    program: Any, write: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text("def tell(context): return context.error_message\n")
    write(USERS)
    hooks = '[[hooks]]\nuse = "mine:tell"\npoint = "on_error"\n'
    gone = '[targets.gone]\ndsn = "postgresql://127.0.0.1:1/gone"\n'
    done = program(gone + hooks, "--target", "gone")
    assert done.returncode == 3
    assert "hook on_error: tell: Nothing answers at gone@127.0.0.1:1" in done.stderr


def test_hook_that_runs_the_program_on_the_same_target_is_refused(
    program: Any, write: Callable[..., Path], tmp_path: Path, dsn: str, conn: psycopg.Connection
) -> None:
    (tmp_path / "again.py").write_text(
        "import subprocess\n"
        "def again(context):\n"
        f"    done = subprocess.run([{str(PROGRAM)!r}, 'migrate', '--plain', '--dsn', {dsn!r}],\n"
        "        capture_output=True, text=True)\n"
        "    raise RuntimeError(done.stderr.splitlines()[0])\n"
    )
    write(USERS)
    done = program('[[hooks]]\nuse = "again:again"\npoint = "before_apply"\n')
    assert "A hook of a run of shop starts a run of the same target" in done.stdout + done.stderr
    assert conn.execute("SELECT to_regclass('users')").fetchone() == (None,)
    assert make_conninfo(dsn)
