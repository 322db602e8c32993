"""Built-in strategies: what single ones promise beyond what all of them hold to."""

from __future__ import annotations

import json
import re
from itertools import product
from operator import eq
from string import ascii_lowercase, ascii_uppercase
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from confiture_flows.anonymization.check_digits import iban_check, luhn, mod_11_10
from confiture_flows.anonymization.strategies._words import Kind, Locale, words
from confiture_flows.anonymization.strategies.redact import Redact
from confiture_flows.anonymization.strategy import UnfitValue
from confiture_flows.errors import ConfigError, StrategyError

from .strategy_cases import DP, NOISE, OTHER_SECRET, make


def numbered(count: int) -> list[str]:
    return [f"user{number}@shop.invalid" for number in range(count)]


@pytest.mark.parametrize("value", ["00", "A-12", "a1"])
def test_permute_is_a_bijection_of_each_form(value: str):
    classes = {"0": "0123456789", "A": ascii_uppercase, "a": ascii_lowercase}
    kinds = [
        "0" if each.isdigit() else "A" if each.isupper() else "a" if each.islower() else each
        for each in value
    ]
    every = ["".join(each) for each in product(*(classes.get(kind, kind) for kind in kinds))]
    made = list(make("permute").anonymize_batch(every))
    assert sorted(made) == sorted(every)
    assert not any(map(eq, made, every)), "a key that stays as it is stops the copy"


@pytest.mark.parametrize("values", [range(100), range(-99, 0), range(32000, 32768)])
def test_permute_is_a_bijection_of_numbers(values: range):
    every = list(map(str, values))
    made = list(make("permute", "int2").anonymize_batch(every))
    assert len(set(made)) == len(values)
    assert not any(map(eq, made, every))
    assert [len(each) for each in made] == [len(str(each)) for each in values]
    assert all(-32768 <= int(each) <= 32767 for each in made)


@given(some.sets(some.text("abzAZ019-_/", min_size=2, max_size=12), min_size=2, max_size=40))
@settings(max_examples=50, deadline=None)
def test_permute_keeps_codes_apart(values: set[str]):
    fit = sorted(each for each in values if any(map(str.isalnum, each)))
    made = make("permute").anonymize_batch(fit)
    assert len(set(made)) == len(fit)


def test_permute_keeps_many_codes_apart():
    codes = [f"ORD-{number:06}" for number in range(10_000)]
    assert len(set(make("permute").anonymize_batch(codes))) == 10_000


def test_shuffle_hands_out_the_same_values_to_other_rows():
    strategy = make("shuffle")
    values = [str(number) for number in range(1000)]
    made = list(strategy.anonymize_batch(values))
    assert sorted(made) == sorted(values)
    assert all(old != new for old, new in zip(values, made, strict=True))
    assert made == list(make("shuffle").anonymize_batch(values))
    assert made != list(make("shuffle", secret=OTHER_SECRET).anonymize_batch(values))
    with pytest.raises(UnfitValue):
        strategy.anonymize_batch(["alone"])
    with pytest.raises(UnfitValue):
        strategy.anonymize("alone")


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("write to Bob.O'Neil+x@mail.example.org.", "write to [EMAIL]."),
        ("see https://a.b/c?d=e#f now", "see [URL] now"),
        ("pay DE89 3704 0044 0532 0130 00 soon", "pay [IBAN] soon"),
        ("GB82WEST12345698765432", "[IBAN]"),
        ("card 4111-1111-1111-1111!", "card [CARD]!"),
        ("call +44 20 7946 0123 or (030) 123 45 67", "call [PHONE] or [PHONE]"),
        ("from 10.0.0.1, fe80::1 and 2001:db8:0:1:2:3:4:5", "from [IP], [IP] and [IP]"),
        ("room 12, at 10:30", "room 12, at 10:30"),
        ("", ""),
    ],
)
def test_free_text_strikes_out_what_has_a_form(text: str, made: str):
    assert make("free-text").anonymize(text) == made


def test_free_text_reads_long_words_in_good_time():
    # From each letter anew these would take minutes.
    for word in ("x" * 300_000, "7" * 300_000, "a:" * 100_000, "x." * 100_000 + "@"):
        assert "[EMAIL]" not in make("free-text").anonymize(word)


def test_free_text_takes_patterns_of_its_own():
    strategy = make("free-text", kinds=("email",), also=(r"MRN-\d+",), mark="\\1")
    assert strategy.anonymize("MRN-77 a@b.de 10.0.0.1") == "\\1 \\1 10.0.0.1"


