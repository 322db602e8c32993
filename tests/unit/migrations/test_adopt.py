"""What a baseline marks, and what it reports, of a foreign ledger beside a directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from confiture_flows.errors import PlanError
from confiture_flows.migrations.adopt import Adoption, adopt, adopt_through, late_versions
from confiture_flows.migrations.adoption import ForeignEntry, ForeignLedger
from confiture_flows.migrations.discovery import Directory, discover
from confiture_flows.migrations.foreign_ledger import find_tool
from confiture_flows.report.finding import Severity
from tests.foreign_ledgers import USERS, crc32, pairs, sha256, sha384

from .conftest import MakeRows


@pytest.fixture
def directory(write: Callable[..., Path]) -> Directory:
    return discover(write(pairs("0001", "0002", "0003")))


def foreign(tool: str, *versions: str | ForeignEntry, through: str | None = None) -> ForeignLedger:
    entries = tuple(v if isinstance(v, ForeignEntry) else ForeignEntry(v) for v in versions)
    return ForeignLedger(tool, "public.theirs", entries, through=through)


def read(
    directory: Directory, ledger: ForeignLedger, *known: str, make_rows: MakeRows | None = None
) -> Adoption:
    rows = make_rows(*known) if make_rows else ()
    return adopt(directory, rows, ledger, find_tool(ledger.tool))


def codes(adoption: Adoption) -> list[tuple[str, Severity]]:
    return [(finding.code, finding.severity) for finding in adoption.findings]


def test_numbers_are_one_version_however_they_are_padded(directory: Directory) -> None:
    found = read(directory, foreign("goose", "1", "2"))

    assert (found.marked, found.pending, found.findings) == (("0001", "0002"), ("0003",), ())


def test_versions_that_are_text_are_not(directory: Directory) -> None:
    found = read(directory, foreign("dbmate", "1", "0002"))

    assert found.marked == ("0002",)
    assert [entry.version for entry in found.missing] == ["1"]


def test_current_version_stands_for_all_before_it(directory: Directory) -> None:
    found = read(directory, foreign("golang-migrate", "2", through="2"))

    assert (found.marked, found.late) == (("0001", "0002"), ())


def test_current_version_without_a_file_is_no_guess(write: Callable[..., Path]) -> None:
    files = {"0001_a.up.sql": "SELECT 1;", "0003_c.up.sql": "SELECT 1;"}

    found = read(discover(write(files)), foreign("golang-migrate", "2", through="2"))

    assert codes(found) == [("history.unclear", Severity.ERROR)]


def test_head_is_found_by_its_name(write: Callable[..., Path]) -> None:
    heads = ("1975ea83b712", "ae1027a6acf0", "b27c6a30d7c2")
    directory = discover(write(pairs(*heads)))

    assert read(directory, foreign("alembic", heads[1], through=heads[1])).marked == heads[:2]


def test_head_that_is_nowhere_is_a_question(directory: Directory) -> None:
    found = read(directory, foreign("alembic", "ae1027a6acf0", through="ae1027a6acf0"))

    (finding,) = found.findings
    assert (found.marked, finding.code, finding.severity) == ((), "history.unclear", Severity.ERROR)
    assert "confiture-flows baseline --to VERSION" in (finding.next_step or "")


def test_what_the_ledger_has_is_not_marked_again(directory: Directory, make_rows: MakeRows) -> None:
    found = read(directory, foreign("goose", "1", "2"), "0001", "0003", make_rows=make_rows)

    assert (found.marked, found.known, found.pending) == (("0002",), {"0001", "0003"}, ())


def test_gap_is_listed_and_stays_pending(directory: Directory) -> None:
    found = read(directory, foreign("goose", "1", "3"))

    assert (found.marked, found.late, found.pending) == (("0001", "0003"), ("0002",), ("0002",))
    assert codes(found) == [("history.out_of_order", Severity.WARNING)]


def test_file_that_is_gone_is_listed(directory: Directory) -> None:
    found = read(directory, foreign("goose", "1", "2", "7"))

    assert found.marked == ("0001", "0002")
    assert codes(found) == [("history.deleted", Severity.WARNING)]
    assert "7" in found.findings[0].message


def test_production_makes_errors_of_what_does_not_match(directory: Directory) -> None:
    found = adopt(
        directory, (), foreign("goose", "1", "3", "7"), find_tool("goose"), production=True
    )

    assert codes(found) == [
        ("history.deleted", Severity.ERROR),
        ("history.out_of_order", Severity.ERROR),
    ]


def test_nothing_in_common_is_another_directory(directory: Directory) -> None:
    found = read(directory, foreign("goose", "20260101", "20260102"))

    assert codes(found) == [("history.unclear", Severity.ERROR)]
    assert "--dir" in (found.findings[0].next_step or "")


def test_ledger_without_entries_marks_nothing(directory: Directory) -> None:
    found = read(directory, foreign("goose"))

    assert (found.marked, found.findings) == ((), ())


def test_what_is_not_complete_stops(directory: Directory) -> None:
    half = ForeignEntry("2", complete=False, note="it failed half way")

    found = read(directory, foreign("sqlx", "1", half))

    assert found.marked == ("0001",)
    assert codes(found) == [("history.incomplete", Severity.ERROR)]
    assert found.findings[0].message == "sqlx did not complete 2: it failed half way."


def test_number_that_two_files_have_is_no_guess(write: Callable[..., Path]) -> None:
    files = {"1_a.up.sql": "SELECT 1;", "1_b.up.sql": "SELECT 1;"}

    found = read(discover(write(files), layout="pairs-by-name"), foreign("goose", "1"))

    assert found.marked == ()
    assert ("history.duplicate", Severity.ERROR) in codes(found)


def test_flyway_versions_are_compared_by_part(write: Callable[..., Path]) -> None:
    directory = discover(write(pairs("1", "2", "10")))

    found = read(directory, foreign("flyway", "10.0", through="2"))

    assert (found.marked, found.late) == (("1", "2", "10"), ())


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("1.0", (1,)),
        ("1", (1,)),
        ("1.10", (1, 10)),
        ("001.02", (1, 2)),
        ("0", (0,)),
        ("2026.01.05", (2026, 1, 5)),
        ("one", None),
        ("1_2", None),
    ],
)
def test_key_of_a_flyway_version(given: str, found: tuple[int, ...] | None) -> None:
    assert find_tool("flyway").key(given) == found


OLD_SUM = "51f76502c778f4282e883d77cf9e6a3ee7a1693b77a9eb98a38b24da89299"
CRLF = USERS.replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("tool", "content", "checksum", "same"),
    [
        ("sqlx", USERS, sha384(USERS), True),
        ("sqlx", USERS + " ", sha384(USERS), False),
        ("sqlx", CRLF, sha384(USERS), False),
        ("prisma", USERS, sha256(USERS), True),
        ("prisma", USERS + " ", sha256(USERS), False),
        ("prisma", CRLF, sha256(USERS), True),
        ("prisma", USERS, sha256(CRLF), True),
        # Old versions left out the zero at the start of a byte; prisma-engines, issue 1887.
        ("prisma", "SELECT 0;", OLD_SUM, True),
        ("prisma", "SELECT 1;", OLD_SUM, False),
        ("flyway", USERS, str(crc32(USERS)), True),
        ("flyway", CRLF, str(crc32(USERS)), True),
        ("flyway", "\ufeff" + USERS, str(crc32(USERS)), True),
        ("flyway", USERS + "x", str(crc32(USERS)), False),
        ("flyway", "", "0", True),
        # The check value of CRC-32, 0xcbf43926, as a signed integer.
        ("flyway", "12345\n6789\n", "-873187034", True),
    ],
)
def test_checksum_is_the_tools_own(tool: str, content: str, checksum: str, same: bool) -> None:
    compare = find_tool(tool).unchanged
    assert compare is not None
    assert compare(content.encode(), checksum) is same


def test_edited_file_is_reported_and_marked(directory: Directory) -> None:
    edited = ForeignEntry("1", checksum=sha384("something else"))

    found = read(directory, foreign("sqlx", edited))

    assert found.marked == ("0001",)
    assert codes(found) == [("history.edited", Severity.WARNING)]
    assert str(found.findings[0].location).endswith("0001_users.up.sql")


def test_through_a_version_marks_all_up_to_it(directory: Directory, make_rows: MakeRows) -> None:
    found = adopt_through(directory, make_rows("0001"), "0002")

    assert (found.marked, found.pending, found.foreign) == (("0002",), ("0003",), None)


def test_through_a_version_that_is_nowhere(directory: Directory) -> None:
    with pytest.raises(PlanError, match="no migration 2"):
        adopt_through(directory, (), "2")


def test_repeated_version_in_the_directory_stops(write: Callable[..., Path]) -> None:
    files = {"1_a.up.sql": "SELECT 1;", "1_b.up.sql": "SELECT 1;"}

    found = adopt_through(discover(write(files)), (), "1")

    assert codes(found) == [("history.duplicate", Severity.ERROR)]


def test_file_that_cannot_run_is_no_concern(write: Callable[..., Path]) -> None:
    files = {"1_a.sql": "-- +goose Up\nSELECT 1;\n-- +goose ENVSUB ON\n"}

    assert adopt_through(discover(write(files)), (), "1").findings == ()


def test_repeatable_migrations_are_never_marked_nor_out_of_order(
    write: Callable[..., Path],
) -> None:
    directory = discover(
        write({"V1__a.sql": "SELECT 1;", "V2__b.sql": "SELECT 1;", "R__views.sql": "SELECT 1;"})
    )

    adoption = adopt_through(directory, (), "2")
    everything = adopt_through(directory, (), "R__views")

    assert adoption.marked == ("1", "2")
    assert adoption.pending == ("R__views",)
    assert everything.marked == ("1", "2")
    assert late_versions(directory.migrations, {"2", "R__views"}) == ("1",)
