"""Keys: HMAC-SHA256 by the standard, one a domain, never shown."""

from __future__ import annotations

import hmac
import pickle

import pytest

from confiture_flows.anonymization.keys import Key, Secret
from confiture_flows.errors import ConfigError

SECRET = Secret(b"0123456789abcdef0123456789abcdef")


def test_digest_is_hmac_sha256():
    key = Key(b"k" * 32)
    for value in (b"", b"a", b"x" * 1000):
        assert key.digest(value) == hmac.digest(b"k" * 32, value, "sha256")


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
