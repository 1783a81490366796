"""The table of suites: what its rows say holds together, and holds against what others compute."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from crypto import der
from crypto.digests import DIGESTS
from crypto.issuing import algorithm_identifier
from crypto.keys import PublicKey
from crypto.signatures import scheme_of
from crypto.suites import (
    ED25519,
    ES256,
    MGF1_OID,
    PS256,
    RS256,
    SM2_SM3,
    SUITE_OF_KEY,
    SUITES,
    SUITES_BY_COSE,
    SUITES_BY_JOSE,
    SUITES_BY_SIGNATURE_OID,
    KeyKind,
    Suite,
    Usage,
)
from tests.crypto.authority import Authority

EVERY = pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
# RFC 8032 7.1, test 2: a message of one octet.
ED25519_KEY = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
ED25519_SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def _ed25519() -> PublicKey:
    return PublicKey.from_spki(der.sequence(der.sequence(der.oid(ED25519.key_oid)), der.bit_string(ED25519_KEY)))


def test_no_two_suites_share_a_name() -> None:
    assert len(SUITES_BY_JOSE) == len(SUITES)
    assert {suite.jose: suite.cose for suite in SUITES.values()} == {
        "SGD_SM3_SM2": -65602,
        "ES256": -7,
        "RS256": None,
        "PS256": -37,
        "EdDSA": -8,
    }
    assert set(SUITES_BY_COSE) == {-7, -8, -37, -65602}


def test_a_key_signs_with_the_first_row_of_its_kind() -> None:
    assert SUITE_OF_KEY[KeyKind.RSA] is RS256
    assert SUITE_OF_KEY[KeyKind.ED25519] is ED25519


def test_an_identifier_that_needs_its_parameters_names_no_suite_alone() -> None:
    assert PS256.signature_oid not in SUITES_BY_SIGNATURE_OID
    assert SUITES_BY_SIGNATURE_OID[RS256.signature_oid] is RS256


def test_only_sm2_signs_seals_and_only_what_has_a_cose_number_signs_codes() -> None:
    assert [suite for suite in SUITES.values() if Usage.SEAL in suite.usages] == [SM2_SM3]
    assert all((Usage.CODE in suite.usages) == (suite.cose is not None) for suite in SUITES.values())


def test_new_rsa_keys_have_3072_bits_at_least() -> None:
    assert all(suite.key_bits >= 3072 for suite in SUITES.values() if suite.key_bits is not None)
    assert all((suite.key_bits is not None) == (suite.key is KeyKind.RSA) for suite in SUITES.values())


@EVERY
def test_what_a_suite_writes_as_its_algorithm_is_read_as_that(suite: Suite) -> None:
    scheme = scheme_of(der.parse(algorithm_identifier(suite)))
    assert scheme is not None
    assert suite.key in scheme.keys
    assert scheme.digest is (None if suite.whole_message else suite.digest)
    assert (scheme.pss and scheme.pss.salt_size) == suite.pss_salt
    assert not scheme.weak


def test_a_ps256_signature_is_pss_with_a_salt_of_32_octets(authorities: Mapping[str, Authority]) -> None:
    signer = authorities[PS256.name].signer.signer
    key = load_der_public_key(signer.public_key.spki)
    assert isinstance(key, rsa.RSAPublicKey)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    key.verify(signer.sign(b"message"), b"message", pss, hashes.SHA256())
    with pytest.raises(InvalidSignature):
        key.verify(signer.sign(b"message"), b"message", padding.PKCS1v15(), hashes.SHA256())


def test_the_two_rsa_suites_refuse_each_other_s_signatures(authorities: Mapping[str, Authority]) -> None:
    for mine, other in ((PS256, RS256), (RS256, PS256)):
        signer = authorities[mine.name].signer.signer
        assert not signer.public_key.verify(other, b"message", signer.sign(b"message"))


def test_an_ed25519_signature_is_that_of_rfc_8032(authorities: Mapping[str, Authority]) -> None:
    key = _ed25519()
    assert key.verify(ED25519, b"\x72", ED25519_SIGNATURE)
    assert not key.verify(ED25519, b"\x73", ED25519_SIGNATURE)
    assert not key.verify(ES256, b"\x72", ED25519_SIGNATURE)
    signer = authorities[ED25519.name].signer.signer
    judge = load_der_public_key(signer.public_key.spki)
    assert isinstance(judge, Ed25519PublicKey)
    judge.verify(signer.sign(b"message"), b"message")


@pytest.mark.parametrize("size", [0, 1, 63, 65])
def test_an_ed25519_signature_of_another_size_is_bad(size: int) -> None:
    assert not _ed25519().verify(ED25519, b"\x72", (ED25519_SIGNATURE * 2)[:size])


ROOT = Path(__file__).parents[2]
TABLES = {f"crypto/{name}.py" for name in ("suites", "digests", "signatures")}


def test_no_algorithm_is_named_outside_the_tables() -> None:
    names = {
        oid for suite in SUITES.values() for oid in (suite.signature_oid, suite.key_oid, suite.curve_oid, MGF1_OID)
    }
    names |= {oid for suite in SUITES.values() for oid in suite.aliases}
    names |= {oid for digest in DIGESTS for oid in (digest.oid, *digest.aliases)}
    names |= {suite.jose for suite in SUITES.values()} - {suite.name for suite in SUITES.values()}
    floors = ("crypto", "kernel", "seal", "license_store", "idp", "admin")
    files = [path for floor in floors for path in (ROOT / floor).rglob("*.py")]
    assert len(files) > 200
    named = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        if str(path.relative_to(ROOT)) not in TABLES
        for text in [path.read_text(encoding="utf-8")]
        for name in names
        if name is not None and f'"{name}"' in text
    }
    assert named == set()
