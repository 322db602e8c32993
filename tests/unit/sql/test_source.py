"""What is read as text, and what is refused because it would be lost or misread."""

from __future__ import annotations

from pathlib import Path

import pytest

from confiture_flows.errors import MigrationFileError
from confiture_flows.sql.source import decode_source, read_source

PATH = Path("0001_users.up.sql")


def test_byte_order_mark_is_stripped() -> None:
    assert decode_source(b"\xef\xbb\xbfSELECT 1;\n", PATH) == "SELECT 1;\n"


def test_windows_line_ends_stay() -> None:
    assert decode_source(b"SELECT 1;\r\nSELECT 2;\r\n", PATH) == "SELECT 1;\r\nSELECT 2;\r\n"


def test_utf8_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "0001_é.sql"
    path.write_bytes("SELECT 'héé 🐘';".encode())

    assert read_source(path) == "SELECT 'héé 🐘';"


@pytest.mark.parametrize(
    ("data", "message", "line"),
    [
        pytest.param(b"SELECT 1;\n\nSELECT\0 2;", r"NUL byte \(offset 17\)", 3, id="nul"),
        pytest.param(b"\xef\xbb\xbf\r\n\0", r"NUL byte \(offset 5\)", 2, id="nul_after_mark"),
        pytest.param(b"-- a\nSELECT 'caf\xe9';", "byte 0xe9 at offset 16", 2, id="latin1"),
        pytest.param(b"\xef\xbb\xbf-- \xe9", "byte 0xe9 at offset 6", 1, id="latin1_after_mark"),
        pytest.param("SELECT 1;".encode("utf-16"), "UTF-16, not UTF-8", 1, id="utf16"),
        pytest.param(b"\xfe\xff\0S", "UTF-16, not UTF-8", 1, id="utf16_big_endian"),
        pytest.param("SELECT".encode("utf-16-le"), "NUL byte", 1, id="utf16_without_mark"),
    ],
)
def test_bytes_that_would_be_misread_are_refused_by_line(
    data: bytes, message: str, line: int
) -> None:
    with pytest.raises(MigrationFileError, match=message) as caught:
        decode_source(data, PATH)

    assert (caught.value.file, caught.value.line) == (PATH, line)
    assert caught.value.next_step


def test_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gone.sql"

    with pytest.raises(MigrationFileError, match="No such file") as caught:
        read_source(path)

    assert caught.value.file == path


def test_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MigrationFileError, match="Is a directory"):
        read_source(tmp_path)
