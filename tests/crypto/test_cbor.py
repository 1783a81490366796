"""CBOR: one value, one spelling; vectors of RFC 8949 appendix A."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crypto.cbor import MAX_DEPTH, MAX_SIZE, Tag, decode, encode
from crypto.errors import CborError

VECTORS: list[tuple[Any, str]] = [
    (0, "00"),
    (23, "17"),
    (24, "1818"),
    (100, "1864"),
    (1000, "1903e8"),
    (1000000, "1a000f4240"),
    (1000000000000, "1b000000e8d4a51000"),
    (18446744073709551615, "1bffffffffffffffff"),
    (-18446744073709551616, "3bffffffffffffffff"),
    (-1, "20"),
    (-100, "3863"),
    (-1000, "3903e7"),
    (False, "f4"),
    (True, "f5"),
    (None, "f6"),
    (b"", "40"),
    (b"\x01\x02\x03\x04", "4401020304"),
    ("", "60"),
    ("IETF", "6449455446"),
    ("水", "63e6b0b4"),
    ([], "80"),
    ([1, [2, 3], [4, 5]], "8301820203820405"),
    (list(range(1, 26)), "98190102030405060708090a0b0c0d0e0f101112131415161718181819"),
    ({}, "a0"),
    ({1: 2, 3: 4}, "a201020304"),
    ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
    (["a", {"b": "c"}], "826161a161626163"),
    (Tag(1, 1363896240), "c11a514b67b0"),
    (Tag(23, b"\x01\x02\x03\x04"), "d74401020304"),
    # RFC 8949 4.2.1: the order of keys by their written octets.
    ({10: 0, 100: 0, -1: 0, "z": 0, "aa": 0}, "a50a00186400200 0617a00626161 00".replace(" ", "")),
]


@pytest.mark.parametrize(("value", "octets"), VECTORS, ids=[octets for _, octets in VECTORS])
def test_values_are_written_and_read_as_the_rfc_does(value: Any, octets: str) -> None:
    assert encode(value).hex() == octets
    read = decode(bytes.fromhex(octets))
    assert read == value
    assert type(read) is type(value)


def test_a_map_is_written_in_one_order_whatever_order_it_was_made_in() -> None:
    assert encode({"b": 1, "a": 2}) == encode({"a": 2, "b": 1})


@pytest.mark.parametrize(
    "octets",
    [
        "",  # nothing
        "0000",  # two values
        "1817",  # 23 in two octets
        "190018",  # 24 in three
        "1a0000ffff",
        "1b00000000ffffffff",
        "3800",
        "5800",
        "5803010203",
        "7800",
        "9800",
        "b800",
        "d801f6",
        "5f4101ff",  # indefinite octets
        "7f6161ff",
        "9fff",
        "bfff",
        "ff",
        "1c",  # reserved
        "f93c00",  # floats
        "fa47c35000",
        "fb3ff199999999999a",
        "f7",  # undefined
        "f0",  # unassigned
        "f818",
        "e0",
        "a201010101",  # a repeated key
        "a202010101",  # out of order
        "a161610061",
        "a1f500",  # a key that is true
        "a18000",
        "a1f600",
        "a1c10100",
        "61ff",  # no UTF-8
        "62c328",
        "63eda080",  # half a surrogate pair
        "44010203",  # cut short
        "820 1".replace(" ", ""),
        "a101",
        "9bffffffffffffffff",
        "bb7fffffffffffffff",
        "5bffffffffffffffff",
        "19ff",
        "c1",
    ],
)
def test_any_other_spelling_is_refused(octets: str) -> None:
    with pytest.raises(CborError):
        decode(bytes.fromhex(octets))


@pytest.mark.parametrize("value", [1.5, float("nan"), object(), {1.5: 0}, {True: 0}, {None: 0}, {(1,): 0}, {1, 2}])
def test_what_has_no_form_here_is_not_written(value: Any) -> None:
    with pytest.raises(CborError):
        encode([value])


@pytest.mark.parametrize("value", [1 << 64, -(1 << 64) - 1, Tag(-1, 0), Tag(1 << 64, 0), "\ud800", {"\udc00": 1}])
def test_what_does_not_fit_is_not_written(value: Any) -> None:
    with pytest.raises(CborError):
        encode(value)


def test_depth_and_size_are_bounded_both_ways() -> None:
    deep: list[Any] = []
    for _ in range(MAX_DEPTH + 1):
        deep = [deep]
    endless: list[Any] = []
    endless.append(endless)
    for value in (deep, endless):
        with pytest.raises(CborError, match="deeper"):
            encode(value)
    for rubbish in (b"\x81" * MAX_SIZE, b"\xc1" * MAX_SIZE, b"\xa1" * 50, b"\xa1\x00" * 50):
        with pytest.raises(CborError, match="deeper"):
            decode(rubbish)
    with pytest.raises(CborError, match="allowed"):
        decode(b"\x00" * (MAX_SIZE + 1))
    assert decode(encode(deep[0])) == deep[0]


LEAVES = st.one_of(
    st.integers(-(1 << 64), (1 << 64) - 1), st.binary(max_size=40), st.text(max_size=20), st.booleans(), st.none()
)
KEYS = st.one_of(st.integers(-(1 << 64), (1 << 64) - 1), st.binary(max_size=9), st.text(max_size=9))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(KEYS, inner, max_size=5),
        st.builds(Tag, st.integers(0, (1 << 64) - 1), inner),
    ),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert decode(encode(value)) == value


@given(st.binary(max_size=200))
@example(b"\xd2\x84\x43\xa1\x01\x26\xa0\x40\x40")
def test_any_octets_are_the_one_spelling_of_a_value_or_refused(octets: bytes) -> None:
    try:
        value = decode(octets)
    except CborError:
        return
    assert encode(value) == octets
