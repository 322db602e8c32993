"""What confiture.toml may say, where it is looked for, and what its errors never repeat."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from confiture_flows.config import (
    DEFAULT_DIRECTORY,
    DEFAULT_LIMITS,
    Limits,
    Project,
    TargetConfig,
    expand_variables,
    load_project,
    placeholder_values,
    placeholder_variables,
)
from confiture_flows.errors import ConfigError

SECRET = "hunter2"
FULL = f"""
[migrations]
directory = "schema"
layout = "goose"
transaction = "as-written"
placeholders = true

[targets.local]
dsn = "postgresql://app:{SECRET}@localhost/shop"

[targets.live]
dsn = "postgresql://${{DB_USER}}@db.example/shop"
production = true
fail_on = "warning"
ledger = "ops.tb_confiture"
lock_timeout_ms = 200
statement_timeout_ms = 30000
lock_patience = 5
busy_patience = 7.5
out_of_order = "apply"
placeholders = {{ schema = "live" }}
verify = "replay"
scratch = "postgresql://${{DB_USER}}@scratch.example/postgres"

[placeholders]
schema = "app"
owner = "${{DB_USER}}"
"""


def write(folder: Path, text: str, name: str = "confiture.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder


def refused(folder: Path, text: str, name: str = "confiture.toml") -> ConfigError:
    write(folder, text, name)
    with pytest.raises(ConfigError) as caught:
        load_project(folder)
    assert caught.value.file == folder / name
    return caught.value


def test_everything_a_file_may_say_is_read(tmp_path: Path) -> None:
    project = load_project(write(tmp_path, FULL))

    assert project == Project(
        directory=tmp_path / "schema",
        layout="goose",
        as_written=True,
        targets={
            "local": TargetConfig(f"postgresql://app:{SECRET}@localhost/shop"),
            "live": TargetConfig(
                "postgresql://${DB_USER}@db.example/shop",
                production=True,
                fail_on="warning",
                ledger="ops.tb_confiture",
                limits=Limits(200, 30000, 5.0, 7.5),
                out_of_order="apply",
                placeholders={"schema": "live"},
                verify="replay",
                scratch="postgresql://${DB_USER}@scratch.example/postgres",
            ),
        },
        placeholders={"schema": "app", "owner": "${DB_USER}"},
        replace_placeholders=True,
        source=tmp_path / "confiture.toml",
    )


def test_empty_file_gives_the_defaults_beside_it(tmp_path: Path) -> None:
    project = load_project(write(tmp_path, ""))

    assert project == Project(tmp_path / DEFAULT_DIRECTORY, source=tmp_path / "confiture.toml")


def test_limits_that_are_not_set_have_their_defaults(tmp_path: Path) -> None:
    text = '[targets.a]\ndsn = "dbname=a"\nlock_patience = 1'

    limits = load_project(write(tmp_path, text)).targets["a"].limits

    assert limits == Limits(lock_patience=1.0)
    assert limits.busy_patience == DEFAULT_LIMITS.busy_patience


def test_nothing_configured_is_a_project_of_defaults(tmp_path: Path) -> None:
    assert load_project(tmp_path) == Project()


@pytest.mark.parametrize("below", ["", "db", "db/migrations/2026"])
def test_file_is_found_at_or_above_the_folder(tmp_path: Path, below: str) -> None:
    write(tmp_path, '[migrations]\ndirectory = "m"')
    start = write(tmp_path / below, "", "unrelated.txt")

    assert load_project(start).directory == tmp_path / "m"


def test_file_is_found_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write(tmp_path / "below", "", "unrelated.txt"))
    write(tmp_path, '[migrations]\ndirectory = "m"')

    assert load_project().directory == tmp_path.resolve() / "m"


def test_nearest_file_wins(tmp_path: Path) -> None:
    write(tmp_path, '[migrations]\ndirectory = "far"')
    near = write(tmp_path / "app", '[migrations]\ndirectory = "near"')

    assert load_project(near).directory == near / "near"


def test_pyproject_may_hold_the_configuration(tmp_path: Path) -> None:
    text = '[project]\nname = "shop"\n[tool.confiture-flows.migrations]\ndirectory = "m"'

    project = load_project(write(tmp_path, text, "pyproject.toml"))

    assert (project.directory, project.source) == (tmp_path / "m", tmp_path / "pyproject.toml")


def test_own_file_wins_over_pyproject_beside_it(tmp_path: Path) -> None:
    write(tmp_path, '[tool.confiture-flows.migrations]\ndirectory = "b"', "pyproject.toml")
    write(tmp_path, '[migrations]\ndirectory = "a"')

    assert load_project(tmp_path).directory == tmp_path / "a"


@pytest.mark.parametrize("text", ['[project]\nname = "x"', "[tool.ruff]\nline-length = 100"])
def test_pyproject_that_does_not_speak_of_us_is_passed_by(tmp_path: Path, text: str) -> None:
    write(tmp_path, '[migrations]\ndirectory = "m"')
    below = write(tmp_path / "app", text, "pyproject.toml")

    assert load_project(below).directory == tmp_path / "m"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[migration]", "Unknown key migration."),
        ('[migrations]\ndirectroy = "m"', "Unknown key migrations.directroy."),
        ('[targets.live]\ndsn = "x"\nprod = true', "Unknown key targets.live.prod."),
        ("[targets.live]", "targets.live.dsn: Field required."),
        ('[targets.live]\ndsn = ["x"]', "targets.live.dsn: Input should be a valid string."),
        (
            '[targets.live]\ndsn = "x"\nfail_on = "warn"',
            "targets.live.fail_on: Input should be 'info', 'warning' or 'error'.",
        ),
        (
            '[targets.live]\ndsn = "x"\nlock_timeout_ms = -1',
            "targets.live.lock_timeout_ms: Input should be greater than or equal to 0.",
        ),
        (
            '[targets.live]\ndsn = "x"\nledger = ""',
            "targets.live.ledger: String should have at least 1 character.",
        ),
        (
            '[migrations]\ntransaction = "none"',
            "migrations.transaction: Input should be 'auto' or 'as-written'.",
        ),
        ('targets = "live"', "targets: Input should be a valid dictionary."),
    ],
)
@pytest.mark.parametrize("name", ["confiture.toml", "pyproject.toml"])
def test_wrong_key_or_value_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    if name == "pyproject.toml":
        text = text.replace("[targets.", "[tool.confiture-flows.targets.")
        text = text.replace("[migration", "[tool.confiture-flows.migration")
        text = text.replace("targets =", "tool.confiture-flows.targets =")

    assert refused(tmp_path, text, name).message == message


@pytest.mark.parametrize(
    "text",
    [
        f"[targets.live]\ndsn = postgresql://app:{SECRET}@db/shop",
        f'[targets.live]\ndsn = "postgresql://app:{SECRET}@db/shop',
        f'[targets.live]\ndsn = "postgresql://app:{SECRET}\\q@db/shop"',
        f'[targets.live]\ndsn = ["postgresql://app:{SECRET}@db/shop"]',
        f'[targets]\nlive = "postgresql://app:{SECRET}@db/shop"',
        f'[targets.live]\ndsn = {{ url = "postgresql://app:{SECRET}@db/shop" }}',
        f'[targets.live]\ndsn = "x"\nledger = 7\npassword = "{SECRET}"',
        f'[targets.live]\ndsn = "postgresql://app:{SECRET}@db/shop"\nfail_on = "never"',
    ],
)
def test_no_error_repeats_a_password(tmp_path: Path, text: str) -> None:
    error = refused(tmp_path, text)

    assert SECRET not in f"{error} {error!r} {error.__cause__}"
    assert error.next_step or "not TOML" in error.message


def test_no_repr_shows_a_password(tmp_path: Path) -> None:
    project = load_project(write(tmp_path, FULL))
    assert SECRET not in repr(project)


def test_file_that_is_not_toml_is_named_with_the_place(tmp_path: Path) -> None:
    assert "line 2" in refused(tmp_path, "[migrations]\ndirectory = \n").message


def test_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "confiture.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConfigError, match="not TOML"):
        load_project(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    (write(tmp_path, "") / "confiture.toml").chmod(0)
    with pytest.raises(ConfigError, match="cannot be read: Permission denied"):
        load_project(tmp_path)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("postgresql://${DB_USER}:${DB_PASS}@db/shop", "postgresql://app:p$w}@db/shop"),
        ("${DB_USER}${DB_USER}", "appapp"),
        ("$DB_USER ${ DB_USER } $$", "$DB_USER ${ DB_USER } $$"),
        ("${DB_EMPTY}", ""),
    ],
)
def test_environment_variables_are_put_in_once(
    monkeypatch: pytest.MonkeyPatch, text: str, expanded: str
) -> None:
    monkeypatch.setenv("DB_USER", "app")
    monkeypatch.setenv("DB_PASS", "p$w}")
    monkeypatch.setenv("DB_EMPTY", "")

    assert expand_variables(text) == expanded


def test_value_of_a_variable_is_not_expanded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTER", "${INNER}")
    monkeypatch.setenv("INNER", SECRET)
    assert expand_variables("${OUTER}") == "${INNER}"


def test_missing_environment_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DB_PASS", raising=False)

    with pytest.raises(ConfigError) as caught:
        expand_variables(f"postgresql://app:{SECRET}${{DB_PASS}}@db/shop", file=Path("c.toml"))

    assert caught.value.message == "The environment variable DB_PASS is not set."
    assert caught.value.next_step == "Set it: export DB_PASS=..."
    assert caught.value.file == Path("c.toml")
    assert SECRET not in str(caught.value)


def test_targets_own_placeholders_come_before_the_projects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_USER", "ada")
    project = load_project(write(tmp_path, FULL))

    assert placeholder_values(project) == {"schema": "app", "owner": "ada"}
    assert placeholder_values(project, "local") == {"schema": "app", "owner": "ada"}
    assert placeholder_values(project, "live") == {"schema": "live", "owner": "ada"}


def test_placeholder_that_asks_for_a_missing_variable_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DB_USER", raising=False)
    with pytest.raises(ConfigError, match="DB_USER is not set"):
        placeholder_values(load_project(write(tmp_path, FULL)))


def test_environment_gives_placeholders_by_a_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFITURE_PLACEHOLDER_APP_SCHEMA", "app")
    assert placeholder_variables()["app_schema"] == "app"


@pytest.mark.parametrize(
    "text",
    ["[placeholders]\na-b = '1'\nA_B = '2'", "[targets.a]\ndsn=''\nplaceholders={x='1', X='2'}"],
    ids=["project", "target"],
)
def test_one_placeholder_under_two_names_is_refused(tmp_path: Path, text: str) -> None:
    assert "are one placeholder" in refused(tmp_path, text).message


def test_placeholder_that_no_script_could_name_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, f"[placeholders]\n'a b' = '{SECRET}'")
    assert "placeholders.a b" in error.message
    assert SECRET not in str(error)


def test_values_of_placeholders_are_not_in_the_representation(tmp_path: Path) -> None:
    text = f"[placeholders]\nx = '{SECRET}'\n[targets.a]\ndsn=''\nplaceholders={{y='{SECRET}'}}"
    assert SECRET not in repr(load_project(write(tmp_path, text)))


@pytest.mark.parametrize(
    ("directory", "inside"), [("db/migrations", True), (".", True), ("../elsewhere", False)]
)
def test_files_of_the_project_may_be_included(tmp_path: Path, directory: str, inside: bool) -> None:
    project = load_project(write(tmp_path / "shop", ""))
    root = project.include_root(tmp_path / "shop" / directory)
    assert root == ((tmp_path / "shop").resolve() if inside else None)


def test_without_a_configuration_there_is_no_project_to_include_from(tmp_path: Path) -> None:
    assert Project().include_root(tmp_path) is None


def test_key_of_a_wrong_hook_is_named_without_what_was_tried(tmp_path: Path) -> None:
    file = tmp_path / "confiture.toml"
    file.write_text('[[hooks]]\nuse = "backup"\npoint = "before_lunch"\n')

    with pytest.raises(ConfigError, match=r"^hooks\.0\.point: Input should be 'before_validate'"):
        load_project(tmp_path)
