"""Any layout written out as pairs: same versions, same order, same statements."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from confiture_flows.errors import ConfigError, GateError, HistoryError
from confiture_flows.migrations.discovery import Directory, discover
from confiture_flows.migrations.import_pairs import Import, import_directory
from confiture_flows.migrations.layouts import all_layouts
from tests.foreign_ledgers import SHOPS


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "imported"


def imported(done: Import) -> Directory:
    return discover(done.directory, layout=done.layout)


def meaning(directory: Directory) -> list[object]:
    """What would run, and how, without where it stands."""
    return [
        (
            migration.version,
            [
                [(batch.transactional, batch.opening, [s.sql for s in batch.statements])
                 for batch in script.batches()]
                for script in (migration.up, migration.down, migration.verify)
                if script
            ],
        )
        for migration in directory.migrations
    ]  # fmt: skip


@pytest.mark.parametrize("tool", SHOPS)
def test_shop_of_each_tool_is_the_same_as_pairs(
    tool: str, write: Callable[..., Path], into: Path
) -> None:
    source = discover(write(SHOPS[tool].files))

    done = import_directory(source, into)

    assert meaning(imported(done)) == meaning(source)
    assert [m.version for m in imported(done).migrations] == list(SHOPS[tool].versions)


ODDITIES = [
    "diesel",
    "diesel_dashes",
    "prisma",
    "prisma_repeated_timestamp",
    "prisma_folder_named_sql",
    "goose_no_transaction",
    "dbmate",
    "dbmate_transaction_false",
    "flat_numbers",
    "flyway_whole_numbers",
    "pairs",
    "pairs_no_transaction",
    "pairs_unpadded_numbers",
]


@pytest.mark.parametrize("name", ODDITIES)
def test_odd_directory_is_the_same_as_pairs(name: str, into: Path) -> None:
    source = discover(Path(__file__).parents[2] / "migrations" / name)

    done = import_directory(source, into)

    assert meaning(imported(done)) == meaning(source)


def test_sections_become_files_without_their_marks(write: Callable[..., Path], into: Path) -> None:
    text = (
        "-- Adds the index that search needs.\n"
        "-- +goose NO TRANSACTION\n"
        "-- +goose Up\n"
        "-- +goose StatementBegin\n"
        "CREATE INDEX CONCURRENTLY ON a (b);\n"
        "-- +goose StatementEnd\n"
        "\n"
        "-- +goose Down\n"
        "DROP INDEX CONCURRENTLY a_b_idx;\n"
    )

    done = import_directory(discover(write({"001_index.sql": text})), into)

    assert [path.name for path in done.files] == ["001_index.down.sql", "001_index.up.sql"]
    up, down = (into / f"001_index.{kind}.sql" for kind in ("up", "down"))
    assert up.read_text() == (
        "-- Adds the index that search needs.\nCREATE INDEX CONCURRENTLY ON a (b);\n"
    )
    assert down.read_text() == "DROP INDEX CONCURRENTLY a_b_idx;\n"
    assert done.changed == ("001",)


@pytest.mark.parametrize(
    ("files", "marker"),
    [
        (
            {"1_a.sql": "-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;\nSELECT 2;\n"},
            "-- confiture: transaction=none\n",
        ),
        (
            {"1_a.sql": "-- migrate:up transaction:false\nSELECT 1;\nSELECT 2;\n"},
            "-- confiture: transaction=none\n",
        ),
        (
            {
                "1_a/up.sql": "SELECT 1;\nSELECT 2;\n",
                "1_a/metadata.toml": "run_in_transaction = false",
            },
            "-- confiture: transaction=none\n",
        ),
        # In a pair this comment would be sqlx's, and mean something.
        (
            {"1_a.sql": "-- no-transaction\nSELECT 1;\nSELECT 2;\n"},
            "-- confiture: transaction=auto\n",
        ),
    ],
    ids=["goose", "dbmate", "diesel", "flat"],
)  # fmt: skip
def test_transaction_mode_becomes_a_marker(
    files: dict[str, str], marker: str, write: Callable[..., Path], into: Path
) -> None:
    source = discover(write(files))

    done = import_directory(source, into)

    assert (into / "1_a.up.sql").read_text().startswith(marker)
    assert meaning(imported(done)) == meaning(source)


def test_as_written_becomes_a_marker_where_it_matters(
    write: Callable[..., Path], into: Path
) -> None:
    files = {
        "1_a/migration.sql": "SELECT 1;\nCOMMIT;\nSELECT 2;\n",
        "2_b/migration.sql": "SELECT 1;\n",
    }
    source = discover(write(files), as_written=True)

    done = import_directory(source, into)

    assert done.changed == ("1_a",)
    assert (into / "2_b.up.sql").read_text() == "SELECT 1;\n"
    assert meaning(imported(done)) == meaning(source)


def test_script_that_cannot_run_stays_one_and_is_told(
    write: Callable[..., Path], into: Path
) -> None:
    source = discover(write({"1_a/migration.sql": "SELECT 1;\nCOMMIT;\n"}))

    done = import_directory(source, into)

    (finding,) = done.findings
    assert (finding.code, finding.version) == ("file.invalid", "1_a")
    assert (into / "1_a.up.sql").read_text() == "SELECT 1;\nCOMMIT;\n"


def test_file_without_sections_is_copied_byte_for_byte(
    write: Callable[..., Path], into: Path
) -> None:
    content = b"\xef\xbb\xbfSELECT '\xc3\xa9';\r\n\r\n-- the end"

    done = import_directory(discover(write({"1_a.sql": content})), into)

    assert (into / "1_a.up.sql").read_bytes() == content
    assert done.changed == ()


def test_annotation_inside_a_statement_stays(write: Callable[..., Path], into: Path) -> None:
    body = "DO $$\nBEGIN\n-- +goose StatementBegin\nNULL;\nEND $$;\n"
    source = discover(write({"1_a.sql": f"-- +goose Up\n{body}"}))

    done = import_directory(source, into)

    assert (into / "1_a.up.sql").read_text() == body
    assert meaning(imported(done)) == meaning(source)


def test_empty_way_down_stays_a_way_down(write: Callable[..., Path], into: Path) -> None:
    text = "-- migrate:up\nSELECT 1;\n-- migrate:down\n"

    done = import_directory(discover(write({"1_a.sql": text})), into)

    (migration,) = imported(done).migrations
    assert migration.down is not None
    assert migration.down.batches() == ()


@pytest.mark.parametrize(
    ("names", "source_layout", "layout"),
    [
        (("9_a", "10_b"), "prisma", "pairs-by-name-as-text"),
        (("1_a", "2_b"), "prisma", "pairs-by-name"),
        (("1_a", "1_b"), "prisma", "pairs-by-name"),
        (("9_a", "10_b"), "diesel", "pairs-as-text"),
        (("1_a", "2_b"), "diesel", "pairs"),
    ],
)
def test_layout_is_the_first_that_keeps_identity_and_order(
    names: tuple[str, ...],
    source_layout: str,
    layout: str,
    write: Callable[..., Path],
    into: Path,
) -> None:
    file = {"prisma": "migration.sql", "diesel": "up.sql"}[source_layout]
    source = discover(write({f"{name}/{file}": f"SELECT '{name}';" for name in names}))

    done = import_directory(source, into)

    assert (source.layout, done.layout) == (source_layout, layout)
    assert meaning(imported(done)) == meaning(source)


def test_version_that_no_pair_can_have_is_refused(write: Callable[..., Path], into: Path) -> None:
    source = discover(write({"1.5/migration.sql": "SELECT 1;", "1.6/migration.sql": "SELECT 1;"}))

    with pytest.raises(HistoryError, match="No pair layout keeps the versions") as caught:
        import_directory(source, into)
    assert "prisma" in (caught.value.next_step or "")
    assert not into.exists()


def test_repeated_version_is_refused(write: Callable[..., Path], into: Path) -> None:
    source = discover(write({"1_a.up.sql": "SELECT 1;", "1_b.up.sql": "SELECT 2;"}))

    with pytest.raises(HistoryError, match="stands twice"):
        import_directory(source, into)
    assert not into.exists()


def test_migration_that_cannot_be_read_is_refused(write: Callable[..., Path], into: Path) -> None:
    files = {"1_a.sql": "-- +goose Up\nSELECT 1;\n", "2_b.sql": "SELECT 1;\n"}

    with pytest.raises(GateError, match="no section for the way up"):
        import_directory(discover(write(files), layout="goose"), into)
    assert not into.exists()


def test_files_are_never_overwritten(write: Callable[..., Path], tmp_path: Path) -> None:
    source = discover(write({"1_a.sql": "SELECT 1;"}))
    into = write({"1_a.up.sql": "SELECT 'mine';"}, "imported")

    with pytest.raises(ConfigError, match=r"already \(1_a.up.sql\)"):
        import_directory(source, into)
    with pytest.raises(ConfigError, match="already"):
        import_directory(source, source.path)
    assert (into / "1_a.up.sql").read_text() == "SELECT 'mine';"


def test_folder_without_migrations_may_be_there(write: Callable[..., Path]) -> None:
    source = discover(write({"1_a.sql": "SELECT 1;"}))
    into = write({"README.md": "# Ours", ".keep": ""}, "imported")

    assert [path.name for path in import_directory(source, into).files] == ["1_a.up.sql"]


def test_file_in_the_place_of_the_folder_is_refused(write: Callable[..., Path]) -> None:
    source = discover(write({"1_a.sql": "SELECT 1;"}))
    into = write({"file": ""}, "imported") / "file"

    with pytest.raises(ConfigError, match="is not a directory"):
        import_directory(source, into)
    with pytest.raises(ConfigError, match="cannot be written"):
        import_directory(source, into / "below")


def test_markers_of_file_and_section_keep_their_rank(
    write: Callable[..., Path], into: Path
) -> None:
    text = (
        "-- confiture: transaction=none\n-- +goose Up\n"
        "-- confiture: transaction=auto\nSELECT 1;\nSELECT 2;\n"
    )
    source = discover(write({"1_a.sql": text}), layout="goose")

    assert meaning(imported(import_directory(source, into))) == meaning(source)


def test_order_by_file_name_that_no_version_has_is_refused(into: Path) -> None:
    """dbmate sorts whole names, and "10_" comes before "1_"."""
    source = discover(Path(__file__).parents[2] / "migrations" / "dbmate_unpadded_numbers")

    with pytest.raises(HistoryError, match="pairs would run 1 where 10 runs"):
        import_directory(source, into)


def test_all_layouts_have_been_imported() -> None:
    named = {name.partition("_")[0] for name in ODDITIES}
    kinds = {layout.name.partition("-")[0] for layout in all_layouts()}
    assert kinds <= named
