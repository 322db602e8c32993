"""What is uploaded holds what it should and nothing else, and works where only it is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel, built as a release would."""
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("there is no uv to build with")
    folder = tmp_path_factory.mktemp("dist")
    # The wheel is made from the sdist, so that what the sdist lacks is found missing.
    done = subprocess.run(
        [uv, "build", "--quiet", "--out-dir", folder],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def package_files() -> set[str]:
    """What belongs to the package: all that git knows of it, and what is new there."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "confiture_flows"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip("this is no clone")
    return {name for name in listed.stdout.splitlines() if (REPOSITORY / name).is_file()}


def test_wheel_holds_the_package_and_nothing_else(built: Path, package_files: set[str]) -> None:
    (wheel,) = built.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")}
    about = {name for name in names if ".dist-info/" in name}
    assert names - about == package_files
    assert "confiture_flows/py.typed" in names
    assert {name.rpartition(".dist-info/")[2] for name in about} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
    }


def test_changelog_says_what_the_version_brings() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = re.findall(
        r"^## \[(.+?)\](?: - \d{4}-\d\d-\d\d)?$",
        (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert versions[:2] == ["Unreleased", project["version"]]


def test_sdist_holds_what_a_wheel_is_made_from(built: Path, package_files: set[str]) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {each.name.partition("/")[2] for each in archive if each.isfile()}
    beside = {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml", "pyproject.toml.orig"}
    assert names - beside == package_files
    assert beside - names <= {"pyproject.toml.orig"}


@dataclass(frozen=True)
class Installed:
    """An environment that has the wheel, and the dependencies of this one."""

    bin: Path

    def __call__(self, folder: Path, *command: str, code: int = 0, **variables: str) -> str:
        done = subprocess.run(
            [self.bin / command[0], *command[1:]],
            cwd=folder,
            env=os.environ | {"PATH": f"{self.bin}{os.pathsep}/usr/bin:/bin"} | variables,
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("user") / "venv"
    (wheel,) = built.glob("*.whl")
    uv = ["uv", "--quiet", "--offline"]
    subprocess.run([*uv, "venv", "--python", sys.executable, folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([*uv, "pip", "install", "--no-deps", "--python", python, wheel], check=True)
    # The dependencies come from here, without a network. Our own package does not: a clone is
    # installed by a .pth file, and such files count in an environment's own folder only.
    told = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = subprocess.run([python, "-c", told], capture_output=True, text=True, check=True)
    (Path(own.stdout.strip()) / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    sqlfluff = folder / "bin" / "sqlfluff"
    sqlfluff.write_text(f"#!{python}\nfrom sqlfluff.cli.commands import cli\ncli()\n")
    sqlfluff.chmod(0o755)
    return Installed(folder / "bin")


def test_package_is_the_installed_one(installed: Installed, tmp_path: Path) -> None:
    told = "import confiture_flows; print(confiture_flows.__file__)"
    place = Path(installed(tmp_path, "python", "-c", told).strip())
    assert place.is_relative_to(installed.bin.parent)


def test_demo_of_the_wheel_is_applied_verified_and_taken_back(
    installed: Installed, dsn: str, tmp_path: Path
) -> None:
    shop = next(installed.bin.parent.rglob("demo_shop"))
    shutil.copytree(shop, tmp_path / "db" / "migrations", ignore=shutil.ignore_patterns("later"))

    def run(*arguments: str) -> str:
        return installed(tmp_path, "confiture-flows", *arguments, CONFITURE_DSN=dsn)

    assert "5 migrations applied" in run("migrate", "--plain")
    assert "all holds" in run("verify")
    assert "5 migrations rolled back" in run("rollback", "--plain", "--to", "zero")


@pytest.mark.parametrize("program", ["confiture-flows", "sqlfluff"])
def test_rules_of_the_wheel_are_found(
    installed: Installed, write: Callable[..., Path], tmp_path: Path, program: str
) -> None:
    write(
        {
            "1_a.up.sql": "CREATE TABLE a (id bigint PRIMARY KEY);\n",
            "2_b.up.sql": "CREATE INDEX a_id ON a (id);\n",
        }
    )
    (tmp_path / ".sqlfluff").write_text("[sqlfluff]\ndialect = postgres\nrules = confiture\n")
    arguments = {"confiture-flows": ("lint",), "sqlfluff": ("lint", "db")}[program]
    code = {"confiture-flows": 4, "sqlfluff": 1}[program]
    assert "CF01" in installed(tmp_path, program, *arguments, code=code)
