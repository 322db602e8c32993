"""Everything that is imported is declared, everything declared is imported; a user's types hold."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_imports_and_requirements_agree() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("deptry"), "confiture_flows"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_project_of_a_user_imports_and_is_checked_strictly() -> None:
    """pyright checks it with the rest; here, that it is strict, and that it is more than types."""
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["pyright"]["strict"] == ["tests/user_project"]
    from confiture_flows.hooks.registry import registered

    modules = [
        importlib.import_module(f"tests.user_project.{name}")
        for name in ("deploy_hooks", "masks", "release")
    ]
    try:
        assert modules[1].registry.find("badge").keyed
        assert modules[2].release.name == "release"
        assert {"freeze_deploys", "still_answers"} <= {each.name for each in registered}
    finally:
        for each in tuple(registered):
            registered.remove(each.call)
