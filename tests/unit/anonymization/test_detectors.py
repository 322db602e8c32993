"""What each detector takes for its kind of value, and what it does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from confiture_flows.anonymization.detection import (
    SampledColumn,
    all_detectors,
    detect_personal,
    readings_of,
)
from confiture_flows.anonymization.detector import Samples, ValueDetector, each_value
from confiture_flows.anonymization.detectors.address import is_address
from confiture_flows.anonymization.detectors.birth_date import day_of
from confiture_flows.anonymization.detectors.br_cpf import is_cpf
from confiture_flows.anonymization.detectors.card import is_card, passes_luhn
from confiture_flows.anonymization.detectors.credential import is_credential, is_random
from confiture_flows.anonymization.detectors.de_steuer_id import is_steuer_id
from confiture_flows.anonymization.detectors.email import holds_email, is_email
from confiture_flows.anonymization.detectors.es_dni import is_dni
from confiture_flows.anonymization.detectors.fr_nir import is_nir
from confiture_flows.anonymization.detectors.free_text import is_running
from confiture_flows.anonymization.detectors.geo import is_pair
from confiture_flows.anonymization.detectors.health import speaks_of_health
from confiture_flows.anonymization.detectors.iban import is_iban
from confiture_flows.anonymization.detectors.ip import is_ip, is_public_ip
from confiture_flows.anonymization.detectors.it_codice_fiscale import is_codice_fiscale
from confiture_flows.anonymization.detectors.nl_bsn import is_bsn
from confiture_flows.anonymization.detectors.person_name import is_full_name, is_name
from confiture_flows.anonymization.detectors.phone import is_phone
from confiture_flows.anonymization.detectors.pl_pesel import is_pesel
from confiture_flows.anonymization.detectors.uk_nino import is_nino
from confiture_flows.anonymization.detectors.us_ssn import is_ssn
from confiture_flows.anonymization.strategy import Column

# The examples are those that the issuers of such numbers publish.
TAKEN: list[tuple[Callable[[str], object], tuple[str, ...]]] = [
    (is_email, ("ada@lovelace.org", "a.b+c@mail.co.uk", "Ada <ada@x.org>", "jürgen@müller.de")),
    (holds_email, ("write to ada@lovelace.org, please",)),
    (is_phone, ("+49 30 901820", "+1 (212) 555-0187", "212-555-0187", "(020) 7946 0958",
                "0049 30 123456", "01 42 68 53 00", "+442079460958", "030/12345678")),
    (is_card, ("4111 1111 1111 1111", "5555555555554444", "378282246310005")),
    (is_iban, ("DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432",
               "fr1420041010050500013m02606")),
    (is_ssn, ("219-09-9999", "457 55 5462")),
    (is_nino, ("AB123456C", "ab 12 34 56 d")),
    (is_nir, ("2 55 08 14 168 025 38", "255081416802538")),
    (is_steuer_id, ("86095742719", "47036892816", "65929970489")),
    (is_dni, ("12345678Z", "X1234567L")),
    (is_pesel, ("44051401359", "02070803628")),
    (is_codice_fiscale, ("RSSMRA85T10A562S",)),
    (is_cpf, ("111.444.777-35", "52998224725")),
    (is_bsn, ("111222333", "123456782")),
    (is_ip, ("192.168.0.1", "8.8.8.8/32", "2001:4860:4860::8888")),
    (is_public_ip, ("8.8.8.8", "2001:4860:4860::8888")),
    (is_pair, ("48.8584, 2.2945", "(2.2945,48.8584)", "-33.85 151.21")),
    (day_of, ("1912-06-23", "23.06.1912", "06/23/1912", "1912-06-23 00:00:00")),
    (is_full_name, ("Anna Schmidt", "SMITH, John", "Marie-Claire Dubois", "john smith")),
    (is_name, ("Anna", "Smith", "Dr. John Smith")),
    (is_address, ("221b Baker Street", "Hauptstraße 12", "12 rue de la Paix", "Calle Mayor 4",
                  "ul. Długa 7", "1600 Pennsylvania Ave NW", "P.O. Box 77")),
    (is_credential, ("$2b$12$" + "a" * 53, "ghp_" + "a1" * 18, "sk_live_" + "x1" * 12,
                     "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "postgres://u:p4ss@db/shop",
                     "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$aGFzaA",
                     "-----BEGIN RSA PRIVATE KEY-----\nMIIE")),
    (is_random, ("9f86d081884c7d659a2feaa0c55ad015", "Zm9vYmFyMTIzNDU2Nzg5MA==")),
    (is_running, ("She said she would call again on Monday",)),
    (speaks_of_health, ("diagnosed with asthma", "Diabetes mellitus Typ 2", "metformin 500 mg")),
]  # fmt: skip
LEFT: list[tuple[Callable[[str], object], tuple[str, ...]]] = [
    (is_email, ("ada", "@handle", "a@b", "ada@example.com", "x@host.test", "git@github.com:a/b.git",
                "1@users.noreply.github.com", "", "npm@1.2.3")),
    (holds_email, ("see @ada on GitHub", "ada@lovelace.org", "root@localhost said hello")),
    (is_phone, ("2026-11-24", "24.11.2026", "12345678", "ORD-1234-5678", "10.0.0.1", "1.2.3.4",
                "978-3-16-148410-0", "+1", "123e4567")),
    (is_card, ("4111 1111 1111 1112", "0000000000000000", "79927398713", "2026112400017",
               "order 4111111111111111")),
    (is_iban, ("DE89370400440532013001", "DE8937040044053201300", "AB12CDEF")),
    (is_ssn, ("000-12-3456", "666-12-3456", "912-12-3456", "123-00-4567", "123456789")),
    (is_nino, ("GB123456A", "AB123456E", "AB12345")),
    (is_nir, ("255081416802539", "955081416802538")),
    (is_steuer_id, ("86095742718", "12345678901", "06095742719")),
    (is_dni, ("12345678A", "1234567Z")),
    (is_pesel, ("44051401358", "44051301359", "99999999999")),
    (is_codice_fiscale, ("RSSMRA85T10A562T",)),
    (is_cpf, ("11111111111", "11144477736")),
    (is_bsn, ("000000000", "123456789")),
    (is_ip, ("1.2.3", "256.1.1.1", "10.0.0.0/8", "12", "v1.2.3.4")),
    (is_public_ip, ("10.1.2.3", "127.0.0.1", "fe80::1")),
    (is_pair, ("1,2", "148.85, 192.29", "3.50, USD", "12.50")),
    (day_of, ("2026-13-01", "1912-06-23 14:30:00", "1912", "yesterday")),
    (is_full_name, ("Anna", "Blue Widget", "anna Schmidt GmbH 3", "north-east region")),
    (is_name, ("Widget", "SKU-12", "in_progress")),
    (is_address, ("0x52908400098527886E0F7830069857D2E4169EE7", "10.0.0.1", "street", "app_1", "")),
    (is_credential, ("password", "sk", "https://example.org/a:b",
                     "9f86d081884c7d659a2feaa0c55ad015")),
    (is_random, ("in_progress_of_work", "00000000000000000000",
                 "2f1e0c52-1d4b-4c53-9a5e-0c6a53b6ad10")),
    (is_running, ("Blue widget", "a b c d", "1 2 3 4 5 6 7 8 9 10 11 12")),
    (speaks_of_health, ("healthy profits", "allergan stock")),
]  # fmt: skip


def cases(table: list[tuple[Callable[[str], object], tuple[str, ...]]]) -> list[object]:
    return [
        pytest.param(function, value, id=f"{getattr(function, '__name__', '')}-{value[:24]}")
        for function, values in table
        for value in values
    ]


@pytest.mark.parametrize(("function", "value"), cases(TAKEN))
def test_is_taken_for_its_kind(function: Callable[[str], object], value: str):
    assert function(value)


@pytest.mark.parametrize(("function", "value"), cases(LEFT))
def test_is_taken_for_something_else(function: Callable[[str], object], value: str):
    assert not function(value)


def test_luhn_is_one_in_ten():
    assert sum(passes_luhn(f"{number:012}") for number in range(10_000)) == 1000


def best(values: list[str], type_name: str = "text") -> tuple[str, float]:
    """The category that the values alone speak of most, and how sure it is."""
    found = readings_of(Samples(tuple(values), type_name))
    scores = {
        category: max(each.score for each in readings) for category, readings in found.items()
    }
    category = max(scores, key=scores.__getitem__)
    return category, scores[category]


def test_birth_dates_are_spread_as_people_are():
    today = date.today()
    born = [str(today - timedelta(days=365 * age + age * 7 % 300)) for age in range(19, 80)]
    founded = [str(today - timedelta(days=40 * number)) for number in range(60)]
    planned = [str(today + timedelta(days=number)) for number in range(60)]
    assert best(born, "date")[0] == "birth date"
    assert best(born, "date")[1] > 0.5
    assert best(founded, "date")[1] < 0.5
    assert best(planned, "date")[1] < 0.5


def test_few_samples_and_few_values_are_less_sure():
    one = best(["ada@lovelace.org"])[1]
    many = best([f"ada{number}@lovelace.org" for number in range(50)])[1]
    same = best(["ada@lovelace.org"] * 50)[1]
    assert one < 0.5 < many
    assert same < 0.5


def test_orders_that_pass_luhn_are_no_cards():
    orders = [f"20261124{number:04}" for number in range(2000)]
    passing = [order for order in orders if passes_luhn(order)]
    assert len(passing) == 200
    assert best(passing)[1] < 0.5


def test_fixed_messages_are_no_free_text():
    said = ["The order could not be delivered yet", "The order was paid and is on its way"] * 30
    assert best(said)[1] == 0


WRITTEN = [f"I cannot log in since {number} days, please call me" for number in range(30)]


@pytest.mark.parametrize(
    ("values", "reported"),
    [
        (WRITTEN, True),
        (["ok", "Danke!", *WRITTEN], True),
        ([f"よろしくお願いします{number}" for number in range(30)], True),
        (["not delivered", "wrong address", "refused"] * 20, False),  # fixed words
        ([f"/builds/{number}/log.txt" for number in range(30)], False),
        (["refused"] * 9, True),  # too few to refute anything
    ],
)
def test_a_name_that_speaks_of_text_is_held_against_the_values(values: list[str], reported: bool):
    column = Column("public", "tickets", "message", "text")
    assert bool(detect_personal([SampledColumn(column, values=tuple(values))])) is reported


def test_documents_without_a_sentence_are_a_programs():
    column = Column("public", "deliveries", "payload", "jsonb")
    states = tuple(json.dumps({"kind": f"update-{number}", "n": 2}) for number in range(30))
    said = tuple(json.dumps({"kind": "update", "about": {"text": text}}) for text in WRITTEN)
    for documents, reported in ((states, False), (said, True), (states[:5], True)):
        found = detect_personal([SampledColumn(column, values=documents, documents=True)])
        assert bool(found) is reported


def test_every_detector_says_nothing_of_statuses_and_numbers():
    states = ["open", "closed", "in_progress", "on hold"] * 25
    ids = [str(number) for number in range(1000, 1100)]
    uuids = [f"2f1e0c52-1d4b-4c53-9a5e-{number:012x}" for number in range(100)]
    assert best(states)[1] == 0
    assert best(ids, "int8")[1] < 0.3
    assert best(uuids, "uuid")[1] < 0.3


def test_detectors_know_what_they_say():
    found = all_detectors()
    assert len({each.name for each in found}) == len(found)
    assert all(0 <= each.alone < 1 and 0 < each.least <= each.full for each in found)


def test_samples_and_readings_show_no_value():
    samples = Samples(("ada@lovelace.org",))
    detector = ValueDetector("things", "name", each_value(lambda _value: True), alone=0.9)
    assert "lovelace" not in repr(samples) + repr(detector.read(samples))
