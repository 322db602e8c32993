"""Which target is chosen, what it is called, and that no password is ever shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from confiture_flows.config import Limits, Project, TargetConfig
from confiture_flows.errors import ConfigError, TargetUnreachableError
from confiture_flows.target import Target, configured_target, connect, describe_dsn

SECRET = "hunter2"
LOCAL = TargetConfig("dbname=shop")
LIVE = TargetConfig(
    "postgresql://app:${DB_PASS}@db/shop",
    production=True,
    fail_on="warning",
    ledger="ops.tb",
    limits=Limits(lock_patience=1),
)


@pytest.fixture(autouse=True)
def _no_target_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONFITURE_DSN", raising=False)


@pytest.mark.parametrize(
    ("dsn", "name"),
    [
        ("postgresql://app:secret@db.example:5433/shop", "shop@db.example:5433"),
        ("postgres://db.example/shop", "shop@db.example"),
        ("postgresql://app@db.example", "app@db.example"),
        ("postgresql:///shop", "shop@local"),
        ("postgresql:///shop?host=/run/postgresql&port=5433", "shop@local"),
        ("postgresql://[::1]:5433/shop", "shop@::1:5433"),
        ("postgresql://a,b:5433/shop", "shop@a,b:,5433"),
        ("host=db.example port=5433 dbname=shop user=app password=secret", "shop@db.example:5433"),
        ("hostaddr=10.0.0.1 dbname=shop", "shop@10.0.0.1"),
        ("host=/run/postgresql dbname=shop", "shop@local"),
        ("dbname=shop", "shop@local"),
        ("", "default@local"),
        ("postgresql://app:p%40ss%2F@db/shop", "shop@db"),
        ("host=db dbname=shop password='a b'", "shop@db"),
    ],
)
def test_target_is_named_without_user_and_password(dsn: str, name: str) -> None:
    assert describe_dsn(dsn) == name
    assert Target.from_dsn(dsn).name == name


def test_name_that_is_given_is_kept() -> None:
    assert Target.from_dsn("dbname=shop", name="mine").name == "mine"


BROKEN = [
    f"app:{SECRET}@db/shop",
    f"postgresql//app:{SECRET}@db/shop",
    f"postgresql:/app:{SECRET}@db/shop",
    f"postgresql://app:{SECRET}%@db/shop",
    f"postgresql://app:{SECRET}%zz@db/shop",
    f"postgresql://app:{SECRET} x@db/shop",
    f"postgresql://app:x@{SECRET}@db/shop",
    f"postgresql://app@db/shop?pasword={SECRET}",
    f"postgresql://app:{SECRET}@db/shop?sslmode",
    f"host=db password={SECRET} x dbname=shop",
    f"host=db password='{SECRET} dbname=shop",
    f"host=db passwort={SECRET}",
    SECRET,
]
# A slash ends the part in which libpq looks for the @, so the rest is host, port and database.
SLASHED = [
    f"postgresql://app:{SECRET}/x@db/shop",
    f"postgresql://app:12/{SECRET}@db/shop",
    f"postgresql://app:{SECRET}\0@db/shop",
]


def assert_refused_without_repeating(dsn: str) -> None:
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        Target.from_dsn(dsn)
    error = caught.value
    assert SECRET not in f"{error} {error!r} {error.__cause__}"
    assert "percent-encode" in (error.next_step or "")


@pytest.mark.parametrize("dsn", BROKEN)
def test_connection_string_that_cannot_be_read_is_not_repeated(dsn: str) -> None:
    assert_refused_without_repeating(dsn)


@pytest.mark.parametrize("dsn", SLASHED)
def test_password_with_a_slash_is_not_taken_for_a_name(dsn: str) -> None:
    assert_refused_without_repeating(dsn)


@pytest.mark.parametrize("dsn", [f"postgresql://app:{SECRET}@db/shop", f"password={SECRET}"])
def test_no_repr_shows_the_connection_string(dsn: str) -> None:
    target = Target.from_dsn(dsn)
    assert SECRET not in f"{target!r} {target}"


def test_dsn_that_is_given_is_the_target() -> None:
    project = Project(targets={"local": LOCAL})
    target = configured_target(project, None, "dbname=other")
    assert target == Target("other@local", "dbname=other")


def test_named_target_has_all_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASS", SECRET)
    monkeypatch.setenv("CONFITURE_DSN", "dbname=other")

    assert configured_target(Project(targets={"local": LOCAL, "live": LIVE}), "live") == Target(
        name="live",
        dsn=f"postgresql://app:{SECRET}@db/shop",
        production=True,
        fail_on="warning",
        limits=Limits(lock_patience=1),
        ledger="ops.tb",
    )


def test_environment_names_the_target_where_nothing_else_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONFITURE_DSN", "dbname=other")
    target = configured_target(Project(targets={"local": LOCAL}), None)
    assert target is not None
    assert target.name == "other@local"


def test_only_target_need_not_be_named() -> None:
    target = configured_target(Project(targets={"local": LOCAL}), None)
    assert target == Target("local", "dbname=shop")


def test_unknown_name_is_left_to_others() -> None:
    assert configured_target(Project(targets={"local": LOCAL}), "live") is None


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ({}, "No target is named."),
        ({"b": LOCAL, "a": LOCAL}, "No target is named. Targets are: a, b."),
    ],
)
def test_no_target_is_refused_with_those_there_are(
    targets: dict[str, TargetConfig], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        configured_target(Project(targets=targets), None)
    assert caught.value.message == message
    assert "--target" in (caught.value.next_step or "")
    assert "CONFITURE_DSN" in (caught.value.next_step or "")


def test_name_and_dsn_together_are_refused() -> None:
    with pytest.raises(ConfigError, match="Both a target and a DSN"):
        configured_target(Project(), "live", f"password={SECRET}")


def test_variable_that_is_not_set_names_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DB_PASS", raising=False)
    project = Project(targets={"live": LIVE}, source=Path("confiture.toml"))

    with pytest.raises(ConfigError, match="DB_PASS is not set") as caught:
        configured_target(project, "live")
    assert caught.value.file == Path("confiture.toml")


def test_variable_that_breaks_the_url_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASS", f"x@{SECRET}")
    target = configured_target(Project(targets={"live": LIVE}), "live")
    assert target is not None

    with pytest.raises(ConfigError) as caught, connect(target, "test"):
        pass
    assert SECRET not in f"{caught.value} {caught.value!r}"


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgresql://app:{SECRET}@127.0.0.1:1/shop",
        f"host=/nonexistent password={SECRET} dbname=shop",
    ],
)
def test_nobody_answering_is_told_without_the_password(dsn: str) -> None:
    target = Target.from_dsn(dsn)

    with (
        pytest.raises(TargetUnreachableError, match="Nothing answers at shop@") as caught,
        connect(target, "test"),
    ):
        pass

    assert SECRET not in f"{caught.value} {caught.value!r} {caught.value.__cause__}"
    assert caught.value.retryable


def test_time_limit_that_is_no_number_is_a_configuration_error() -> None:
    target = Target("shop", "postgresql://127.0.0.1:1/shop?connect_timeout=soon")
    with pytest.raises(ConfigError), connect(target, "test"):
        pass


@pytest.mark.parametrize(
    ("name", "dsn", "schema"),
    [("live", None, "live"), ("local", None, "app"), (None, "dbname=other", "app")],
)
def test_target_has_the_values_of_its_project(
    monkeypatch: pytest.MonkeyPatch, name: str | None, dsn: str | None, schema: str
) -> None:
    monkeypatch.setenv("DB_PASS", SECRET)
    live = replace(LIVE, placeholders={"Schema": "live"}, out_of_order="apply")
    project = Project(
        targets={"local": LOCAL, "live": live},
        placeholders={"schema": "app", "secret": SECRET},
    )

    target = configured_target(project, name, dsn)

    assert target is not None
    assert target.placeholders == {"schema": schema, "secret": SECRET}
    assert target.out_of_order == ("apply" if name == "live" else None)
    assert SECRET not in repr(target)
    assert hash(target) == hash(replace(target, placeholders={}))
