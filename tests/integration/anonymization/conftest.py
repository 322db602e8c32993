"""A shop to be copied, and strategies of the tests' own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from confiture_flows._anonymization_config import (
    AnonymizationConfig,
    ColumnRuleConfig,
    DetectionConfig,
    TableRuleConfig,
)
from confiture_flows.anonymization.factory import StrategyFactory
from confiture_flows.anonymization.keys import Secret
from confiture_flows.anonymization.planning import Planned, plan_copy
from confiture_flows.anonymization.registry import register_strategy, registered
from confiture_flows.anonymization.rules import Rules, rules_of
from confiture_flows.config import Project

SECRET = Secret(b"0123456789abcdef0123456789abcdef")
SHOP = """
CREATE DOMAIN short_code AS text CHECK (VALUE ~ '^[A-Z]{3}$');
CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email varchar(80) NOT NULL UNIQUE,
    nick text,
    code short_code,
    born date CHECK (born < '2100-01-01'),
    loud text GENERATED ALWAYS AS (upper(nick)) STORED
);
CREATE TABLE products (sku text PRIMARY KEY, name text NOT NULL, sizes int4range);
CREATE TABLE orders (
    id bigint PRIMARY KEY,
    customer_email varchar(80) REFERENCES customers (email),
    customer_id bigint NOT NULL REFERENCES customers,
    follows bigint REFERENCES orders,
    placed timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE order_items (
    order_id bigint REFERENCES orders, sku text REFERENCES products, amount int NOT NULL,
    PRIMARY KEY (order_id, sku)
);
CREATE TABLE visits (at date, ip inet, who text) PARTITION BY RANGE (at);
CREATE TABLE visits_old PARTITION OF visits FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE visits_new PARTITION OF visits FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
INSERT INTO customers (email, nick, code, born)
SELECT 'someone' || g || '@example.org', 'Nick ' || g, 'ABC', '1980-01-01'::date + g
FROM generate_series(1, 40) AS g;
INSERT INTO products SELECT 'sku-' || g, 'Product ' || g FROM generate_series(1, 10) AS g;
INSERT INTO orders (id, customer_email, customer_id, follows)
SELECT g, 'someone' || (g - 1) % 40 + 1 || '@example.org', (g - 1) % 40 + 1,
    CASE WHEN g > 40 THEN g - 40 END
FROM generate_series(1, 120) AS g;
INSERT INTO order_items
SELECT g, 'sku-' || (g % 10 + 1), 1 FROM generate_series(1, 120) AS g;
INSERT INTO visits VALUES ('2020-05-05', '10.0.0.1', 'a'), ('2021-05-05', '10.0.0.2', 'b');
ANALYZE
"""


@pytest.fixture
def shop(conn: psycopg.Connection) -> psycopg.Connection:
    conn.execute(SHOP)
    return conn


@pytest.fixture
def own_strategies() -> Iterator[None]:
    """Functions as strategies; those that misbehave say how in their names."""
    names = {
        "too-long": lambda value: "x" * 500,
        "unchanged": lambda value: value,
        "lower-case": lambda value: "abc",
        "raising": lambda value: 1 / 0,
        "no-text": lambda value: 7,
    }

    def typed(function: Callable[[str], Any], name: str) -> Callable[[str], Any]:
        def mask(value: str) -> Any:
            return function(value)

        mask.__name__ = mask.__qualname__ = name.replace("-", "_")
        return mask

    for name, function in names.items():
        register_strategy(name)(typed(function, name))
    yield
    for name in names:
        registered.remove(name)


def column_rule(said: str | dict[str, Any]) -> ColumnRuleConfig:
    """A strategy's name, or all that a rule may say."""
    if isinstance(said, str):
        return ColumnRuleConfig(said)
    return ColumnRuleConfig(**said)


def rules(
    columns: dict[str, Any] | None = None,
    tables: dict[str, Any] | None = None,
    subset: dict[str, str] | None = None,
    **more: Any,
) -> Rules:
    """Rules as a configuration file would give them."""
    return rules_of(
        Project(
            anonymization=AnonymizationConfig(
                columns={name: column_rule(each) for name, each in (columns or {}).items()},
                tables={name: TableRuleConfig(**each) for name, each in (tables or {}).items()},
                subset=subset or {},
                **more,
            )
        )
    )


@pytest.fixture
def planned(shop: psycopg.Connection, tmp_path: Path) -> Callable[..., Planned]:
    """Plan a copy of the shop by rules."""

    def plan(*args: Any, secret: Secret | None = SECRET, **more: Any) -> Planned:
        samples = more.get("detection", DetectionConfig()).samples
        return plan_copy(shop, rules(*args, **more), StrategyFactory(secret), tmp_path, samples)

    return plan
