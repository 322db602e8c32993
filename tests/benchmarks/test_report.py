"""What becomes of figures: places on a page, sentences, pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from confiture_flows.report.document import Document, Paragraph
from tests.benchmarks.claims import claims
from tests.benchmarks.growth import Curve, growth
from tests.benchmarks.measure import Series
from tests.benchmarks.pictures import draw
from tests.benchmarks.section import Section, body_of, put_between_markers

ROOT = Path(__file__).parents[2]


def test_only_the_part_of_a_name_is_made_anew() -> None:
    page = "a\n<!-- x: generated from here -->\nold\n<!-- x: to here -->\nb\n"
    section = Section("x", (Document("New", (Paragraph("text"),)),), {})

    made = put_between_markers(page, "x", body_of(section))

    assert made == (
        "a\n<!-- x: generated from here -->\n\n## New\n\ntext\n\n<!-- x: to here -->\nb\n"
    )
    with pytest.raises(ValueError, match="lacks <!-- y: generated"):
        put_between_markers(page, "y", "")


def test_a_claim_is_made_where_all_of_it_was_measured() -> None:
    said = claims({"dry_run": 2.04, "sqlfluff": 55.1})
    assert said == (
        "- A dry run with its way back takes 2.0 times a plain apply of the same migrations."
    )


@pytest.mark.parametrize("name", ["README.md", "docs/explanation/performance.md"])
def test_pages_have_what_was_generated(name: str) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")
    for part in page.split(": generated from here -->")[1:]:
        assert part.partition("<!--")[0].strip()


def test_a_curve_tells_how_it_grows() -> None:
    curve = Curve(((10, 1.0), (100, 1.0), (1000, 10.0)))
    assert curve.exponent == pytest.approx(1.0)
    assert curve.each == pytest.approx(0.01)
    (table,) = growth("Growth", "row", {"copy": curve}).blocks
    assert ("copy", "1.00", "1.00", "10.00", "10,000.0", "1.00") in table.rows  # pyright: ignore


def test_pictures_are_drawn_of_what_was_measured(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="it is in the bench group")
    seconds = Series((1.0, 2.0)).seconds
    runs = {name: {"apply": seconds} for name in ("migrate --plain", "dbmate")}
    copied = {
        "anonymize --plain, four hashes": {"whole": seconds},
        "pg_anon, dump and restore": {"whole": seconds},
    }
    points = ((10, 1.0), (100, 10.0))
    draw(
        [
            Section("benchmarks", (), {"migrations": 3, "runs": runs}),
            Section("copies", (), copied),
            Section("growth", (), {"migrations": {"a": points}, "rows": {"b": points}}),
        ],
        tmp_path,
    )
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "apply.svg",
        "copies.svg",
        "growth-migrations.svg",
        "growth-rows.svg",
    ]
    assert "pg_anon" in (tmp_path / "copies.svg").read_text()
