"""Folders of binaries made of shell scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

FakeFolder = Callable[..., Path]


@pytest.fixture
def fake_folder(tmp_path: Path) -> FakeFolder:
    """Make `<name>/bin` whose postgres prints an answer."""

    def make(name: str, answer: str, *, code: int = 0, initdb: bool = True) -> Path:
        bin_dir = tmp_path / name / "bin"
        bin_dir.mkdir(parents=True)
        scripts = {"postgres": f"echo '{answer}'; echo '{name} is broken' >&2; exit {code}"}
        if initdb:
            scripts["initdb"] = "echo initdb of a fake >&2; exit 7"
        for script, body in scripts.items():
            (bin_dir / script).write_text(f"#!/bin/sh\n{body}\n")
            (bin_dir / script).chmod(0o755)
        return bin_dir

    return make
