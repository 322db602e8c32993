"""The lists of words are in the wheel."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
DATA = "confiture_flows/anonymization/strategies/_data"


def test_wheel_holds_all_lists(tmp_path: Path):
    build = ["uv", "build", "--wheel", "--no-build-logs", "--offline", "-o", str(tmp_path)]
    done = subprocess.run(build, cwd=REPOSITORY, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no wheel can be built here: {done.stderr[-200:]}")
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    held = {name for name in names if name.startswith(DATA) and not name.endswith("/")}
    wanted = {str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / DATA).rglob("*.txt")}
    assert wanted
    assert held == wanted
