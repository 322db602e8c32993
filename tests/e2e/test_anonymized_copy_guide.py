"""The configuration of the guide to anonymized copies is one, and its flow can be served."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from confiture_flows.anonymization.factory import StrategyFactory
from confiture_flows.anonymization.keys import secret_of
from confiture_flows.anonymization.planning import plan_copy
from confiture_flows.anonymization.proof.prove import proof_options
from confiture_flows.anonymization.rules import rules_of
from confiture_flows.config import load_project
from tests.pages.blocks import blocks

GUIDE = "docs/guides/anonymized-copy.md"
SHOP = """
CREATE TABLE customers (id int PRIMARY KEY, email text UNIQUE, name text, note text,
    born date, postcode text);
CREATE TABLE audit_log (id int PRIMARY KEY, ip inet);
CREATE TABLE events (
    id int PRIMARY KEY, customer int REFERENCES customers, at timestamptz, ip inet
);
"""


def test_configuration_of_the_guide_plans_a_copy(
    conn: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    conn.execute(SHOP)
    monkeypatch.setenv("CONFITURE_ANONYMIZATION_SECRET", "0123456789abcdef0123456789abcdef")
    whole, subset, proof = blocks(GUIDE, "toml")
    for text in (whole, whole + subset, whole + proof):
        (tmp_path / "confiture.toml").write_text(text)
        project = load_project(tmp_path)
        factory = StrategyFactory(secret_of(project))
        planned = plan_copy(conn, rules_of(project), factory, tmp_path)
        assert not planned.plan.errors
        options = proof_options(project, planned.plan)
    assert options.quasi_identifiers == {"public.customers": ("born", "postcode")}
    assert options.accept[0].matches("public", "orders", "invoice_address")
    assert not next(each for each in planned.plan.tables if each.name == "audit_log").copied


def test_flow_of_the_guide_is_one():
    (example,) = blocks(GUIDE, "python")
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(example, GUIDE, "exec"), names)
    assert names["anonymize_flow"].name == "anonymize"
