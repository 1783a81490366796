"""Tokens: signed through a vault, judged strictly, cross-checked with two other libraries."""

import base64
import hmac
import json
import time
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import rsa as rsa_keys
from gmssl import sm2 as gmssl_sm2
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk as jose_keys
from joserfc import jwt as jose_jwt

from crypto import der
from crypto.errors import KeyRefused, TokenError
from crypto.jose import (
    JwtSigner,
    gm_public_jwk,
    half_hash,
    key_from_jwk,
    public_jwk,
    thumbprint_kid,
    verify_jwt,
    verify_signature,
)
from crypto.keys import PublicKey, VaultSigner
from crypto.sm2 import message_digest
from crypto.suites import ED25519, ES256, PS256, RS256, SM2_SM3, KeyKind, Suite
from tests.crypto.authority import Authority

ISSUER, AUDIENCE = "https://id.example", "https://seal.example"
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
CLAIMS: dict[str, Any] = {"iss": ISSUER, "aud": AUDIENCE, "sub": "张三", "iat": AT, "exp": AT + 300}


def b64(data: bytes | str) -> str:
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else data.encode()).rstrip(b"=").decode()


def key_of(authority: Authority) -> VaultSigner:
    return authority.key("tokens")


def signed(signer: VaultSigner, claims: Mapping[str, Any] | str = CLAIMS, **header: Any) -> str:
    """A token made by hand, with any header members; None takes one out."""
    members = {"alg": signer.suite.jose, "kid": "k1", "typ": "JWT"} | header
    head = json.dumps({name: value for name, value in members.items() if value is not None})
    body = claims if isinstance(claims, str) else json.dumps(claims)
    text = f"{b64(head)}.{b64(body)}"
    return f"{text}.{b64(raw_value(signer, text.encode()))}"


def raw_value(signer: VaultSigner, message: bytes) -> bytes:
    value = signer.sign(message)
    if signer.suite.raw_size is None:
        return value
    return b"".join(member.as_int().to_bytes(32, "big") for member in der.parse(value))


def judge(token: str, signer: VaultSigner, **changes: Any) -> Mapping[str, Any]:
    asked: dict[str, Any] = {
        "keys": {"k1": signer.public_key},
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "typ": "JWT",
        "at": NOW,
        "suites": (signer.suite,),
    }
    return verify_jwt(token, **(asked | changes))


# --- good tokens -------------------------------------------------------------------------------------------------


def test_what_is_signed_is_believed(authority: Authority) -> None:
    signer = key_of(authority)

    assert judge(JwtSigner(signer, "k1").sign(CLAIMS), signer) == CLAIMS


def test_the_header_says_algorithm_key_and_type(p256: Authority) -> None:
    header = JwtSigner(key_of(p256), "k1").sign(CLAIMS, typ="at+jwt").split(".")[0]

    assert json.loads(base64.urlsafe_b64decode(header + "==")) == {"alg": "ES256", "kid": "k1", "typ": "at+jwt"}


def test_a_media_type_may_be_written_whole_and_in_any_case(p256: Authority) -> None:
    signer = key_of(p256)

    assert judge(signed(signer, typ="application/AT+JWT"), signer, typ="at+jwt")


def test_one_audience_among_several_is_enough(p256: Authority) -> None:
    signer = key_of(p256)

    assert judge(signed(signer, CLAIMS | {"aud": ["other", AUDIENCE]}), signer)


def test_clocks_may_be_a_minute_apart(p256: Authority) -> None:
    signer = key_of(p256)
    token = signed(signer)

    assert judge(token, signer, at=NOW - timedelta(seconds=60))
    assert judge(token, signer, at=NOW + timedelta(seconds=359))


def test_a_token_without_kid_is_judged_by_the_only_key(p256: Authority) -> None:
    signer = key_of(p256)

    assert judge(signed(signer, kid=None), signer)
    with pytest.raises(TokenError, match="no key"):
        judge(signed(signer, kid=None), signer, keys={"k1": signer.public_key, "k2": signer.public_key})


def test_an_expired_hint_still_has_a_signature(p256: Authority) -> None:
    signer = key_of(p256)
    token = signed(signer, CLAIMS | {"exp": AT - 10_000})

    assert verify_signature(token, keys={"k1": signer.public_key}, typ="JWT")["sub"] == "张三"
    with pytest.raises(TokenError, match="expired"):
        judge(token, signer)


