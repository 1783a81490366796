"""Keys of tokens: JSON Web Keys and their names, against the standards and another library."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from joserfc import jwk as jose_keys
from joserfc import jwt as jose_jwt

from crypto.errors import KeyRefused, TokenError
from crypto.jose import (
    JwtSigner,
    gm_public_jwk,
    half_hash,
    key_from_jwk,
    public_jwk,
    thumbprint_kid,
)
from crypto.suites import ED25519, ES256, PS256, RS256, KeyKind, Suite
from tests.crypto.authority import Authority
from tests.crypto.tokens import CLAIMS, b64, judge, key_of, signed

# --- keys --------------------------------------------------------------------------------------------------------


def test_the_thumbprint_is_that_of_rfc_7638() -> None:
    """RFC 7638 3.1."""
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
        "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
        "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
        "nqDKgw"
    )

    assert thumbprint_kid(key_from_jwk({"kty": "RSA", "n": n, "e": "AQAB"})) == (
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    )


def test_an_ed25519_key_and_signature_are_those_of_rfc_8037() -> None:
    """RFC 8037 A.2 to A.5."""
    key = key_from_jwk({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    signed_part, value = (
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    )

    assert thumbprint_kid(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert key.verify(ED25519, signed_part.encode(), base64.urlsafe_b64decode(value + "=="))


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("suite", [PS256, ED25519], ids=lambda suite: suite.name)
def test_other_libraries_and_ours_judge_each_other(authorities: Mapping[str, Authority], suite: Suite) -> None:
    signer = key_of(authorities[suite.name])
    token = JwtSigner(signer, "k1").sign(CLAIMS)
    theirs = jose_keys.import_key(dict(public_jwk(signer.public_key, "k1", suite)))

    assert judge(token, signer) == CLAIMS
    assert jose_jwt.decode(token, theirs, algorithms=[suite.jose]).claims == CLAIMS
    for other in (RS256, ES256):
        with pytest.raises(TokenError, match="algorithm"):
            judge(token, signer, suites=(other,))
    with pytest.raises(TokenError, match="signature"):
        judge(token.rsplit(".", 1)[0] + "." + b64(bytes(64)), signer)


def test_the_newer_name_of_ed25519_is_read(authorities: Mapping[str, Authority]) -> None:
    """RFC 9864 2.2."""
    signer = key_of(authorities[ED25519.name])
    text = f"{b64(json.dumps({'alg': 'Ed25519', 'kid': 'k1', 'typ': 'JWT'}))}.{b64(json.dumps(CLAIMS))}"

    assert judge(f"{text}.{b64(signer.sign(text.encode()))}", signer) == CLAIMS
    with pytest.raises(TokenError, match="algorithm"):
        judge(signed(signer, alg="Ed448"), signer)


def test_one_rsa_key_signs_only_by_the_scheme_that_is_allowed(rsa: Authority) -> None:
    signer = key_of(rsa)

    with pytest.raises(TokenError, match="signature"):
        judge(signed(signer, alg="PS256"), signer, suites=(PS256,))


def test_keys_go_round_through_jwk_and_agree_with_joserfc(authorities: Mapping[str, Authority]) -> None:
    for authority in (authorities[suite.name] for suite in (ES256, RS256, ED25519)):
        key = key_of(authority).public_key
        written = public_jwk(key, "k1")

        assert key_from_jwk(written) == key
        assert jose_keys.import_key(dict(written)).thumbprint() == thumbprint_kid(key)
        assert written["use"] == "sig"
        assert written["alg"] == authority.suite.jose


def test_an_sm2_key_stays_out_of_the_standard_key_set(sm2: Authority, p256: Authority) -> None:
    with pytest.raises(KeyRefused):
        public_jwk(key_of(sm2).public_key, "k1")
    with pytest.raises(KeyRefused):
        gm_public_jwk(key_of(p256).public_key, "k1")
    written = gm_public_jwk(key_of(sm2).public_key, thumbprint_kid(key_of(sm2).public_key))
    assert (written["kty"], written["crv"], written["alg"]) == ("EC", "SM2-P-256", "SGD_SM3_SM2")


POINT = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
"""The public half of RFC 7515 A.3."""


def test_the_public_key_of_rfc_7515_is_read() -> None:
    assert key_from_jwk(POINT).kind is KeyKind.P256


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "oct", "k": "AAAA"},
        POINT | {"d": "AAAA"},
        POINT | {"use": "enc"},
        POINT | {"crv": "P-384"},
        POINT | {"y": "AAAA"},
        POINT | {"y": POINT["x"]},
        POINT | {"x": "é"},
        {"kty": "RSA", "n": b64(b"\xff" * 128), "e": "AQAB"},
        {"kty": "RSA", "n": 5, "e": "AQAB"},
        {"kty": "EC", "crv": "SM2-P-256", "x": "AAAA", "y": "AAAA"},
    ],
    ids=[
        "nothing",
        "symmetric",
        "private",
        "encryption",
        "another curve",
        "short",
        "off the curve",
        "no base64url",
        "1024 bits",
        "a number",
        "SM2",
    ],
)
def test_keys_that_are_private_weak_or_broken_are_refused(jwk: dict[str, Any]) -> None:
    with pytest.raises(KeyRefused):
        key_from_jwk(jwk)


def test_half_hashes_are_those_of_openid_connect() -> None:
    """The example of OpenID Connect Core A.3 with its access token."""
    assert half_hash(RS256, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y") == "77QmUPtjPfzWtF2AnpK9RQ"
