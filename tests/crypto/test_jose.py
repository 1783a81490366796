"""Tokens: signed through a vault, judged strictly."""

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import TokenError
from crypto.jose import (
    JwtSigner,
    verify_signature,
)
from crypto.keys import VaultSigner
from crypto.suites import ES256, SM2_SM3, Suite
from tests.crypto.authority import Authority
from tests.crypto.tokens import AT, AUDIENCE, CLAIMS, ISSUER, NOW, b64, judge, key_of, signed

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
