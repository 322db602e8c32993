"""Each layout over real directories: which versions, in which order, with which scripts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from confiture_flows.errors import ConfigError, MigrationFileError
from confiture_flows.migrations.discovery import Directory, discover
from confiture_flows.migrations.layouts import all_layouts
from confiture_flows.report.finding import Finding, Severity
from confiture_flows.sql.script import TransactionMode
from tests.support import in_sql


def versions(directory: Directory) -> list[str]:
    return [migration.version for migration in directory.migrations]


def codes(directory: Directory) -> list[tuple[str, str]]:
    return [(finding.code, _file(finding)) for finding in directory.findings]


def _file(finding: Finding) -> str:
    return finding.location.file.name if finding.location else ""


@pytest.mark.parametrize(
    ("name", "layout", "expected"),
    [
        ("pairs", "pairs", ["0001", "0002", "0003"]),
        ("pairs_unpadded_numbers", "pairs", ["1", "2", "9", "10"]),
        ("pairs_no_transaction", "pairs", ["0001"]),
        ("pairs_with_python_step", "pairs", ["0001", "0002", "0003"]),
        ("pairs_misnamed", "pairs", ["0001"]),
        ("diesel", "diesel", ["00000000000000", "20261123101500"]),
        (
            "diesel_dashes",
            "diesel",
            ["20140924113530", "20170923184205", "20260527120000", "202605271200000000"],
        ),
        ("diesel_metadata", "diesel", ["0001", "0002", "0003"]),
        ("prisma", "prisma", ["20230101000000_init", "20230102000000_orders"]),
        (
            "prisma_repeated_timestamp",
            "prisma",
            ["20230620181114_add_index", "20230620181114_restructure"],
        ),
        (
            "prisma_folder_named_sql",
            "prisma",
            ["20230101000000_init.sql", "20230102000000_orders.up.sql"],
        ),
        ("goose_sections", "goose", ["00001", "2", "00010"]),
        ("goose_no_transaction", "goose", ["00001", "00002"]),
        ("goose_without_up", "goose", ["00001"]),
        ("dbmate", "dbmate", ["20260101000000", "20260102000000"]),
        # dbmate sorts file names as text, and "10_" comes before "1_".
        ("dbmate_unpadded_numbers", "dbmate", ["10", "1"]),
        ("flat_numbers", "flat", ["1", "2", "10"]),
    ],
)
def test_layout_is_detected_and_ordered_as_its_tool_orders(
    oddities: Path, name: str, layout: str, expected: list[str]
) -> None:
    directory = discover(oddities / name)

    assert directory.layout == layout
    assert versions(directory) == expected
    assert versions(discover(oddities / name, layout=layout)) == expected


def test_every_layout_has_a_name_and_a_rank_of_its_own() -> None:
    layouts = all_layouts()

    assert len({layout.name for layout in layouts}) == len(layouts)
    assert len({layout.rank for layout in layouts}) == len(layouts)


def test_every_layout_has_a_directory_to_be_tried_on(oddities: Path) -> None:
    detected = {
        next((layout.name for layout in all_layouts() if layout.detect(directory)), None)
        for directory in oddities.iterdir()
    }
    assert {layout.name for layout in all_layouts()} - detected == {
        "pairs-by-name",
        "pairs-as-text",
        "pairs-by-name-as-text",
    }


@pytest.mark.parametrize(
    ("name", "layout", "expected"),
    [
        (
            "pairs_with_go_step",
            None,
            [("file.unsupported", "0002_backfill.go")],
        ),
        (
            "pairs_misnamed",
            None,
            [("file.misnamed", "0002_orders.UP.sql"), ("file.misnamed", "schema.sql")],
        ),
        ("pairs_orphan_down", None, [("file.without_up", "0002_orders.down.sql")]),
        ("pairs_clashing_version", None, [("history.duplicate", "0002_add_phone.up.sql")]),
        ("pairs_clashing_value", None, [("history.duplicate", "1_users.up.sql")]),
        ("pairs_repeated_timestamp", None, [("history.duplicate", "1626194317_add_b.up.sql")]),
        ("pairs_repeated_timestamp", "pairs-by-name", []),
        ("diesel_clashing_dashes", None, [("history.duplicate", "up.sql")]),
        ("diesel_metadata", None, [("file.metadata", "metadata.toml")]),
        ("prisma_repeated_timestamp", None, []),
        ("goose_sections", None, [("file.unsupported", "00011_code.go")]),
        ("goose_envsub", None, [("file.invalid", "00001_users.sql")]),
        ("goose_without_up", None, [("file.invalid", "00002_forgotten.sql")]),
        ("dbmate_clashing_version", None, [("history.duplicate", "1_b.sql")]),
        ("dbmate_unpadded_numbers", None, []),
        ("flat_numbers", None, [("file.misnamed", "seed.sql")]),
        ("flat_with_down_sections", None, [("file.invalid", "1_users.sql")]),
        ("dbmate", "flat", [("file.invalid", "20260101000000_users.sql")]),
    ],
)
def test_what_is_odd_about_a_directory_is_found(
    oddities: Path, name: str, layout: str | None, expected: list[tuple[str, str]]
) -> None:
    assert codes(discover(oddities / name, layout=layout)) == expected


def test_duplicate_names_both_files_and_the_way_out(oddities: Path) -> None:
    (finding,) = discover(oddities / "pairs_clashing_version").findings

    assert finding.severity is Severity.ERROR
    assert finding.message == (
        "Version 0002 stands twice: 0002_add_email.up.sql and 0002_add_phone.up.sql"
    )
    assert "pairs-by-name" in (finding.next_step or "")


def test_duplicate_in_a_layout_of_folders_names_the_folders(oddities: Path) -> None:
    (finding,) = discover(oddities / "diesel_clashing_dashes").findings

    assert "2026-05-27-120000_a/up.sql and 20260527120000_b/up.sql" in finding.message
    assert "pairs-by-name" not in (finding.next_step or "")


def test_repeated_timestamps_are_told_apart_by_name(oddities: Path) -> None:
    directory = discover(oddities / "pairs_repeated_timestamp", layout="pairs-by-name")

    assert versions(directory) == ["1626194317_add_a", "1626194317_add_b"]
    assert [migration.label for migration in directory.migrations] == versions(directory)
    assert [migration.down.path.name for migration in directory.migrations if migration.down] == [
        "1626194317_add_a.down.sql",
        "1626194317_add_b.down.sql",
    ]


def test_pair_brings_its_down_and_its_verify_script(oddities: Path) -> None:
    users, orders, index = discover(oddities / "pairs").migrations

    assert users.label == "0001_users"
    assert users.down is not None
    assert users.verify is not None
    assert users.verify.path.name == "0001_users.verify.sql"
    assert (orders.verify, index.down) == (None, None)


def test_down_script_of_another_name_belongs_to_the_only_up_script_of_its_version(
    oddities: Path,
) -> None:
    (users,) = discover(oddities / "pairs_orphan_down").migrations

    assert users.down is not None
    assert users.down.path.name == "0001_people.down.sql"


def test_migration_in_another_language_is_a_warning_by_version(oddities: Path) -> None:
    (finding,) = discover(oddities / "pairs_with_go_step").findings

    assert (finding.severity, finding.version) == (Severity.WARNING, "0002")


def test_prisma_down_script_is_found(oddities: Path) -> None:
    init, orders = discover(oddities / "prisma").migrations

    assert init.down is None
    assert orders.down is not None
    assert orders.label == "20230102000000_orders"


@pytest.mark.parametrize(
    ("name", "version", "up", "down"),
    [
        ("pairs", "0001", TransactionMode.AUTO, TransactionMode.AUTO),
        ("diesel_metadata", "0001", TransactionMode.AUTO, None),
        ("diesel_metadata", "0002", TransactionMode.NONE, TransactionMode.NONE),
        ("diesel_metadata", "0003", TransactionMode.AUTO, None),
        ("goose_no_transaction", "00001", TransactionMode.AUTO, None),
        ("goose_no_transaction", "00002", TransactionMode.NONE, TransactionMode.NONE),
        ("goose_marker_in_header", "00001", TransactionMode.AS_WRITTEN, TransactionMode.AS_WRITTEN),
        ("dbmate_transaction_false", "20260101000000", TransactionMode.NONE, TransactionMode.AUTO),
    ],
)
def test_each_tools_own_way_to_say_no_transaction_is_read(
    oddities: Path, name: str, version: str, up: TransactionMode, down: TransactionMode | None
) -> None:
    by_version = {each.version: each for each in discover(oddities / name).migrations}
    migration = by_version[version]

    assert in_sql(migration.up).transaction is up
    assert (in_sql(migration.down).transaction if migration.down else None) is down


def test_first_line_of_sqlx_that_says_no_transaction_is_obeyed(oddities: Path) -> None:
    (migration,) = discover(oddities / "pairs_no_transaction").migrations

    assert [batch.transactional for batch in migration.up.batches()] == [False]
    assert migration.down is not None
    assert all(batch.transactional for batch in migration.down.batches())


def test_sections_of_a_file_run_apart_with_the_lines_of_the_file(oddities: Path) -> None:
    users, orders, index = discover(oddities / "goose_sections").migrations
    assert users.down is not None

    assert [(s.line, s.kind) for batch in users.up.batches() for s in batch.statements] == [
        (2, "create_stmt"),
        (5, "create_function_stmt"),
    ]
    assert [(s.line, s.sql) for batch in users.down.batches() for s in batch.statements] == [
        (12, "DROP FUNCTION one()"),
        (13, "DROP TABLE users"),
    ]
    assert (in_sql(orders.up).lines, orders.down) == ((3, 5), None)
    assert index.down is not None


def test_sections_of_a_dbmate_file_run_apart(oddities: Path) -> None:
    users, bare = discover(oddities / "dbmate").migrations
    assert users.down is not None

    assert [s.sql for batch in users.up.batches() for s in batch.statements] == [
        "CREATE TABLE users (id int)"
    ]
    assert [s.sql for batch in users.down.batches() for s in batch.statements] == [
        "DROP TABLE users"
    ]
    assert (users.label, bare.label) == ("20260101000000_users", "20260102000000")


def test_down_section_that_is_empty_runs_nothing(oddities: Path) -> None:
    tenth, _ = discover(oddities / "dbmate_unpadded_numbers").migrations
    assert tenth.down is not None
    assert tenth.down.batches() == ()


def test_environment_substitution_is_refused_with_its_line(oddities: Path) -> None:
    directory = discover(oddities / "goose_envsub")

    (finding,) = directory.findings
    assert finding.message == "-- +goose ENVSUB ON is not supported."
    assert finding.severity is Severity.ERROR
    assert finding.location is not None
    assert finding.location.line == 2


@pytest.mark.parametrize(
    ("name", "message", "line"),
    [
        ("goose_second_up", "The file has a second section for the way up.", 5),
        ("goose_sql_before_up", "The file holds SQL before its first section.", 3),
    ],
)
def test_sql_that_no_section_would_run_is_an_error(
    oddities: Path, name: str, message: str, line: int
) -> None:
    reading = next(each for each in all_layouts() if each.name == "goose").read(oddities / name)

    (finding,) = reading.findings
    assert (finding.message, finding.severity) == (message, Severity.ERROR)
    assert finding.location is not None
    assert finding.location.line == line
    assert reading.found == ()


def test_section_that_a_flat_layout_would_run_is_an_error_with_its_line(oddities: Path) -> None:
    (finding,) = discover(oddities / "flat_with_down_sections").findings

    assert finding.severity is Severity.ERROR
    assert "would run too" in finding.message
    assert str(finding.location).endswith("1_users.sql:4")


def test_marker_before_the_first_section_counts_for_both(oddities: Path) -> None:
    (users,) = discover(oddities / "goose_marker_in_header").migrations
    assert [len(batch.statements) for batch in users.up.batches()] == [1]


def test_psql_command_is_found_when_the_script_is_read(oddities: Path) -> None:
    (users,) = discover(oddities / "pairs_psql_command").migrations

    with pytest.raises(MigrationFileError, match=r"^\\set is a command of psql") as caught:
        users.up.batches()
    assert (caught.value.file, caught.value.line) == (users.up.path, 3)


@pytest.mark.parametrize("layout", [None, "goose", "flat"])
def test_empty_directory_is_refused(oddities: Path, layout: str | None) -> None:
    with pytest.raises(ConfigError, match="There are no migrations in"):
        discover(oddities / "empty", layout=layout)


def test_empty_directory_may_be_scaffolded_as_pairs(oddities: Path) -> None:
    directory = discover(oddities / "empty", may_be_empty=True)
    assert (directory.layout, directory.migrations) == ("pairs", ())


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("unknown", r"\(README.md, notes.txt\)"),
    ],
)
def test_directory_no_layout_fits_is_refused_with_what_is_in_it(
    oddities: Path, name: str, seen: str
) -> None:
    with pytest.raises(ConfigError, match=f"No layout fits .*{seen}") as caught:
        discover(oddities / name)
    assert all(f"  {layout.name}: " in (caught.value.next_step or "") for layout in all_layouts())


def test_unknown_layout_lists_those_there_are(oddities: Path) -> None:
    with pytest.raises(ConfigError, match="no layout 'liquibase'") as caught:
        discover(oddities / "pairs", layout="liquibase")
    assert all(f"  {layout.name}: " in (caught.value.next_step or "") for layout in all_layouts())


def test_missing_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"There is no directory .*nowhere"):
        discover(tmp_path / "nowhere")


def test_directory_allows_transactions_as_written(oddities: Path) -> None:
    directory = discover(oddities / "pairs", as_written=True)

    assert all(in_sql(migration.up).as_written for migration in directory.migrations)
    downs = [migration.down for migration in directory.migrations if migration.down]
    assert all(in_sql(down).as_written for down in downs)


@pytest.mark.parametrize(
    ("files", "layout"),
    [
        ({"0001_a.up.sql": b"\xef\xbb\xbf-- a\r\nSELECT 1;\r\n"}, "pairs"),
        ({"0001_a.sql": b"\xef\xbb\xbf-- +goose Up\r\nSELECT 1;\r\n-- +goose Down\r\n"}, "goose"),
        (
            {"0001_a.sql": b"\xef\xbb\xbf-- migrate:up\r\nSELECT 1;\r\n-- migrate:down\r\n"},
            "dbmate",
        ),
        ({"0001_a.sql": b"\xef\xbb\xbfSELECT 1;\r\n"}, "flat"),
        ({"0001_a/up.sql": b"\xef\xbb\xbfSELECT 1;\r\n"}, "diesel"),
        ({"0001_a/migration.sql": b"\xef\xbb\xbfSELECT 1;\r\n"}, "prisma"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_byte_order_mark_and_windows_line_ends_change_nothing(
    write_directory, files: dict[str, bytes], layout: str
) -> None:
    directory = write_directory(files)

    assert directory.layout == layout
    assert directory.findings == ()
    (migration,) = directory.migrations
    assert [s.sql for batch in migration.up.batches() for s in batch.statements] == ["SELECT 1"]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"SELECT 1;\n\0", "NUL byte"), (b"\n-- caf\xe9", "byte 0xe9")],
    ids=["nul", "latin1"],
)
@pytest.mark.parametrize("mark", [b"-- migrate:up\n", b"-- +goose Up\n"], ids=["dbmate", "goose"])
def test_annotated_file_that_cannot_be_read_is_found_with_its_line(
    write_directory, mark: bytes, content: bytes, message: str
) -> None:
    directory = write_directory({"1_a.sql": mark + content, "2_b.sql": mark + b"SELECT 2;"})

    (finding,) = directory.findings
    assert (finding.code, finding.version) == ("file.invalid", "1")
    assert message in finding.message
    assert finding.location.line > 1
    assert versions(directory) == ["2"]


def test_checksum_is_that_of_the_raw_bytes(write_directory) -> None:
    (migration,) = write_directory({"1_a.up.sql": b"\xef\xbb\xbfSELECT 1;\r\n"}).migrations
    # printf '\xef\xbb\xbfSELECT 1;\r\n' | sha256sum
    assert migration.checksum == (
        "1ffc3c6acdbb610bcc942c606c787270e7c9d149c473e9d9aaa4fe597d5e402d"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that not even root can read")
def test_file_that_cannot_be_read_is_told_and_not_raised(tmp_path: Path) -> None:
    unreadable = Path("/proc/self/mem")
    for name in ("up.sql", "down.sql"):
        (tmp_path / "diesel" / "1_a" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "diesel" / "1_a" / name).write_text("SELECT 1;")
    (tmp_path / "diesel" / "1_a" / "metadata.toml").symlink_to(unreadable)
    (finding,) = discover(tmp_path / "diesel").findings
    assert (finding.code, "Input/output error" in finding.message) == ("file.metadata", True)

    (tmp_path / "pairs").mkdir()
    (tmp_path / "pairs" / "0001_a.py").symlink_to(unreadable)
    with pytest.raises(ConfigError, match="No layout fits"):
        discover(tmp_path / "pairs")
