"""What a user installs with the package -> the licence of each, from its own metadata."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[2]
# What only the older metadata of a package says, in words of its own.
SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "MIT License": "MIT",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "GNU General Public License (GPL)": "GPL",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "Artistic License": "Artistic",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "Python Software Foundation License": "PSF-2.0",
}


def wanted() -> dict[str, str]:
    """Every package that the requirements bring along, and who asks for it first."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    todo = [(line, "") for line in (*project["dependencies"], *extras)]
    found: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    while todo:
        line, asker = todo.pop(0)
        need = Requirement(line)
        name = re.sub(r"[-_.]+", "-", need.name).lower()
        key = (name, frozenset(need.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue  # of another platform, or an extra that nobody asked for
        found.setdefault(name, asker)
        for each in installed.requires or ():
            inner = Requirement(each)
            extras_of = [{"extra": extra} for extra in (*need.extras, "")]
            if inner.marker is None or any(inner.marker.evaluate(given) for given in extras_of):
                todo.append((each, name))
    return found


def licence_of(name: str) -> str:
    """Its SPDX expression, or what comes nearest."""
    about = distribution(name)
    if said := _said(about, "License-Expression"):
        return said
    classes = [
        str(each).rpartition(" :: ")[2]
        for each in about.metadata.get_all("Classifier") or ()
        if each.startswith("License :: ") and each != "License :: OSI Approved"
    ]
    if classes:
        return " OR ".join(SPDX.get(each) or each for each in classes)
    short = _said(about, "License").partition("\n")[0].strip()
    return SPDX.get(short, short) or _by_its_text(about)


def _said(about: Distribution, field: str) -> str:
    return "".join((about.metadata.get_all(field) or [""])[:1])


def _by_its_text(about: Distribution) -> str:
    for file in about.files or ():
        if "licen" in file.name.lower():
            first = file.read_text(encoding="utf-8").strip().partition("\n")[0]
            return SPDX.get(first.strip(), first.strip())
    return "unknown"


def table_of_licences(_arguments: list[str]) -> str:
    """A row a package."""
    rows = ["| package | licence | needed by |", "|---|---|---|"]
    for name, asker in sorted(wanted().items()):
        rows.append(f"| {name} | {licence_of(name)} | {asker or 'confiture-flows'} |")
    return "\n".join(rows)
