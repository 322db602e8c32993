"""`lint` and `rules` as a person and as a program see them, and the gate of `migrate`."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.support import git

from .conftest import Runner

FILES = {
    "0001_users.up.sql": "CREATE TABLE users (id bigint PRIMARY KEY, email text);\n",
    "0002_index.up.sql": "CREATE INDEX users_email ON users (email);\n",
}
PAGES = Path(__file__).parents[2] / "docs" / "rules"


@pytest.fixture
def shop(write: Callable[..., Path]) -> Path:
    return write(FILES)


def codes(value: dict) -> list[str]:
    return [each["rule"] for each in value["result"]["findings"]]


def test_findings_fail_and_are_told(run: Runner, shop: Path) -> None:
    person, program = run.both("lint")
    assert (person.code, program.code) == (4, 4)
    assert "0002_index.up.sql:1" in person.out
    assert "CONCURRENTLY" in person.out
    assert "Read 2 statements of 2 files, all of them." in person.out
    value = program.json()
    assert "CF01" in codes(value)
    assert value["ok"] is False


def test_gate_says_which_severity_fails(run: Runner, write: Callable[..., Path]) -> None:
    write({**FILES, "0002_index.up.sql": "DROP TABLE users; SET lock_timeout = 0;\n"})
    assert run.program("lint", "--fail-on", "warning").code == 4
    assert "CF20" in codes(run.program("lint").json())


def test_fix_mends_and_the_rest_is_told(run: Runner, shop: Path) -> None:
    fixed = run.program("lint", "--fix")
    assert fixed.json()["result"]["mended"] == 1
    assert fixed.code == 0
    text = (shop / "0002_index.up.sql").read_text()
    assert text == "CREATE INDEX CONCURRENTLY users_email ON users (email);\n"


def test_fix_adds_what_a_down_script_lacks(run: Runner, shop: Path) -> None:
    (shop / "0003_a.up.sql").write_text("ALTER TABLE users ADD a text, ADD b text;\n")
    down = shop / "0003_a.down.sql"
    down.write_text("ALTER TABLE users DROP COLUMN b;\n")
    assert "Mended: 2." in run("lint", "--fix").out
    assert (
        down.read_text() == "ALTER TABLE users DROP COLUMN b;\nALTER TABLE users DROP COLUMN a;\n"
    )
    assert run.program("lint", "--fix").json()["result"]["mended"] == 0


def test_formats_for_machines(run: Runner, shop: Path) -> None:
    sarif = run("lint", "--format", "sarif")
    assert sarif.code == 4
    results = json.loads(sarif.out)["runs"][0]["results"]
    places = [each["locations"][0]["physicalLocation"] for each in results]
    assert "db/migrations/0002_index.up.sql" in {each["artifactLocation"]["uri"] for each in places}
    github = run("lint", "--format", "github")
    assert "::error file=db/migrations/0002_index.up.sql,line=1,title=CF01" in github.out


def test_what_is_applied_is_history(
    run: Runner, shop: Path, dsn: str, conn: psycopg.Connection
) -> None:
    assert run.program("migrate", "--plain", "--to", "0001", dsn=dsn).code == 0
    (shop.parents[1] / "confiture.toml").write_text('[targets.shop]\ndsn = "${CONFITURE_DSN}"\n')
    value = run.program("lint", "--live", "shop", dsn=dsn).json()
    assert {each["version"] for each in value["result"]["findings"]} == {"0002"}
    (finding,) = [each for each in value["result"]["findings"] if each["rule"] == "CF01"]
    assert finding["severity"] == "info"  # the table is small, as everybody can see
    conn.execute("INSERT INTO users SELECT n FROM generate_series(1, 20000) n")
    conn.execute("ANALYZE users")
    value = run.program("lint", "--live", "shop", dsn=dsn).json()
    (finding,) = [each for each in value["result"]["findings"] if each["rule"] == "CF01"]
    assert finding["severity"] == "warning"


def test_since_a_revision_of_git(run: Runner, shop: Path) -> None:
    git(shop, "init", "-q")
    git(shop, "add", ".")
    git(shop, "commit", "-qm", "x")
    assert run.program("lint", "--since", "HEAD").code == 0
    (shop / "0003_more.up.sql").write_text("CREATE INDEX more ON users (id, email);\n")
    (shop / os.fsdecode(b"caf\xe9.txt")).touch()
    value = run.program("lint", "--since", "HEAD").json()
    assert {each["version"] for each in value["result"]["findings"]} == {"0003"}
    unknown = run("lint", "--since", "nowhere")
    assert unknown.code == 2
    assert "git cannot tell what changed" in unknown.err


def test_baseline_of_an_old_repository(run: Runner, shop: Path) -> None:
    assert run.program("lint", "--write-baseline", "known.json").code == 0
    assert run.program("lint", "--baseline", "known.json").code == 0
    (shop.parents[1] / "confiture.toml").write_text('[lint]\nbaseline = "known.json"\n')
    person = run("lint")
    assert person.code == 0
    assert "of the baseline file left out" in person.out
    assert "nothing any more" not in person.out


def test_entries_of_a_baseline_that_match_nothing_are_told(run: Runner, shop: Path) -> None:
    (shop / "0003_more.up.sql").write_text("ALTER TABLE users ADD n bigint UNIQUE;\n")
    assert run.program("lint", "--write-baseline", "known.json").code == 0
    (shop / "0002_index.up.sql").write_text("SELECT 1;\n")
    (shop / "0003_more.up.sql").unlink()
    person, program = run.both("lint", "--baseline", "known.json")
    told = [(each["rule"], each["version"]) for each in program.json()["result"]["unmatched"]]
    assert ("CF01", "0002") in told
    assert ("CF16", "0003") in told
    assert "known.json match nothing any more: CF01 of 0002" in " ".join(person.out.split())
    # Of what is not judged nobody can tell, and it stays.
    git(shop, "init", "-q")
    git(shop, "add", ".")
    git(shop, "commit", "-qm", "x")
    (shop / "0004_index.up.sql").write_text("CREATE INDEX i ON users (id, email);\n")
    since = run.program("lint", "--since", "HEAD", "--baseline", "known.json").json()
    assert {each["version"] for each in since["result"]["unmatched"]} == {"0003"}
    written = run.program("lint", "--since", "HEAD", "--write-baseline", "known.json").json()
    assert written["result"]["gone"] > 0
    known = json.loads((shop.parents[1] / "known.json").read_text())["findings"]
    assert {each["version"] for each in known} == {"0002", "0004"}


def test_baseline_knows_rules_by_their_former_codes(run: Runner, shop: Path) -> None:
    (shop / "0002_index.up.sql").write_text("ALTER TABLE users ADD n bigserial;\n")
    assert run.program("lint", "--write-baseline", "known.json").code == 0
    path = shop.parents[1] / "known.json"
    entries = json.loads(path.read_text())["findings"]
    (entry,) = [each for each in entries if each["rule"] == "CF1B"]
    statement = "alter table users add n bigserial"
    old = "\0".join(("CF10", "users", "0002", statement))
    entry |= {"rule": "CF10", "fingerprint": hashlib.sha256(old.encode()).hexdigest()[:16]}
    path.write_text(json.dumps({"findings": entries}))
    value = run.program("lint", "--baseline", "known.json").json()["result"]
    assert (value["findings"], value["unmatched"]) == ([], [])


def test_options_that_exclude_one_another(run: Runner, shop: Path) -> None:
    assert run("lint", "--all", "--since", "HEAD").code == 2
    pending = run("lint", "--pending")
    assert pending.code == 2
    assert "--live" in pending.err


def test_configuration_names_no_unknown_rule(run: Runner, shop: Path) -> None:
    (shop.parents[1] / "confiture.toml").write_text('[lint.rules]\nCF1000 = "off"\n')
    wrong = run("lint")
    assert wrong.code == 2
    assert "there is no rule CF1000" in wrong.err
    (shop.parents[1] / "confiture.toml").write_text('[lint.rules]\nCF01 = "off"\n')
    assert "CF01" not in codes(run.program("lint").json())


def test_rules_are_listed_and_explained(run: Runner) -> None:
    listed = run("rules")
    assert listed.code == 0
    assert "CF01" in listed.out
    explained, program = run.both("rules", "explain", "cf01")
    assert "Anti-pattern" in explained.out
    assert program.json()["result"]["name"] == "safety.require_concurrent_index"
    for code in ("CF8A", "CFD1"):
        assert code in listed.out
        assert f"# {code}: " in (PAGES / f"{code}.md").read_text()
    assert "FROM pg_index" in run("rules", "explain", "index.no_invalid_index").out
    unknown = run("rules", "explain", "CF1000")
    assert unknown.code == 2
    assert "There is no rule CF1000" in unknown.err


@pytest.mark.parametrize("gate", [True, False])
def test_gate_of_migrate(run: Runner, shop: Path, dsn: str, gate: bool) -> None:
    toml = shop.parents[1] / "confiture.toml"
    rules = "{ CF12 = 'error', LT01 = 'error' }"
    toml.write_text(f"[lint]\ngate = {str(gate).lower()}\nstyle = true\nrules = {rules}\n")
    assert run.program("migrate", "--plain", "--to", "0001", dsn=dsn).code == 0
    (shop / "0002_index.up.sql").write_text("ALTER TABLE users  ALTER email SET NOT NULL;")
    done = run.program("migrate", "--plain", dsn=dsn)
    assert done.code == (4 if gate else 0)
    if gate:
        found = [each["code"] for each in done.json()["findings"]]
        assert "CF12" in found
        assert "LT01" in found  # as `lint` tells it


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import nothing_of_the_kind", "cannot be loaded: ModuleNotFoundError: No module named"),
        ("RULE = 1 / 0", "cannot be loaded: ZeroDivisionError: division by zero."),
        ("RULE = 7", "is no lint rule"),
        (
            "from confiture_flows.lint.registry import own_rules\nRULE = own_rules()[0]",
            "takes the code CF01",
        ),
    ],
)
def test_broken_rule_of_another_package_is_named(
    run: Runner, shop: Path, tmp_path: Path, code: str, said: str
) -> None:
    bring(tmp_path, code)
    wrong = run("lint", PYTHONPATH=str(tmp_path))
    assert wrong.code == 2
    assert said in wrong.err
    assert "their_rule" in wrong.err


def bring(folder: Path, code: str) -> None:
    """A package with a rule, as an installer leaves it behind."""
    (folder / "their_rule.py").write_text(code)
    info = folder / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    points = "[confiture_flows.lint_rules]\ntheirs = their_rule:RULE\n"
    (info / "entry_points.txt").write_text(points)


THEIRS = """
from confiture_flows.lint.rule import Problem, Rule
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

