"""The tutorial and the worked examples, done from top to bottom as a reader would."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from confiture_flows.anonymization.registry import registered as strategies
from confiture_flows.hooks.registry import registered as hooks
from tests.pages.walkthrough import Reader
from tests.support import Webhook, webhook_server

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [DOCS / "tutorial.md", *sorted((DOCS / "examples").glob("*.md"))]


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with webhook_server() as found:
        yield found


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    """What pages define and import stays in no later page."""
    modules, names = set(sys.modules), set(strategies)
    yield
    for each in tuple(hooks):
        hooks.remove(each.call)
    for name in set(strategies) - names:
        strategies.remove(name)
    for name in set(sys.modules) - modules:
        if "." not in name and str(DOCS) not in name:
            origin = getattr(sys.modules[name], "__file__", None) or ""
            if "site-packages" not in origin and "lib/python" not in origin:
                del sys.modules[name]


@pytest.fixture
def reader(
    tmp_path: Path,
    dsn: str,
    conn: psycopg.Connection,
    webhook: Webhook,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Reader:
    monkeypatch.chdir(tmp_path)
    for name in [each for each in os.environ if each.startswith("CONFITURE_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "SHOP_DSN": dsn,
        "TEAM_WEBHOOK": webhook.url,
        "PGTZ": "UTC",
        "MASKING_SECRET": "0123456789abcdef0123456789abcdef",
    }.items():
        monkeypatch.setenv(name, value)
    return Reader(tmp_path, conn, dsn, capfd)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_does_what_it_shows(
    page: Path, reader: Reader, request: pytest.FixtureRequest
) -> None:
    if page.stem == "tutorial":  # the others run plainly
        request.getfixturevalue("prefect_server")
    reader.read(page)
