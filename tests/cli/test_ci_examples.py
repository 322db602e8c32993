"""The examples for CI systems: valid for those, and what they run finds what it should."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

EXAMPLES = Path(__file__).parents[2] / "deployments" / "ci"
FILES = {"1_t.up.sql": "CREATE TABLE t (id bigint PRIMARY KEY, a int);\n"}


@pytest.mark.parametrize(
    ("schema", "file"),
    [("github-workflows", "github-lint.yml"), ("gitlab-ci", "gitlab-lint.yml")],
)
@pytest.mark.skipif(find_spec("check_jsonschema") is None, reason="check-jsonschema is missing")
def test_example_is_valid(schema: str, file: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run([*command, str(EXAMPLES / file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def branch(write: Callable[..., Path], environment: dict[str, str]) -> Callable[[str], Any]:
    """A clone with a branch that adds an index; runs a step of an example in it."""
    folder = write(FILES)
    root = folder.parents[1]

    def git(*arguments: str) -> None:
        given = ["-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
        subprocess.run(["git", *given], cwd=root, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "x")
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    git("update-ref", "FETCH_HEAD", "HEAD")
    git("checkout", "-qb", "work")
    write({"2_i.up.sql": "CREATE INDEX t_a ON t (a);\n"})
    programs = str(Path(sys.executable).parent)

    def run(step: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", step],
            cwd=root,
            env={**environment, "PATH": f"{programs}:/usr/bin:/bin", "BASE": "main"},
            capture_output=True,
            text=True,
        )

    return run


def lint_step(steps: list[str]) -> str:
    (found,) = [each for each in steps if "confiture-flows lint" in each]
    return found


def test_steps_for_github(branch: Callable[[str], Any], tmp_path: Path) -> None:
    jobs = yaml.safe_load((EXAMPLES / "github-lint.yml").read_text())["jobs"]
    steps = {name: [each.get("run", "") for each in jobs[name]["steps"]] for name in jobs}
    done = branch(lint_step(steps["annotations"]))
    assert done.returncode == 4
    assert "::error file=db/migrations/2_i.up.sql,line=1,title=CF01" in done.stdout
    assert branch(lint_step(steps["code-scanning"])).returncode == 0
    results = json.loads((tmp_path / "lint.sarif").read_text())["runs"][0]["results"]
    assert "CF01" in {each["ruleId"] for each in results}


def test_step_for_gitlab(branch: Callable[[str], Any], tmp_path: Path) -> None:
    job = yaml.safe_load((EXAMPLES / "gitlab-lint.yml").read_text())["lint-migrations"]
    assert branch(lint_step(job["script"])).returncode == 4
    report = job["artifacts"]["reports"]["codequality"]
    found = json.loads((tmp_path / report).read_text())
    assert [each["location"]["path"] for each in found] == ["db/migrations/2_i.up.sql"]
