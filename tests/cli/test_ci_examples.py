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

from confiture_flows.postgres import Server
from tests.support import git

EXAMPLES = Path(__file__).parents[2] / "deployments" / "ci"
FILES = {"1_t.up.sql": "CREATE TABLE t (id bigint PRIMARY KEY, a int);\n"}


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("github-workflows", "ci/github-lint.yml"),
        ("github-workflows", "ci/github-dry-run.yml"),
        ("github-workflows", "ci/github-migrate.yml"),
        ("gitlab-ci", "ci/gitlab-lint.yml"),
        ("gitlab-ci", "ci/gitlab-migrate.yml"),
        ("compose-spec", "docker/compose.yaml"),
    ],
)
@pytest.mark.skipif(find_spec("check_jsonschema") is None, reason="check-jsonschema is missing")
def test_example_is_valid(schema: str, file: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run([*command, str(EXAMPLES.parent / file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def branch(write: Callable[..., Path], environment: dict[str, str]) -> Callable[[str], Any]:
    """A clone with a branch that adds an index; runs a step of an example in it."""
    folder = write(FILES)
    root = folder.parents[1]

    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-qm", "x")
    git(root, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(root, "update-ref", "FETCH_HEAD", "HEAD")
    git(root, "checkout", "-qb", "work")
    write({"2_i.up.sql": "CREATE INDEX t_a ON t (a);\n"})
    programs = str(Path(sys.executable).parent)

    def run(step: str, **variables: str) -> subprocess.CompletedProcess[str]:
        path = {"PATH": f"{programs}:/usr/bin:/bin"}
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", step],
            cwd=root,
            env={**environment, **path, "BASE": "main", **variables},
            capture_output=True,
            text=True,
        )

    return run


def step(steps: list[str], command: str) -> str:
    (found,) = [each for each in steps if f"confiture-flows {command}" in each]
    return found


def steps_of(job: dict[str, Any]) -> list[str]:
    return [each.get("run", "") for each in job["steps"]]


def test_steps_for_github(branch: Callable[[str], Any], tmp_path: Path) -> None:
    jobs = yaml.safe_load((EXAMPLES / "github-lint.yml").read_text())["jobs"]
    steps = {name: steps_of(jobs[name]) for name in jobs}
    done = branch(step(steps["annotations"], "lint"))
    assert done.returncode == 4
    assert "::error file=db/migrations/2_i.up.sql,line=1,title=CF01" in done.stdout
    assert branch(step(steps["code-scanning"], "lint")).returncode == 0
    results = json.loads((tmp_path / "lint.sarif").read_text())["runs"][0]["results"]
    assert "CF01" in {each["ruleId"] for each in results}


def test_step_for_gitlab(branch: Callable[[str], Any], tmp_path: Path) -> None:
    job = yaml.safe_load((EXAMPLES / "gitlab-lint.yml").read_text())["lint-migrations"]
    assert branch(step(job["script"], "lint")).returncode == 4
    report = job["artifacts"]["reports"]["codequality"]
    found = json.loads((tmp_path / report).read_text())
    assert [each["location"]["path"] for each in found] == ["db/migrations/2_i.up.sql"]


def test_dry_runs_tell_of_what_the_branch_adds(
    branch: Callable[..., Any], tmp_path: Path, dsn: str, server: Server
) -> None:
    (tmp_path / "confiture.toml").write_text(
        '[targets.staging]\ndsn = "${STAGING_DSN}"\nscratch = "${SCRATCH}"\n'
    )
    given = {"STAGING_DSN": dsn, "SCRATCH": server.dsn, "GITHUB_STEP_SUMMARY": "summary.md"}
    github = yaml.safe_load((EXAMPLES / "github-dry-run.yml").read_text())["jobs"]["dry-run"]
    gitlab = yaml.safe_load((EXAMPLES / "gitlab-migrate.yml").read_text())["dry-run-migrations"]
    for steps, page in ((steps_of(github), "summary.md"), (gitlab["script"], "dry-run.md")):
        done = branch(step(steps, "dry-run"), **given)
        assert done.returncode == 0, done.stderr
        text = (tmp_path / page).read_text()
        # Both are pending; the first is on the main branch already.
        assert "1 migration rehearsed" in text
        assert "not judged: 1" in text.replace("\\", "")


def test_merges_trigger_the_deployment(branch: Callable[..., Any]) -> None:
    github = yaml.safe_load((EXAMPLES / "github-migrate.yml").read_text())["jobs"]["migrate"]
    gitlab = yaml.safe_load((EXAMPLES / "gitlab-migrate.yml").read_text())["migrate"]
    given = {"PREFECT_API_URL": "http://127.0.0.1:9/api", "GITHUB_STEP_SUMMARY": "summary.md"}
    first, second = step(steps_of(github), "trigger"), step(gitlab["script"], "trigger")
    assert first.partition(" >")[0] == second.partition(" >")[0]
    done = branch(first, **given)
    assert (done.returncode, "PREFECT_API_URL" in done.stderr) == (3, True), done.stderr
