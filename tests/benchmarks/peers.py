"""Other tools of the index, in an environment of their own: none of them is a dependency."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = ("fraiseql-confiture==1.29.*", "alembic>=1.16", "psycopg[binary]>=3.2", "pg_anon>=1.9")


@contextmanager
def environment_of_peers() -> Iterator[Path | None]:
    """Install them for the time being; yields their bin folder, or None where that fails."""
    uv = shutil.which("uv")
    with tempfile.TemporaryDirectory(prefix="confiture-bench-") as name:
        folder = Path(name) / "peers"
        yield folder / "bin" if uv and _install(uv, folder) else None


def _install(uv: str, folder: Path) -> bool:
    for command in (
        [uv, "venv", "--quiet", "--python", ">=3.11,<3.14", str(folder)],
        [uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), *PACKAGES],
    ):
        if subprocess.run(command, check=False).returncode:
            return False
    return True
