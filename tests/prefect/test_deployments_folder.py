"""deployments/: what Prefect, Docker and systemd read there fits them, and names what there is."""

from __future__ import annotations

import configparser
import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists

from confiture_flows.cli.prefect_server import TemporaryServer
from confiture_flows.config import read_project
from confiture_flows.flows._wanted import wanted_deployments

FOLDER = Path(__file__).parents[2] / "deployments"
PROGRAMS = Path(sys.executable).parent


def described_for_prefect() -> dict[str, Any]:
    return yaml.safe_load((FOLDER / "prefect.yaml").read_text())


def test_prefect_deploys_its_file(
    tmp_path: Path, prefect_server: TemporaryServer, prefect_client: SyncPrefectClient
) -> None:
    file = described_for_prefect()
    (tmp_path / "prefect.yaml").write_text(yaml.safe_dump(file))
    with contextlib.suppress(ObjectAlreadyExists):
        prefect_client.create_work_pool(WorkPoolCreate(name="migrations", type="process"))
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
        cwd=tmp_path,
        env=os.environ | prefect_server.environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    made = {each.name: each for each in prefect_client.read_deployments(limit=200)}
    staging = made["weekly-staging"]
    assert staging.parameters == {"source": "prod", "target": "staging", "end_sessions": True}
    assert staging.schedules[0].schedule.model_dump()["timezone"] == "Europe/Vienna"
    assert staging.concurrency_options
    assert staging.concurrency_options.collision_strategy.value == "CANCEL_NEW"
    assert staging.pull_steps == file["pull"]
    assert {each["name"] for each in file["deployments"]} <= set(made)


def test_our_file_describes_the_same(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "confiture.toml", tmp_path)
    ours = {
        (each.entrypoint, str(sorted(each.parameters.items())), each.schedule_text)
        for each in wanted_deployments(read_project(tmp_path))
    }
    theirs = {
        (
            each["entrypoint"],
            str(sorted(each["parameters"].items())),
            "".join(f"{on['cron']} ({on['timezone']})" for on in each.get("schedules", ())),
        )
        for each in described_for_prefect()["deployments"]
    }
    assert ours >= theirs


def commands() -> list[list[str]]:
    """The programs that containers and services start, with their arguments."""
    services = yaml.safe_load((FOLDER / "docker" / "compose.yaml").read_text())["services"]
    found = [each["command"] for each in services.values() if "command" in each]
    dockerfile = (FOLDER / "docker" / "Dockerfile").read_text()
    (command,) = [line for line in dockerfile.splitlines() if line.startswith("CMD ")]
    found.append(yaml.safe_load(command.removeprefix("CMD ")))
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]
    unit.read(FOLDER / "systemd" / "confiture-worker.service")
    program, *arguments = shlex.split(unit["Service"]["ExecStart"])
    found.append([Path(program).name, *arguments])
    return found


def test_what_containers_and_services_start_is_there() -> None:
    for program, *arguments in {tuple(each) for each in commands()}:
        assert (PROGRAMS / program).exists()
        options = {each for each in arguments if each.startswith("--")}
        words = [each for each in arguments[:2] if not each.startswith("-")]
        told = subprocess.run(
            [PROGRAMS / program, *words, "--help"], capture_output=True, text=True, check=True
        ).stdout
        assert [each for each in options if each not in told] == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_the_unit_is_one() -> None:
    unit = FOLDER / "systemd" / "confiture-worker.service"
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    wrong = [x for x in done.stderr.splitlines() if unit.name in x and "not executable" not in x]
    assert wrong == []