def passes_luhn(number: str) -> bool:
    digits = list(map(int, number))[::-1]
    return sum(digits[::2] + [sum(divmod(2 * each, 10)) for each in digits[1::2]]) % 10 == 0


@pytest.mark.parametrize("network", ["visa", "mastercard", "amex", "none"])
def test_cards_pass_luhn(network: str):
    assert all(
        map(passes_luhn, make("credit-card", network=network).anonymize_batch(numbered(200)))
    )


@pytest.mark.parametrize(
    ("country", "length"),
    {"AT": 20, "BE": 16, "CH": 21, "DE": 22, "ES": 24, "FR": 27, "GB": 22, "IT": 27}.items(),
)
def test_ibans_pass_the_check(country: str, length: int):
    for iban in make("iban", country=country).anonymize_batch(numbered(200)):
        assert len(iban) == length
        assert int("".join(str(int(each, 36)) for each in iban[4:] + iban[:4])) % 97 == 1


def test_checks_agree_with_known_numbers():
    assert luhn("411111111111111") == "1"
    assert iban_check("DE", "370400440532013000") == "89"
    assert iban_check("GB", "WEST12345698765432") == "82"
    assert mod_11_10("8609574271") == "9"


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("us-ssn", r"9\d\d-(0[1-9]|[1-4]\d)-(?!0000)\d{4}"),
        ("gb-nino", r"QQ\d{6}[A-D]"),
        ("fr-nir", r"[12]\d\d(0[1-9]|1[0-2])00\d{8}"),
        ("de-steuer-id", r"0\d{10}"),
        ("pl-pesel", r"\d\d(8[1-9]|9[0-2])([01]\d|2[0-8])\d{5}"),
        ("es-dni", r"99\d{6}[A-Z]"),
    ],
)
def test_national_ids_have_their_form(kind: str, form: str):
    made = make("national-id", kind=kind).anonymize_batch(numbered(2000))
    assert [each for each in made if not re.fullmatch(form, each)] == []
    assert len(set(made)) > 1990
    for each in made[:200]:
        if kind == "fr-nir":
            assert (int(each[:13]) + int(each[13:])) % 97 == 0
        if kind == "de-steuer-id":
            counts = sorted(map(each[:10].count, set(each[:10])))
            assert counts == [1] * 8 + [2]
        if kind == "pl-pesel":
            weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
            assert sum(int(a) * b for a, b in zip(each, weights, strict=True)) % 10 == 0


def test_document_keeps_what_no_path_names():
    document = '{"a": 1.10, "b": [1e400, 12345678901234567890123], "c": "x\\u0001ü", "d": "y"}'
    made = make("jsonb", "jsonb", paths={"$.d": "redact"}).anonymize(document)
    assert made == document.replace('"y"', '"[REDACTED]"')


def test_document_that_is_too_deep_is_unfit():
    strategy = make("jsonb", "jsonb", paths={"$.a": "redact"})
    with pytest.raises(UnfitValue):
        strategy.anonymize("[" * 100_000)
    assert strategy.anonymize('{"n": ' + "7" * 9000 + "}").count("7") == 9000


def test_json_may_hold_what_jsonb_does_not():
    strategy = make("jsonb", "json", paths={"$.d": "email", "$.n": {**NOISE, "type": "int8"}})
    made = strategy.anonymize('{"a": "x\\uD83Dy\\ud83d\\ude00", "d": "y"}')
    assert made.startswith('{"a": "x\\ud83dy\U0001f600", "d": "')
    assert json.loads(made.encode())["a"] == "x\ud83dy\U0001f600"
    for unfit in (
        '{"d": "\\ud83d"}',
        '{"a": "\\u0000number:1, \\"d\\": 2"}',
        '{"n": 9223372036854775808}',
        '{"n": ' + "7" * 9000 + "}",
    ):
        with pytest.raises(UnfitValue):
            strategy.anonymize(unfit)
    assert json.loads(strategy.anonymize('{"n": -9223372036854775808}'))["n"] > -(1 << 63)


def test_part_of_a_document_becomes_what_a_column_becomes():
    made = make("jsonb", "jsonb", paths={"$.p.*.mail": "email"})
    text = made.anonymize('{"p": {"a": {"mail": "bob"}, "b": {"mail": "eve"}}}')
    assert make("email").anonymize("bob") in text
    assert make("email").anonymize("eve") in text


