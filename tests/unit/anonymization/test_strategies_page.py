"""The configurations on the page of strategies run; its table is made (tests/pages)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from confiture_flows.anonymization.factory import StrategyFactory
from confiture_flows.anonymization.registry import built_in_names, registered
from confiture_flows.anonymization.rules import rules_of
from confiture_flows.anonymization.strategy import Column
from confiture_flows.config import load_project

from .strategy_cases import SECRET

PAGE = Path(__file__).parents[3] / "docs" / "guides" / "anonymization-strategies.md"

# Of each column that the examples name: its type, some values, and the row's other columns.
SAMPLES: dict[str, tuple[str, list[str], dict[str, list[str]]]] = {
    "clinic.patients.id": ("uuid", ["0b6b4f9a-a7ca-4864-8d9f-000000000001"], {}),
    "clinic.visits.patient_id": ("uuid", ["0b6b4f9a-a7ca-4864-8d9f-000000000001"], {}),
    "clinic.patients.name": ("text", ["Ada Byron", "Grace Murray"], {}),
    "clinic.patients.ssn": ("varchar", ["078-05-1120"], {}),
    "clinic.patients.born": ("date", ["1961-12-10"], {}),
    "clinic.patients.postcode": ("text", ["02139-1234"], {}),
    "clinic.visits.seen_at": (
        "timestamptz",
        ["2024-05-01 10:00:00+00", "2024-05-08 10:30:00+00"],
        {"patient_id": ["p1", "p1"]},
    ),
    "clinic.visits.weight_kg": ("numeric", ["81.5"], {}),
    "clinic.visits.notes": ("text", ["Ada feels better"], {}),
    "bank.customers.number": ("text", ["K-100200", "K-100201"], {}),
    "bank.customers.company": ("text", ["Byron & Sons"], {}),
    "bank.customers.tax_id": ("bpchar", ["86095742719"], {}),
    "bank.customers.income": ("numeric", ["48000.00", "52000.00"], {"id": ["1", "2"]}),
    "bank.accounts.iban": ("text", ["DE89370400440532013000"], {}),
    "bank.cards.number": ("text", ["5105105105105100"], {}),
    "bank.cards.holder": ("text", ["ADA BYRON"], {}),
    "bank.transfers.amount": ("numeric", ["120.00", "0.02"], {}),
    "bank.transfers.reference": (
        "text",
        ["invoice of ada@byron.example, DE89370400440532013000"],
        {},
    ),
    "shop.customers.email": ("citext", ["ada@byron.example"], {}),
    "shop.customers.phone": ("text", ["+44 20 7123 4567"], {}),
    "shop.customers.login": ("text", ["ada1815"], {}),
    "shop.customers.address": ("text", ["12 St James's Square, London"], {}),
    "shop.customers.age": ("int4", ["36", "17"], {}),
    "shop.orders.code": ("text", ["ORD-000017"], {}),
    "shop.orders.client_ip": ("inet", ["203.0.113.77"], {}),
    "shop.orders.rating": ("text", ["poor"], {}),
    "shop.orders.tags": ("text[]", ["{gift,ada}"], {}),
    "shop.orders.details": (
        "jsonb",
        ['{"buyer": {"email": "ada@byron.example"}, "gifts": [{"to": "Ada"}], "total": 9.90}'],
        {},
    ),
}


def test_examples_leave_nothing_of_the_originals(tmp_path: Path):
    blocks = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    factory = StrategyFactory(SECRET)
    seen = set()
    for block in blocks[1:]:
        (tmp_path / "confiture.toml").write_text(block, encoding="utf-8")
        for rule in rules_of(load_project(tmp_path)).columns:
            type_name, values, others = SAMPLES[rule.pattern.text]
            schema, table, name = rule.pattern.parts
            made = factory.make(rule, Column(schema, table, name, type_name))
            masked = made.anonymize_batch(values, *(others[each] for each in made.needs()))
            assert len(masked) == len(values)
            assert not set(masked) & set(values), rule.pattern.text
            assert not re.search(r"ada|byron", " ".join(masked), re.IGNORECASE)
            seen.add(rule.pattern.text)
    assert seen == set(SAMPLES)


@pytest.mark.parametrize("name", built_in_names())
def test_every_option_is_described(name: str):
    for option, field in registered.find(name).Config.model_fields.items():
        assert field.description, f"{name}.{option}"
        assert field.description.endswith((".", "...")), f"{name}.{option}"
