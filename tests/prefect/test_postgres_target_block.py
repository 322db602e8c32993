"""The PostgresTarget block: its shape, its secrets, and a flow that finds it by name."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prefect.testing.standard_test_suites.blocks import BlockStandardTestSuite
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr, ValidationError
from rich.console import Console

from confiture_flows.blocks import PostgresTarget
from confiture_flows.blocks.target import load_target
from confiture_flows.cli.prefect_server import TemporaryServer
from confiture_flows.config import Project
from confiture_flows.errors import ConfigError, TargetUnreachableError
from confiture_flows.flows import migrate_flow
from confiture_flows.wizard.prompters.answers import AnswersFile, AnswersPrompter
from confiture_flows.wizard.prompts import Screen
from confiture_flows.wizard.state import WizardState
from confiture_flows.wizard.steps.database import DatabaseSelector


class TestPostgresTarget(BlockStandardTestSuite):
    """What Prefect expects of every block."""

    @pytest.fixture
    def block(self) -> type[PostgresTarget]:
        return PostgresTarget

    @pytest.mark.skip(reason="It fetches a picture from the network; these blocks have none.")
    def test_has_a_valid_image(self, block: Any) -> None: ...


def test_block_needs_a_dsn_or_a_database() -> None:
    with pytest.raises(ValidationError, match="Give a dsn, or a database"):
        PostgresTarget()


def test_what_a_form_leaves_empty_is_not_given() -> None:
    block = PostgresTarget(database="shop", user="", dsn_variable="")
    assert (block.dsn_variable, block.user) == (None, None)


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"database": "shop", "dsn": "dbname=shop"}, "Give one of"),
        ({"database": "shop", "dsn_variable": "SHOP_DSN"}, "Give one of"),
        ({"database": "shop", "options": {"sslkey": "me.key"}}, "fields of their own: sslkey"),
        *(
            ({"database": "shop", "options": {name: "hunter2"}}, f"are secrets.*: {name.lower()}")
            for name in (
                *("Password", "sslpassword", "passfile", "oauth_client_secret"),
                *("scram_client_key", "scram_server_key", "sslkeylogfile"),
            )
        ),
        ({"dsn": "dbname=shop", "options": {"connect_timeout": "3"}}, "options go with a database"),
    ],
)
def test_block_refuses_what_contradicts_itself(said: dict[str, Any], refusal: str) -> None:
    with pytest.raises(ValidationError, match=refusal) as caught:
        PostgresTarget(**said)
    assert "hunter2" not in str(caught.value)


def test_block_passes_on_certificates_and_options() -> None:
    block = PostgresTarget(
        database="shop",
        sslmode="verify-full",
        sslrootcert="/etc/ca.pem",
        sslcert="/etc/me.pem",
        sslkey="/etc/me.key",
        options={"connect_timeout": "3", "options": "-c search_path=app"},
    )
    said = conninfo_to_dict(block.to_target("shop").dsn)
    expected = {
        "sslmode": "verify-full",
        "sslrootcert": "/etc/ca.pem",
        "sslcert": "/etc/me.pem",
        "sslkey": "/etc/me.key",
        "connect_timeout": "3",
        "options": "-c search_path=app",
    }
    assert {key: said[key] for key in expected} == expected


def test_block_refuses_an_option_that_libpq_does_not_know() -> None:
    block = PostgresTarget(database="shop", options={"conect_timeout": "3"})
    with pytest.raises(ConfigError, match="conect_timeout"):
        block.to_target("shop")


def test_block_reads_a_variable_of_the_worker(monkeypatch: pytest.MonkeyPatch, dsn: str) -> None:
    block = PostgresTarget(dsn_variable="SHOP_DSN")
    with pytest.raises(ConfigError, match="SHOP_DSN is not set"):
        block.to_target("shop")
    monkeypatch.setenv("SHOP_DSN", dsn)
    assert block.to_target("shop").dsn == dsn


def test_block_never_shows_its_password() -> None:
    block = PostgresTarget(database="shop", password=SecretStr("hunter2"))
    target = block.to_target("shop")
    assert "hunter2" not in f"{block!r} {block} {target!r} {block.model_dump_json()}"
    assert conninfo_to_dict(target.dsn)["password"] == "hunter2"


def test_block_passes_its_settings_on() -> None:
    block = PostgresTarget(
        dsn=SecretStr("dbname=shop"), production=True, fail_on="warning", busy_patience=3
    )
    target = block.to_target("shop")
    assert (target.production, target.fail_on, target.limits.busy_patience) == (True, "warning", 3)
    assert (target.verify, target.scratch) == ("scripts", None)


def test_block_passes_on_where_to_replay_and_does_not_show_it() -> None:
    block = PostgresTarget(database="shop", verify="replay", scratch=SecretStr("password=hush"))
    target = block.to_target("shop")
    assert (target.verify, target.scratch) == ("replay", "password=hush")
    assert "hush" not in f"{block!r} {target!r} {block.model_dump_json()}"


def test_connection_test_answers_with_the_version(dsn: str) -> None:
    assert PostgresTarget(dsn=SecretStr(dsn)).test_connection()[:1].isdigit()


def test_connection_test_fails_where_nobody_answers() -> None:
    block = PostgresTarget(host="127.0.0.1", port=1, database="shop")
    with pytest.raises(TargetUnreachableError):
        block.test_connection()


@pytest.mark.usefixtures("prefect_server")
def test_flow_finds_a_block_by_name(
    dsn: str, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    PostgresTarget(dsn=SecretStr(dsn)).save("kept-shop", overwrite=True)
    directory = write({"0001_a.up.sql": "CREATE TABLE a (id int);"})
    migrate_flow(target="kept-shop", directory=str(directory))
    assert conn.execute("SELECT to_regclass('a')::text").fetchone() == ("a",)


@pytest.mark.usefixtures("prefect_server")
def test_block_that_a_form_let_pass_is_told_as_it_is(dsn: str) -> None:
    # The form of the Prefect UI knows nothing of what contradicts what.
    wrong = PostgresTarget.model_construct(dsn=SecretStr(dsn), database="shop")
    wrong.save("wrong-shop", overwrite=True)
    with pytest.raises(ConfigError, match=r"'wrong-shop' is not what it has to be: Give one of"):
        load_target("wrong-shop", Project())


def test_wizard_takes_a_block(
    prefect_server: TemporaryServer, dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", prefect_server.api_url)
    monkeypatch.delenv("CONFITURE_DSN", raising=False)
    PostgresTarget(dsn=SecretStr(dsn)).save("wizard-shop", overwrite=True)
    path = tmp_path / "answers.toml"
    path.write_text('[database]\ntarget = "block"\ntarget_block = "wizard-shop"\n')
    step = DatabaseSelector()
    prompter = AnswersPrompter(AnswersFile.read(path, step.keys), yes=True)
    out = io.StringIO()

    state = step.run(Screen(prompter, Console(file=out), Project()), WizardState())

    assert state.target == "wizard-shop"
    assert "PostgreSQL" in out.getvalue()