# --- tokens that must not be believed ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": [ISSUER]}, "issuer"),
        ({"aud": "other"}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": {AUDIENCE: 1}}, "audience"),
        ({"aud": None}, "audience"),
        ({"exp": AT - 60}, "expired"),
        ({"exp": str(AT + 300)}, "exp is not a time"),
        ({"exp": None}, "exp is not a time"),
        ({"exp": True}, "exp is not a time"),
        ({"exp": 10**400}, "exp is not a time"),
        ({"nbf": AT + 61}, "not valid yet"),
        ({"nbf": "soon"}, "nbf is not a time"),
        ({"iat": AT + 61}, "not valid yet"),
        ({"iat": {}}, "iat is not a time"),
    ],
    ids=str,
)
def test_claims_that_do_not_hold_are_refused(p256: Authority, changes: dict[str, Any], why: str) -> None:
    signer = key_of(p256)

    with pytest.raises(TokenError, match=why):
        judge(signed(signer, CLAIMS | changes), signer)


def test_a_token_without_exp_or_aud_or_iss_is_refused(p256: Authority) -> None:
    signer = key_of(p256)
    for missing in ("exp", "aud", "iss"):
        with pytest.raises(TokenError):
            judge(signed(signer, {name: value for name, value in CLAIMS.items() if name != missing}), signer)


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["b64"], "b64": False},  # CVE-2025-59420
        {"crit": []},
        {"jwk": {"kty": "EC"}},  # CVE-2026-27962
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["AAAA"]},
        {"zip": "DEF"},
        {"enc": "A128GCM"},
        {"kid": "k2"},
        {"kid": 1},
        {"kid": ["k1"]},
        {"kid": {"k1": 1}},
        {"typ": "at+jwt"},
        {"typ": 7},
        {"alg": "RS256"},
        {"alg": "HS256"},
        {"alg": "none"},  # CVE-2026-28802
        {"alg": "nOnE"},
        {"alg": None},
        {"alg": ["ES256"]},
        {"alg": "SGD_SM3_SM2"},
    ],
    ids=str,
)
def test_dangerous_or_unfit_headers_are_refused(p256: Authority, header: dict[str, Any]) -> None:
    signer = key_of(p256)

    with pytest.raises(TokenError):
        judge(signed(signer, **header), signer)


def test_an_access_token_type_is_never_taken_for_granted(p256: Authority) -> None:
    signer = key_of(p256)

    with pytest.raises(TokenError, match="not of type"):
        judge(signed(signer, typ=None), signer, typ="at+jwt")
    assert judge(signed(signer, typ=None), signer)


def test_a_token_without_signature_is_refused(p256: Authority) -> None:
    signer = key_of(p256)
    head = b64(json.dumps({"alg": "none", "kid": "k1", "typ": "JWT"}))
    body = b64(json.dumps(CLAIMS))
    for token in (f"{head}.{body}.", f"{head}.{body}", signed(signer).rsplit(".", 1)[0] + "."):
        with pytest.raises(TokenError):
            judge(token, signer)


def test_a_public_key_is_never_a_secret(rsa: Authority) -> None:
    signer = key_of(rsa)
    text = f"{b64(json.dumps({'alg': 'HS256', 'kid': 'k1', 'typ': 'JWT'}))}.{b64(json.dumps(CLAIMS))}"
    for secret in (signer.public_key.pem().encode(), signer.public_key.spki):
        with pytest.raises(TokenError, match="algorithm"):
            judge(f"{text}.{b64(hmac.digest(secret, text.encode(), 'sha256'))}", signer)


def test_an_algorithm_that_is_allowed_must_also_fit_the_key(p256: Authority, sm2: Authority) -> None:
    with pytest.raises(TokenError, match="algorithm"):
        judge(signed(key_of(sm2)), key_of(sm2), suites=(ES256,))
    with pytest.raises(TokenError, match="algorithm"):
        judge(signed(key_of(p256), alg="SGD_SM3_SM2"), key_of(p256), suites=(ES256, SM2_SM3))


def test_another_keys_signature_is_refused(authority: Authority) -> None:
    with pytest.raises(TokenError, match="signature"):
        judge(signed(key_of(authority)), authority.root.signer)


@pytest.mark.parametrize("suite", [ES256, SM2_SM3], ids=lambda suite: suite.name)
def test_a_der_value_is_not_a_second_form_of_the_signature(authorities: Mapping[str, Authority], suite: Suite) -> None:
    signer = key_of(authorities[suite.name])
    text = signed(signer).rsplit(".", 1)[0]

    with pytest.raises(TokenError, match="signature"):
        judge(f"{text}.{b64(signer.sign(text.encode()))}", signer)


SPELLINGS: dict[str, Callable[[str], str]] = {
    "padding": lambda token: token + "=",
    "a fourth part": lambda token: token + ".",
    "a blank before": lambda token: " " + token,
    "a newline after": lambda token: token + "\n",
    "a newline within": lambda token: token.replace(".", ".\n", 1),
    "no ASCII in the header": lambda token: token.replace(".", "é.", 1),
    "no ASCII in the payload": lambda token: token.replace(".", ".é", 1),
    "too long": lambda token: token + "A" * 20_000,
    "nothing": lambda _: "",
    "empty parts": lambda _: "..",
    "empty objects": lambda _: "e30.e30.",
}