def test_document_can_lose_parts_of_any_type():
    paths = {"$.a": "null", '$."b.c"': {"strategy": "constant", "config": {"value": "-"}}}
    made = make("jsonb", "jsonb", secret=None, paths=paths)
    document = '{"a": {"x": 1.50}, "b.c": [1], "d": 2}'
    assert made.anonymize(document) == '{"a": null, "b.c": "-", "d": 2}'


def test_secret_is_asked_for_when_a_part_needs_it():
    with pytest.raises(ConfigError, match="'email' needs a secret"):
        make("array", "text[]", secret=None, element="email")


def test_parts_that_a_strategy_refuses_are_unfit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Redact, "validate", lambda self, value: value != "bad")
    array = make("array", "text[]", element="redact")
    document = make("jsonb", "jsonb", paths={"$.a": "redact"})
    template = make("template", template="{a}", parts={"a": "redact"})
    assert array.anonymize("{good}") == '{"[REDACTED]"}'
    with pytest.raises(UnfitValue):
        array.anonymize("{good,bad}")
    with pytest.raises(UnfitValue):
        document.anonymize('{"a": "bad"}')
    with pytest.raises(UnfitValue):
        template.anonymize("bad")


def test_array_masks_elements_alone():
    made = make("array", "text[]", element="redact").anonymize('[0:1]={{"a b",NULL},{"",NULL}}')
    assert made == '[0:1]={{"[REDACTED]",NULL},{"[REDACTED]",NULL}}'


def test_template_is_made_of_columns_of_the_row():
    parts = {
        "first": {"strategy": "name", "config": {"part": "first"}, "column": "first_name"},
        "town": "city",
    }
    strategy = make("template", template="{first}.{digits:4}@{town}.invalid", parts=parts)
    assert strategy.needs() == ("first_name",)
    made = strategy.anonymize("bob@x.org", "Robert")
    assert made.startswith(make("name", part="first").anonymize("Robert") + ".")
    assert re.fullmatch(r"\w+\.\d{4}@.+\.invalid", made)
    assert strategy.anonymize("bob@x.org", None).startswith(".")


def test_sql_alone_is_refused_in_python():
    strategy = make("sql", expression="left({column}, 3) || '***' -- cut")
    assert strategy.to_sql("t.c") == "(left(t.c, 3) || '***' -- cut\n)"
    with pytest.raises(StrategyError, match="Python cannot compute"):
        strategy.anonymize("x")


def test_dp_noise_has_the_spread_that_epsilon_says():
    bounds = {"at_least": -1e6, "at_most": 1e6, "sensitivity": 10}
    strategy = make("dp-noise", "float8", epsilon=2, row="id", **bounds)
    rows = list(map(str, range(20_000)))
    noise = [float(each) - 50 for each in strategy.anonymize_batch(["50"] * len(rows), rows)]
    # Laplace of the scale 5: the mean is 0, the mean distance from it 5.
    assert abs(sum(noise) / len(noise)) < 0.3
    assert abs(sum(map(abs, noise)) / len(noise) - 5) < 0.2
    assert strategy.budget == 2
    assert make("email").budget is None


def test_dp_noise_stays_within_bounds_and_the_same():
    strategy = make("dp-noise", "int4", **DP)
    rows = list(map(str, range(1000)))
    made = strategy.anonymize_batch(["50"] * 1000, rows)
    assert {0, 100} <= set(map(int, made)) <= set(range(101))
    assert made == make("dp-noise", "int4", **DP).anonymize_batch(["50"] * 1000, rows)


def test_netmask_of_a_single_address_makes_no_other_address():
    strategy = make("ip", "inet", unique=True)
    assert strategy.anonymize("10.0.0.1/32") == strategy.anonymize("10.0.0.1")
    assert strategy.anonymize("::/128") == strategy.anonymize("::")
    assert strategy.anonymize("10.0.0.1/24") != strategy.anonymize("10.0.0.1")


def test_picks_follow_their_weights():
    made = list(make("pick", values=("a", "b"), weights=(9, 1)).anonymize_batch(numbered(10_000)))
    assert 8800 < made.count("a") < 9200


@pytest.mark.parametrize("locale", get_args(Locale))
def test_lists_of_a_locale_hold_different_words(locale: Locale):
    for kind in get_args(Kind):
        listed = words(locale, kind)
        assert len(listed) == len(set(listed)) >= 10
        assert all(each == each.strip() for each in listed)
    assert len(words(locale, "first_names")) > 150
    assert len(words(locale, "last_names")) >= 200
