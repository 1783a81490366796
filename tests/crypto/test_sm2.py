"""SM2 around the arithmetic: Z_A, the signed digest, signature encodings, points."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import der, sm2
from crypto.errors import DerError

VECTOR = json.loads((Path(__file__).parents[1] / "vectors/gbt32918_5_a2.json").read_text())
POINT = bytes.fromhex(VECTOR["point"])
RAW = bytes.fromhex(VECTOR["r"] + VECTOR["s"])
IN_RANGE = st.integers(1, sm2.N - 1)


def _raw(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def test_z_and_e_are_those_of_the_standard() -> None:
    assert sm2.z_value(POINT, VECTOR["id"].encode()).hex().upper() == VECTOR["z"]
    assert sm2.message_digest(POINT, VECTOR["message"].encode()).hex().upper() == VECTOR["e"]


def test_another_identifier_signs_another_digest() -> None:
    digests = {sm2.message_digest(POINT, b"m", signer) for signer in (sm2.DEFAULT_ID, b"", b"1", "张三".encode())}
    assert len(digests) == 4


def test_an_identifier_longer_than_its_length_field_is_refused() -> None:
    sm2.z_value(POINT, bytes(8191))
    with pytest.raises(ValueError, match="at most 8191"):
        sm2.z_value(POINT, bytes(8192))


def test_only_a_whole_point_has_a_z() -> None:
    with pytest.raises(ValueError, match="65 octets"):
        sm2.z_value(POINT[1:])


@given(r=IN_RANGE, s=IN_RANGE)
def test_a_signature_survives_der_and_back(r: int, s: int) -> None:
    assert sm2.signature_from_der(sm2.signature_to_der(_raw(r, s))) == _raw(r, s)


@given(r=IN_RANGE, s=IN_RANGE, bit=st.integers(0, 8 * 72 - 1))
def test_no_other_octets_read_as_the_same_signature(r: int, s: int, bit: int) -> None:
    encoded = sm2.signature_to_der(_raw(r, s))
    altered = (int.from_bytes(encoded, "big") ^ 1 << bit % (8 * len(encoded))).to_bytes(len(encoded), "big")
    try:
        assert sm2.signature_from_der(altered) != _raw(r, s)
    except DerError:
        return


@given(st.binary(max_size=80))
def test_reading_never_fails_but_by_refusal(octets: bytes) -> None:
    try:
        assert sm2.signature_to_der(sm2.signature_from_der(octets)) == octets
    except DerError:
        return


@pytest.mark.parametrize(("r", "s"), [(0, 1), (1, 0), (sm2.N, 1), (1, sm2.N), (2**256 - 1, 1)])
def test_values_outside_1_to_n_minus_1_are_refused_both_ways(r: int, s: int) -> None:
    with pytest.raises(DerError):
        sm2.signature_to_der(_raw(r, s))
    with pytest.raises(DerError):
        sm2.signature_from_der(der.sequence(der.integer(r), der.integer(s)))


ENCODED = sm2.signature_to_der(RAW)
PADDED = der.tlv(der.INTEGER, bytes(2) + RAW[:32])


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param(b"", id="empty"),
        pytest.param(ENCODED + b"\x00", id="trailing octet"),
        pytest.param(ENCODED[:-1], id="cut short"),
        pytest.param(b"\x30\x81" + ENCODED[1:], id="long-form length"),
        pytest.param(der.sequence(PADDED, der.integer(1)), id="padded integer"),
        pytest.param(der.sequence(der.integer(-1), der.integer(1)), id="negative"),
        pytest.param(der.sequence(der.integer(1)), id="one value"),
        pytest.param(der.sequence(*[der.integer(1)] * 3), id="three values"),
        pytest.param(der.tlv(der.SET, der.integer(1), der.integer(1)), id="a set"),
        pytest.param(der.sequence(der.octet_string(b"\x01"), der.integer(1)), id="no integer"),
        pytest.param(b"\x02\x01\x01", id="no structure"),
    ],
)
def test_anything_but_the_one_encoding_is_refused(encoded: bytes) -> None:
    with pytest.raises(DerError):
        sm2.signature_from_der(encoded)


@pytest.mark.parametrize("size", [0, 63, 65, 128])
def test_a_raw_signature_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(DerError):
        sm2.signature_to_der(b"\x01" * size)


def test_points_are_on_the_curve_or_not() -> None:
    assert sm2.on_curve(POINT)
    assert sm2.on_curve(b"\x04" + sm2.GX.to_bytes(32, "big") + sm2.GY.to_bytes(32, "big"))
    assert not sm2.on_curve(POINT[:-1] + b"\x00")


def test_a_coordinate_that_is_not_reduced_is_no_point() -> None:
    # x = 0 has a point on this curve; x = p is the same number modulo p and would be a second encoding of it.
    y = pow(sm2.B, (sm2.P + 1) // 4, sm2.P).to_bytes(32, "big")
    assert sm2.on_curve(b"\x04" + bytes(32) + y)
    assert not sm2.on_curve(b"\x04" + sm2.P.to_bytes(32, "big") + y)