@pytest.mark.parametrize("change", SPELLINGS.values(), ids=SPELLINGS)
def test_a_token_has_one_spelling(p256: Authority, change: Callable[[str], str]) -> None:
    signer = key_of(p256)

    with pytest.raises(TokenError):
        judge(change(signed(signer)), signer)


def test_stray_bits_after_the_signature_are_refused(p256: Authority) -> None:
    signer = key_of(p256)
    token = signed(signer)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    stray = token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]

    assert base64.urlsafe_b64decode(stray.rsplit(".", 1)[1] + "==") == base64.urlsafe_b64decode(
        token.rsplit(".", 1)[1] + "=="
    )
    with pytest.raises(TokenError):
        judge(stray, signer)


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        '"text"',
        "{",
        "nothing",
        '{"exp": NaN}',
        json.dumps(CLAIMS)[:-1] + ', "iss": "https://id.example"}',
        "[" * 10_000,
    ],
)
def test_a_payload_has_one_reading(p256: Authority, body: str) -> None:
    signer = key_of(p256)

    with pytest.raises(TokenError):
        judge(signed(signer, body), signer)


def test_claims_that_json_cannot_hold_are_not_signed(p256: Authority) -> None:
    maker = JwtSigner(key_of(p256), "k1")
    for claims in ({"exp": float("nan")}, {"exp": NOW}, {"sub": b"x"}):
        with pytest.raises(TokenError):
            maker.sign(claims)


@given(st.text(max_size=300))
def test_any_text_is_refused_and_nothing_else(text: str) -> None:
    with pytest.raises(TokenError):
        verify_signature(text, keys={}, typ="JWT")


@pytest.fixture(scope="session")
def fixed(authorities: Mapping[str, Authority]) -> tuple[str, VaultSigner]:
    signer = key_of(authorities["ES256"])
    return signed(signer), signer


@given(data=st.data())
def test_any_changed_character_is_refused(fixed: tuple[str, VaultSigner], data: st.DataObject) -> None:
    token, signer = fixed
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(max_codepoint=127).filter(lambda character: character != token[at]))

    with pytest.raises(TokenError):
        judge(token[:at] + other + token[at + 1 :], signer)


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


# --- judges ------------------------------------------------------------------------------------------------------


def test_pyjwt_and_joserfc_believe_our_tokens(p256: Authority, rsa: Authority) -> None:
    claims = CLAIMS | {"iat": int(time.time()), "exp": int(time.time()) + 60}
    for authority in (p256, rsa):
        signer = key_of(authority)
        token = JwtSigner(signer, "k1").sign(claims)
        jwk = public_jwk(signer.public_key, "k1")
        alg = authority.suite.jose

        theirs = jwt.decode(token, jwt.PyJWK(jwk).key, algorithms=[alg], audience=AUDIENCE, issuer=ISSUER)
        assert theirs == claims
        assert jose_jwt.decode(token, jose_keys.import_key(dict(jwk)), algorithms=[alg]).claims == claims


def test_we_believe_tokens_of_pyjwt_and_joserfc() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    numbers = private.public_key().public_numbers()
    point = b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    key = PublicKey.from_point(KeyKind.P256, point)
    asked: dict[str, Any] = {"keys": {"k1": key}, "issuer": ISSUER, "audience": AUDIENCE, "typ": "JWT", "at": NOW}

    assert verify_jwt(jwt.encode(CLAIMS, private, "ES256", {"kid": "k1"}), **asked) == CLAIMS
    theirs = jose_keys.ECKey.import_key(private)
    assert verify_jwt(jose_jwt.encode({"alg": "ES256", "kid": "k1"}, CLAIMS, theirs), **asked) == CLAIMS


def test_pyjwts_rsa_tokens_are_believed() -> None:
    private = rsa_keys.generate_private_key(65537, 2048)
    key = key_from_jwk(jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key(), as_dict=True) | {"use": "sig"})

    token = jwt.encode(CLAIMS, private, "RS256", {"kid": "k1"})

    assert verify_signature(token, keys={"k1": key}, typ="JWT", suites=(RS256,)) == CLAIMS


def test_an_sm2_token_is_signed_over_the_digest_with_the_default_identifier(sm2: Authority) -> None:
    signer = key_of(sm2)
    text, value = JwtSigner(signer, "k1").sign(CLAIMS).rsplit(".", 1)
    point = signer.public_key.point
    digest = message_digest(point, text.encode())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = gmssl_sm2.CryptSM2(private_key="", public_key=point[1:].hex())
        assert oracle.verify(base64.urlsafe_b64decode(value + "==").hex(), digest)