def check(said, scene):
    if said.table.name == "users":
        yield Problem("Not users.", "Say people.")
    raise KeyError("orders")

RULE = Rule("SHOP", "shop.people", "naming", Severity.INFO, (op.CreateTable,), check, doc="Say it.")
"""


def test_rule_of_another_package_that_fails_stops_no_other(
    run: Runner, shop: Path, tmp_path: Path
) -> None:
    bring(tmp_path, THEIRS)
    (shop / "0003_orders.up.sql").write_text("\nCREATE TABLE orders (id bigint PRIMARY KEY);\n")
    done = run("lint", "--json", PYTHONPATH=str(tmp_path))
    found = done.json()["result"]["findings"]
    said = [(each["message"], Path(each["file"]).name, each["line"]) for each in found]
    broken = "SHOP of their_rule:RULE cannot judge this: KeyError: 'orders'."
    assert ("Not users.", "0001_users.up.sql", 1) in said
    assert (broken, "0003_orders.up.sql", 2) in said
    assert "CF01" in codes(done.json())


def test_sqlfluff_tells_of_a_broken_package_too(
    shop: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    bring(tmp_path, "RULE = 7")
    command = [str(Path(sys.executable).with_name("sqlfluff")), "lint", "--dialect", "postgres"]
    done = subprocess.run(
        [*command, str(shop / "0001_users.up.sql")],
        env=environment | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "User Error: their_rule:RULE is no lint rule" in done.stdout + done.stderr


def test_cache_is_the_users_and_can_be_left_alone(run: Runner, shop: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    without = run("lint", "--no-cache", XDG_CACHE_HOME=str(kept))
    assert not kept.exists()
    first, again = (run("lint", XDG_CACHE_HOME=str(kept)) for _ in range(2))
    assert list((kept / "confiture-flows" / "lint").iterdir())
    assert without.out == first.out == again.out


def test_rule_of_ones_own_begins_from_a_template(
    run: Runner, shop: Path, environment: dict[str, str]
) -> None:
    root = shop.parents[1]
    new = run("rules", "new", "shop.comment_tables")
    assert new.code == 0
    assert 'comment_tables = "comment_tables:RULE"' in new.out
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_comment_tables.py"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert "2 passed" in tested.stdout, tested.stdout
    info = root / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    points = "[confiture_flows.lint_rules]\ncomment_tables = comment_tables:RULE\n"
    (info / "entry_points.txt").write_text(points)
    assert "SH01" in codes(run("lint", "--json", PYTHONPATH=str(root)).json())
    again, wrong = run("rules", "new", "shop.comment_tables"), run("rules", "new", "Shop")
    assert (again.code, wrong.code) == (2, 2)
    assert "is already there" in again.err
    assert "'Shop' is no name of a rule" in wrong.err


def test_sizes_of_a_file_judge_where_no_database_is(
    run: Runner, shop: Path, dsn: str, conn: psycopg.Connection
) -> None:
    root = shop.parents[1]
    assert run.program("migrate", "--plain", "--to", "0001", dsn=dsn).code == 0
    conn.execute("INSERT INTO users SELECT n FROM generate_series(1, 20000) n")
    conn.execute("ANALYZE users")
    target = '[targets.shop]\ndsn = "${CONFITURE_DSN}"\n'
    (root / "confiture.toml").write_text(target)
    written = run("lint", "--live", "shop", "--write-statistics", "sizes.json", dsn=dsn)
    assert (written.code, "into sizes.json" in written.out) == (0, True)
    tables = json.loads((root / "sizes.json").read_text())["tables"]["public"]
    assert list(tables) == ["users"]
    assert tables["users"]["rows"] == 20_000
    (root / "confiture.toml").write_text('[lint]\nstatistics = "sizes.json"\n')
    value = run.program("lint").json()
    (finding,) = [each for each in value["result"]["findings"] if each["rule"] == "CF01"]
    assert finding["severity"] == "warning"
    assert finding["reason"].startswith("SHARE while all rows are read; 20,000 rows, ")
    assert value["result"]["measured"]
    (root / "sizes.json").write_text("{}")
    wrong = run("lint")
    assert (wrong.code, "no statistics of tables" in wrong.err) == (2, True)
    without = run("lint", "--write-statistics", "sizes.json")
    assert (without.code, "--live" in without.err) == (2, True)


def test_drift_is_told_in_all_places_for_people(
    run: Runner, shop: Path, dsn: str, conn: psycopg.Connection
) -> None:
    toml = shop.parents[1] / "confiture.toml"
    toml.write_text('[targets.shop]\ndsn = "${CONFITURE_DSN}"\n')
    assert run.program("migrate", "--plain", "--to", "0001", dsn=dsn).code == 0
    conn.execute("ALTER TABLE users ADD COLUMN byhand int; CREATE TABLE old (id int)")
    person, program = run.both("lint", "--live", "shop", "--fail-on", "warning", dsn=dsn)
    assert (person.code, program.code) == (4, 4)
    assert "No migration has made the column byhand of public.users." in person.out
    assert "verify --replay" in person.out
    told = [each for each in program.json()["findings"] if each["code"] == "CFD0"]
    assert [each["severity"] for each in told] == ["warning", "info"]
    every = run("lint", "--live", "shop", "--all", "--format", "markdown", dsn=dsn)
    assert "CFD0" in every.out
    assert "Sizes of tables are those of" in every.out
    toml.write_text('[lint.rules]\nCFD0 = "off"\n' + toml.read_text())
    assert "CFD0" not in run("lint", "--live", "shop", dsn=dsn).out


def test_catalog_rules_obey_the_configuration(
    run: Runner, shop: Path, dsn: str, conn: psycopg.Connection
) -> None:
    toml = shop.parents[1] / "confiture.toml"
    target = '[targets.shop]\ndsn = "${CONFITURE_DSN}"\n'
    conn.execute('CREATE TABLE "No Key" (id int)')
    for label, expected in (("info", ["info"]), ("off", [])):
        toml.write_text(f'[lint.rules]\n"CFD9" = "{label}"\n{target}')
        value = run.program("lint", "--live", "shop", "--catalog", dsn=dsn).json()
        found = [each["severity"] for each in value["findings"] if each["code"] == "CFD9"]
        assert found == expected
    assert run.program("migrate", "--plain", dsn=dsn).code == 0
    # The ledger has indexes twice, as the tool that it is shared with wants them.
    assert "tb_confiture" not in run("lint", "--live", "shop", "--catalog", dsn=dsn).out


def test_style_of_what_is_pending(run: Runner, shop: Path, dsn: str) -> None:
    toml = shop.parents[1] / "confiture.toml"
    toml.write_text('[targets.shop]\ndsn = "${CONFITURE_DSN}"\n')
    assert run.program("migrate", "--plain", "--to", "0001", dsn=dsn).code == 0
    (shop / "0002_index.up.sql").write_text("create index users_id  on users (id);\n")
    value = run.program("lint", "--live", "shop", "--style", "--fix", dsn=dsn).json()
    told = {(each["rule"], each["version"]) for each in value["result"]["findings"]}
    assert ("LT01", "0002") in told
    assert {version for _, version in told} == {"0002"}
    assert value["result"]["mended"] == 1
    text = (shop / "0002_index.up.sql").read_text()
    assert text == "create index CONCURRENTLY users_id  on users (id);\n"


def test_history_has_codes(run: Runner, shop: Path, dsn: str) -> None:
    toml = shop.parents[1] / "confiture.toml"
    toml.write_text('[targets.shop]\ndsn = "${CONFITURE_DSN}"\n')
    (shop / "0003_a.up.sql").write_text("CREATE TABLE a (id bigint PRIMARY KEY);\n")
    (shop / "0003_a.down.sql").write_text("DROP TABLE a;\n")
    (shop / "0005_b.up.sql").write_text("CREATE TABLE b (id bigint PRIMARY KEY);\n")
    (shop / "0005_twice.up.sql").write_text("SELECT 1;\n")
    (shop / "wrong name.sql").write_text("SELECT 1;\n")

    def told(*options: str) -> list[tuple[str, str, str]]:
        found = run.program("lint", *options, dsn=dsn).json()["result"]["findings"]
        return [
            (each["rule"], Path(each["file"]).name, each["severity"])
            for each in found
            if each["rule"].startswith("CF8") or each["rule"] == "CF90"
        ]

    assert told() == [
        ("CF90", "wrong name.sql", "warning"),
        ("CF8D", "0005_twice.up.sql", "error"),
        ("CF8E", "0005_b.up.sql", "info"),
    ]
    github = run("lint", "--format", "github").out
    assert "0005_twice.up.sql,line=1,title=CF8D" in github
    (shop / "0005_twice.up.sql").unlink()
    (shop / "wrong name.sql").unlink()
    assert run.program("migrate", "--plain", dsn=dsn).code == 0
    (shop / "0001_users.up.sql").unlink()
    (shop / "0002_index.up.sql").write_text("SELECT 2;\n")
    (shop / "0003_a.down.sql").write_text("DROP TABLE IF EXISTS a;\n")
    (shop / "0004_late.up.sql").write_text("SELECT 4;\n")
    assert sorted(told("--live", "shop")) == [
        ("CF8A", "0002_index.up.sql", "error"),
        ("CF8B", "migrations", "error"),
        ("CF8C", "0004_late.up.sql", "warning"),
        ("CF8F", "0003_a.down.sql", "warning"),
    ]
    toml.write_text(
        '[targets.shop]\ndsn = "${CONFITURE_DSN}"\nproduction = true\n'
        '[lint]\nrules = { CF8A = "info", "state.deleted_after_apply" = "off" }\n'
    )
    (shop / "0003_a.down.sql").write_text("DROP TABLE a;\n")
    assert sorted(told("--live", "shop")) == [
        ("CF8A", "0002_index.up.sql", "info"),
        ("CF8C", "0004_late.up.sql", "error"),
    ]


@pytest.mark.parametrize("layout", ["pairs", "goose"])
def test_fix_writes_a_migration_that_validates(
    run: Runner, write: Callable[..., Path], dsn: str, layout: str, conn: psycopg.Connection
) -> None:
    check = 'ALTER TABLE "T" ADD CONSTRAINT "C" CHECK (id > 0) NOT VALID;'
    texts = ['CREATE TABLE "T" (id bigint PRIMARY KEY);', check, "SELECT 1;"]
    downs = ['DROP TABLE "T";', 'ALTER TABLE "T" DROP CONSTRAINT "C";', "SELECT 1;"]
    if layout == "goose":
        both = zip(texts, downs, strict=True)
        parts = [f"-- +goose Up\n{up}\n-- +goose Down\n{down}\n" for up, down in both]
        folder = write({f"{n:05}_a.sql": text for n, text in enumerate(parts, 1)})
    else:
        files = {f"{n:04}_a.up.sql": text for n, text in enumerate(texts, 1)}
        folder = write({**files, **{f"{n:04}_a.down.sql": t for n, t in enumerate(downs, 1)}})
    before = set(folder.iterdir())
    assert "CF71" in codes(run.program("lint").json())
    value = run.program("lint", "--fix").json()
    assert set(codes(value)) == {"CF60"}  # the names are meant
    up = min(set(folder.iterdir()) - before, key=lambda path: len(path.name))
    assert 'ALTER TABLE "T" VALIDATE CONSTRAINT "C";' in up.read_text()
    assert run.program("lint", "--fix").json()["result"]["mended"] == 0
    assert run.program("migrate", "--plain", dsn=dsn).code == 0
    valid = "SELECT convalidated FROM pg_constraint WHERE conname = 'C'"
    assert conn.execute(valid).fetchone() == (True,)
    assert run.program("rollback", "--plain", dsn=dsn).code == 0
