"""The demo, as the README says to run it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("confiture-flows")


def test_demo_tells_its_story_and_leaves_nothing_behind(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT")}
    environment["UV_RUN_RECURSION_DEPTH"] = "1"  # as `uv run` sets it
    started = time.monotonic()
    process = subprocess.Popen(
        [PROGRAM, "demo"],
        cwd=tmp_path,
        env=environment | {"TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    story = ""
    plan_after = None
    for line in process.stdout:
        story += line
        if plan_after is None and "migrations to apply" in line:
            plan_after = time.monotonic() - started
    assert process.wait() == 0, story
    for part in (
        "PostgreSQL ",
        "shop: 5 migrations to apply",
        "CREATE INDEX CONCURRENTLY",
        "applied 0005_index_orders_by_customer",
        "shop: 5 migrations applied",
        "shop: failed at 0006",
        "the catalog is the same as before it",
        "Where to go next",
        "uv run confiture-flows new 'create users'  ",
    ):
        assert part in story, story
    for part in ("Traceback", "Warning", "ada@shop.example", " | INFO | "):
        assert part not in story, story
    assert list(tmp_path.iterdir()) == []
    assert plan_after is not None
