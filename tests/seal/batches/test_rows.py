"""Tables of rows, and the names of files: neither needs a database."""

import pytest

from seal.batches.results import safe_name
from seal.batches.rows import BatchTableUnreadable, read_rows


def test_a_table_is_read_with_or_without_a_byte_order_mark() -> None:
    table = '姓名, 事项\r\n张三,"甲,""乙"""\r\n\r\n,\r\n李四,\r\n'
    rows = [{"姓名": "张三", "事项": '甲,"乙"'}, {"姓名": "李四", "事项": ""}]
    assert read_rows(table.encode(), 2) == rows
    assert read_rows(table.encode("utf-8-sig"), 2) == rows
    with pytest.raises(BatchTableUnreadable, match="more than 1 rows"):
        read_rows(table.encode(), 1)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("姓名\n张三\n".encode("gb18030"), "CSV UTF-8"),
        ("姓名\n张三\n".encode("utf-16"), "CSV UTF-8"),
        (b"PK\x03\x04...", "workbook"),
        (b"a,b\n1,2\n1\n", "Line 3 has 1 cells"),
        (b"a,b\n1,2,3\n", "Line 2 has 3 cells"),
        (b'a\n"1\n', "quotation mark"),
        (b"a\n" + b"1" * 200_000, "longer"),
        (b"a,\n1,2\n", "name is missing"),
        (b"a,a\n1,2\n", "the same name"),
        (b"a\n", "no rows"),
        (b"\xef\xbb\xbf", "no rows"),
    ],
)
def test_a_table_that_cannot_be_read_is_told_why(table: bytes, told: str) -> None:
    with pytest.raises(BatchTableUnreadable, match=told):
        read_rows(table, 10)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("张三（二）", "张三（二）"),
        ("../../etc/passwd", "etc_passwd"),
        ("a\\b:c*?|\r\n", "a_b_c"),
        ("con", "_con"),
        ("COM1.txt", "_COM1.txt"),
        (".", ""),
        ("\u202e甲", "甲"),
        ("国" * 100, "国" * 60),
    ],
)
def test_names_of_files_are_harmless_on_every_system(text: str, name: str) -> None:
    assert safe_name(text) == name
