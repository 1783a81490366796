"""Logs: one JSON object a line, and nobody's personal data in any of them."""

import json
import logging
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from hypothesis import given
from hypothesis import strategies as st

from kernel.db import Database
from kernel.logs import DROPPED, MASKED, mask, redact

# Invented: the right shape, no person's.
IDENTITY, PHONE, MAIL = "440301199901011234", "13912345678", "zhang.san@example.com"
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


def test_a_line_is_one_json_object_with_time_level_and_chinese_as_it_is(lines: Any) -> None:
    structlog.get_logger("xinyin.test").info("签章完成", pages=3)
    (row,) = lines.rows()
    assert row.items() >= {"event": "签章完成", "pages": 3, "level": "info", "logger": "xinyin.test"}.items()
    assert row["timestamp"].endswith("Z")
    assert "签章完成" in lines.getvalue()


def test_personal_keys_are_dropped_however_they_are_written_and_however_deep(lines: Any) -> None:
    structlog.get_logger().info(
        "x", id_number="a", idNumber="b", **{"X": {"list": [{"Pass-Word": "c", "real_name": "d"}]}, "Set-Cookie": "e"}
    )
    (row,) = lines.rows()
    assert (row["id_number"], row["idNumber"], row["Set-Cookie"]) == (DROPPED,) * 3
    assert row["X"] == {"list": [{"Pass-Word": DROPPED, "real_name": DROPPED}]}


@pytest.mark.parametrize("secret", [IDENTITY, IDENTITY[:-1] + "X", PHONE, f"+86 {PHONE}", MAIL, TOKEN])
@pytest.mark.parametrize("around", ["{}", "证件{}号", "a={}&b=1", "({}),", "/path/{}?x"])
def test_what_looks_personal_is_masked_inside_any_text(secret: str, around: str) -> None:
    text = around.format(secret)
    assert mask(text) == around.format(MASKED)


@pytest.mark.parametrize(
    "text", ["44030000000001", "2026-11-22T08:00:00Z", "a" * 64, "1763798400", "10.0.0.1", "0" * 64]
)
def test_what_is_not_personal_stays(text: str) -> None:
    assert mask(text) == text


def test_personal_data_given_as_numbers_octets_or_objects_does_not_come_through(lines: Any) -> None:
    class Holder:
        def __repr__(self) -> str:
            return f"Holder({PHONE})"

    structlog.get_logger().info(f"for {IDENTITY}", a=int(IDENTITY), b=PHONE.encode(), c=Holder(), d={PHONE: 1}, e=3.5)
    (row,) = lines.rows()
    assert (row["a"], row["b"], row["e"]) == (MASKED, DROPPED, 3.5)
    assert IDENTITY not in lines.getvalue()
    assert PHONE not in lines.getvalue()


def test_an_exception_is_written_with_its_stack_without_variables_or_personal_data(lines: Any) -> None:
    def fail(holder: str) -> None:
        password = "open sesame"
        raise ValueError(f"no licence for {holder}{password[:0]}")

    try:
        fail(IDENTITY)
    except ValueError:
        structlog.get_logger().exception("failed")
    (row,) = lines.rows()
    assert "in fail" in row["exception"]
    assert f"no licence for {MASKED}" in row["exception"]
    assert "open sesame" not in lines.getvalue().replace('password = "open sesame"', "")


def test_a_row_that_the_database_refused_is_not_quoted(database: Database, lines: Any) -> None:
    people = sa.Table("people", sa.MetaData(), sa.Column("called", sa.Text, sa.CheckConstraint("length(called) < 9")))
    with database.begin() as conn:
        people.create(conn)
    try:
        with database.begin() as conn:
            conn.execute(sa.insert(people).values(called="欧阳 某某\n的 秘密"))
    except sa.exc.IntegrityError:
        structlog.get_logger().exception("failed")
    (row,) = lines.rows()
    assert "in test_a_row" in row["exception"]
    assert "IntegrityError" in row["exception"]
    assert "[SQL: INSERT INTO people" in row["exception"]
    for part in ("欧阳", "秘密"):
        assert part not in row["exception"].replace('values(called="欧阳 某某\\n的 秘密")', "")


def test_other_libraries_lines_pass_the_same_way(lines: Any) -> None:
    logging.getLogger("somebody").warning("call %s", PHONE)
    (row,) = lines.rows()
    assert row.items() >= {"event": f"call {MASKED}", "level": "warning", "logger": "somebody"}.items()


def test_servers_lines_with_whole_urls_are_silenced(lines: Any) -> None:
    logging.getLogger("uvicorn.access").info("GET /x?phone=1")
    assert lines.rows() == []


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=20,
    )
)
def test_whatever_is_logged_can_be_written_and_a_seeded_identity_never_is(value: Any) -> None:
    event = redact(None, "info", {"event": "x", "fact": [value, {"deep": {"deeper": IDENTITY, "n": int(PHONE)}}]})
    text = json.dumps(event, default=str)
    assert IDENTITY not in text
    assert PHONE not in text
