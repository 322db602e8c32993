"""What a proof takes for a token and for chance, and how its report reads."""

from __future__ import annotations

import base64
import random
from array import array
from typing import Any

import pytest

from confiture_flows.anonymization.keys import Secret
from confiture_flows.anonymization.proof.chance import found_by_chance, kept_by_chance, picks
from confiture_flows.anonymization.proof.comparison import compare, count_foreign, count_pairs
from confiture_flows.anonymization.proof.report import LeakCheck, LeakReport
from confiture_flows.anonymization.proof.spool import Spool, SpoolFile, SpoolWriter, open_files
from confiture_flows.anonymization.proof.tokens import count_emails, count_phones, tokens_of
from confiture_flows.anonymization.strategy import Column, StrategyBase
from confiture_flows.report.markdown import render_markdown

ADDRESS = "ann.other@example.org"


@pytest.mark.parametrize(
    ("text", "token"),
    [
        (f"write to {ADDRESS}.", ADDRESS),
        (f"<mailto:{ADDRESS}>", ADDRESS),
        (f"https://shop.example/?email={ADDRESS}&page=2", ADDRESS),
        ("call +49 (30) 123-4567, please", "+49 (30) 123-4567"),
        ("IBAN DE02120300000000202051", "DE02120300000000202051"),
        (base64.b64encode(ADDRESS.encode()).decode(), ADDRESS),
        (
            base64.urlsafe_b64encode(b"mail\xc3\xbf\xc3\xbf?>@example.org").decode(),
            "mailÿÿ?>@example.org",
        ),
        (base64.b64encode(ADDRESS.encode()).decode().rstrip("="), ADDRESS),
        (ADDRESS.encode().hex(), ADDRESS),
        (base64.b64encode(f"to: {ADDRESS}; bye".encode()).decode(), ADDRESS),
    ],
)
def test_token_is_found(text: str, token: str):
    assert token in tokens_of(text, json=False)


def test_words_are_no_tokens_and_strings_of_documents_are():
    text = '{"somebody": "Ann Somebody Other", "n": [1, 2]}'
    assert not any("Ann" in each for each in tokens_of(text, json=False))
    assert "Ann Somebody Other" in tokens_of(text, json=True)


def test_long_text_is_read_in_passing():
    text = "a" * 2_000_000 + " " + "1" * 2_000_000 + " " + ADDRESS
    found = tokens_of(text, json=True)
    assert ADDRESS in found
    assert max(map(len, found)) <= 1000


def test_addresses_are_counted_by_their_form():
    assert count_emails({ADDRESS, "a@b", "@example", "user@host.example"}) == 2


def test_telephone_numbers_are_told_from_dates_and_order_numbers():
    numbers = {"+49 30 1234567", "+493012345678", "030 1234-5678", "(030) 12345678"}
    assert count_phones(numbers) == len(numbers)
    assert (
        count_phones({"01.02.2020 10:00", "20200102123", "0012345678", "+1 2", "2020-01-02"}) == 0
    )


def spooled(file: SpoolFile, *batches: list[int], others: list[int] | None = None) -> Spool:
    """What several processes or threads may have written, through a file."""
    whole = Spool(file.parts)
    for each in batches:
        writer = SpoolWriter(file)
        writer.add(array("q", each), array("q", others) if others else None)
        whole.extend(writer.end())
    return whole


@pytest.mark.parametrize(
    "most", [10, 200_000, 20_000_000], ids=["one part", "eight parts", "a thousand parts"]
)
def test_what_stands_on_both_sides_is_found_however_it_is_parted(most: int):
    numbers = random.Random(5)
    there = [numbers.randrange(-(1 << 63), 1 << 63) for _ in range(300_000)]
    here = [numbers.randrange(-(1 << 63), 1 << 63) for _ in range(299_990)] + [there[7]] * 10
    starts = range(0, 300_000, 100_000)
    with open_files(2, most) as (one, other):
        source = spooled(one, *([0, *there[start : start + 100_000]] for start in starts))
        copy = spooled(other, *(here[start : start + 100_000] for start in starts))
        found = compare(source, copy)
        assert (found.rows, found.distinct, found.met) == (10, 1, [there[7]])
        assert (found.source.count, found.source.distinct, found.source.most) == (
            300_000,
            300_000,
            1,
        )
        assert (found.copy.count, found.copy.distinct, found.copy.most) == (300_000, 299_991, 10)
        assert found.source.long == sum(each < 0 for each in there)
        assert count_foreign(source, copy) == 299_990
        source = spooled(one, [1, 2, 3, 5], others=[7, 7, 8, 0])
        copy = spooled(other, [4, 2, 3, 5], others=[7, 7, 7, 0])
        assert count_pairs(source, copy) == (2, 1)


def made(name: str, **config: Any) -> StrategyBase:
    from confiture_flows.anonymization.factory import StrategyFactory
    from confiture_flows.anonymization.rules import ColumnRule, Pattern

    rule = ColumnRule(Pattern.read("*.*.c", 3), name, config)
    return StrategyFactory(Secret(b"0123456789abcdef")).make(
        rule, Column("public", "t", "c", "text")
    )


def test_chance_is_what_strategies_declare():
    email, city, constant = made("email"), made("city"), made("constant", value="x")
    assert kept_by_chance(email, 1_000_000) == 0
    assert found_by_chance(email, 1_000_000, 1_000_000, telling=True) == 0
    assert not picks(email)
    assert picks(city)
    assert 1 <= kept_by_chance(city, 1000) < 1000
    # A list as long as what it replaces has everything by chance.
    assert found_by_chance(city, 1000, 1000, telling=True) is None
    assert kept_by_chance(constant, 10) == 10
    masked = made("partial-mask")
    assert found_by_chance(masked, 100, 100, telling=True) == 0
    assert found_by_chance(masked, 100, 100, telling=False) is None


def test_report_tells_failures_first_and_its_verdict():
    passed = LeakCheck("table.rows", "passed", "public.t", "", "3 rows")
    failed = LeakCheck("column.kept", "failed", "public.t", "c", "2 rows have the value")
    unseen = LeakCheck("proof", "not looked at", "the whole copy", "", "files")
    assert LeakReport("full", (passed,)).verdict == "passed"
    assert LeakReport("full", (unseen,)).verdict == "not looked at"
    report = LeakReport("full", (passed, unseen, failed))
    assert report.verdict == "failed"
    assert "public.t.c: 2 rows have the value [column.kept]" in report.message()
    shown = render_markdown(report.document())
    assert shown.index("2 rows have the value") < shown.index("files")
    assert report.json()["checks"][0] == {
        "code": "table.rows",
        "verdict": "passed",
        "table": "public.t",
        "column": None,
        "said": "3 rows",
    }
