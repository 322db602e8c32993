"""The site builds without a warning, and its pages load nothing from anybody else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
pytest.importorskip("mkdocs", reason="the dependency group docs is not installed")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=REPOSITORY,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_link_and_anchor_leads_somewhere(site: Path) -> None:
    """The strict build has looked at all of them; here, that it had them to look at."""
    made = {page.parent.relative_to(site).as_posix() for page in site.rglob("index.html")}
    for page in ("tutorial", "api/tasks", "rules/CF13", "adr/0003-one-round-trip-a-migration"):
        assert page in made


def test_pages_load_nothing_from_other_hosts(site: Path) -> None:
    loaded = re.compile(r'<(?:script|img|iframe|link)\b[^>]*?(?:src|href)="(?:https?:)?//[^"]+"')
    found = {
        match for page in site.rglob("*.html") for match in loaded.findall(page.read_text("utf-8"))
    }
    assert found == set()
    styles = "".join(style.read_text("utf-8") for style in site.rglob("*.css"))
    assert re.findall(r"url\((?:[\"']?)(?:https?:)?//[^)]+\)", styles) == []


def test_code_in_a_table_shows_no_mark_of_markdown(site: Path) -> None:
    r"""`a \| b` is how the repository's pages would say it; the site shows the backslash."""
    shown = re.compile(r"<td>(?:(?!</td>).)*<code>[^<]*\\\|", re.DOTALL)
    pages = [page for page in site.rglob("index.html") if shown.search(page.read_text("utf-8"))]
    assert [page.parent.relative_to(site).as_posix() for page in pages] == []


def test_links_of_pages_beside_the_site_lead_somewhere() -> None:
    """What mkdocs does not see: the pages that only the repository shows."""
    lost = []
    for name in ("README.md", "CONTRIBUTING.md", "deployments/README.md"):
        page = REPOSITORY / name
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", page.read_text("utf-8")):
            if not (page.parent / link).exists():
                lost.append(f"{name}: {link}")
    assert lost == []
