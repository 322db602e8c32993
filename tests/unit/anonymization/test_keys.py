"""Keys: HMAC-SHA256 by the standard, one a domain, never shown."""

from __future__ import annotations

import hmac
import pickle
from pathlib import Path

import pytest

from confiture_flows.anonymization.keys import (
    SECRET_VARIABLE,
    Key,
    Secret,
    secret_findings,
    secret_of,
)
from confiture_flows.config import Project, load_project
from confiture_flows.errors import ConfigError

SECRET = Secret(b"0123456789abcdef0123456789abcdef")


def test_digest_is_hmac_sha256():
    key = Key(b"k" * 32)
    for value in (b"", b"a", b"x" * 1000):
        assert key.digest(value) == hmac.digest(b"k" * 32, value, "sha256")


def test_secret_of_the_environment_may_be_any_bytes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(SECRET_VARIABLE, "\udcff\udcfe" * 16)
    made = secret_of(Project())
    assert made is not None
    assert made.key("a").digest(b"a") == Secret(b"\xff\xfe" * 16).key("a").digest(b"a")


def test_domains_have_nothing_to_do_with_one_another():
    assert SECRET.key("email").digest(b"a") != SECRET.key("name").digest(b"a")
    assert SECRET.key("email").digest(b"a") == SECRET.key("email").digest(b"a")


def test_a_key_survives_pickling_and_hides_itself():
    key = SECRET.key("email")
    assert pickle.loads(pickle.dumps(key)).digest(b"a") == key.digest(b"a")
    assert repr(key) == "Key(...)"
    assert "0123" not in repr(SECRET)


def test_short_secret_is_refused_without_being_shown():
    with pytest.raises(ConfigError, match="has 5 bytes") as caught:
        Secret(b"hush!")
    assert "hush" not in str(caught.value)


def test_numbers_are_the_first_seven_bytes():
    key = SECRET.key("n")
    assert key.number(b"a") == int.from_bytes(key.digest(b"a")[:7], "big")


def configured(folder: Path, text: str) -> Project:
    (folder / "confiture.toml").write_text(f"[anonymization]\n{text}\n")
    return load_project(folder)


VALUE = "correct horse battery staple"


@pytest.fixture(autouse=True)
def no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)


def test_secret_is_the_same_from_every_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MASK_SECRET", VALUE)
    (tmp_path / "key").write_text(VALUE + "\n")
    digests = {
        secret.key("a").digest(b"x")
        for text in ('secret = "${MASK_SECRET}"', 'secret_file = "key"')
        if (secret := secret_of(configured(tmp_path, text)))
    }
    monkeypatch.setenv(SECRET_VARIABLE, VALUE)
    by_variable = secret_of(configured(tmp_path, ""))
    assert by_variable
    assert digests == {by_variable.key("a").digest(b"x")}
    assert pickle.loads(pickle.dumps(by_variable)).key("a").digest(b"x") in digests


def test_without_any_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert secret_of(configured(tmp_path, "")) is None
    monkeypatch.setenv(SECRET_VARIABLE, VALUE)
    # A block was named: another secret must not take its place.
    assert secret_of(configured(tmp_path, 'secret_block = "masks"')) is None


def test_random_secret_is_another_one_each_time(tmp_path: Path):
    project = configured(tmp_path, "random = true")
    first, second = secret_of(project), secret_of(project)
    assert first
    assert second
    assert first.key("a").digest(b"x") != second.key("a").digest(b"x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('secret = "${NOT_SET_ANYWHERE}"', "NOT_SET_ANYWHERE is not set"),
        ('secret_file = "nowhere"', "cannot be read: No such file"),
        ('secret = "short"', "has 5 bytes"),
    ],
)
def test_secret_that_cannot_be_had_names_the_file(tmp_path: Path, text: str, said: str):
    with pytest.raises(ConfigError, match=said) as caught:
        secret_of(configured(tmp_path, text))
    assert caught.value.file is not None


def test_two_secrets_are_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="secret_file and random exclude one another"):
        configured(tmp_path, 'secret_file = "key"\nrandom = true')


def test_secret_that_others_can_read_is_a_finding(tmp_path: Path):
    (tmp_path / "key").write_text(VALUE)
    project = configured(tmp_path, 'secret_file = "key"')
    (tmp_path / "key").chmod(0o644)
    (finding,) = secret_findings(project)
    assert finding.code == "anonymization.secret_readable"
    (tmp_path / "key").chmod(0o600)
    assert secret_findings(project) == ()


def test_secret_in_the_configuration_is_a_finding_without_it(tmp_path: Path):
    (finding,) = secret_findings(configured(tmp_path, f'secret = "{VALUE}"'))
    assert finding.code == "anonymization.secret_in_file"
    assert VALUE not in str(finding)
    assert secret_findings(configured(tmp_path, 'secret = "${MASK_SECRET}"')) == ()
