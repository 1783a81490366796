"""Client assertions: a client proves its key to us, once, now."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.assertions import claimed_client, verify_client_assertion
from crypto.errors import TokenError
from crypto.jose import JwtSigner
from crypto.keys import VaultSigner
from crypto.suites import ED25519, ES256, PS256, RS256, SM2_SM3
from tests.crypto.authority import Authority

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
ISSUER, ENDPOINT, CLIENT = "https://id.example", "https://id.example/oauth2/token", "department"
CLAIMS: dict[str, Any] = {"iss": CLIENT, "sub": CLIENT, "aud": ISSUER, "jti": "j1", "iat": AT, "exp": AT + 300}


class Seen:
    """Remembers in memory."""

    def __init__(self) -> None:
        self.until: dict[str, datetime] = {}

    def __call__(self, jti: str, until: datetime) -> bool:
        return self.until.setdefault(jti, until) is until


def judge(assertion: str, signer: VaultSigner, **changes: Any) -> Mapping[str, Any]:
    asked: dict[str, Any] = {
        "client_id": CLIENT,
        "keys": {"k1": signer.public_key},
        "issuer": ISSUER,
        "at": NOW,
        "first_use": Seen(),
    }
    return verify_client_assertion(assertion, **(asked | changes))


def made(signer: VaultSigner, typ: str = "JWT", **changes: Any) -> str:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return JwtSigner(signer, "k1").sign(claims, typ=typ)


@pytest.mark.parametrize("suite", [ES256, PS256, ED25519], ids=lambda suite: suite.name)
def test_a_good_assertion_is_good_once(authorities: Mapping[str, Authority], suite: Any) -> None:
    signer, seen = authorities[suite.name].key("tokens"), Seen()

    assert judge(made(signer), signer, first_use=seen) == CLAIMS
    assert seen.until == {"j1": NOW + timedelta(seconds=360)}
    with pytest.raises(TokenError, match="used before"):
        judge(made(signer), signer, first_use=seen)


@pytest.mark.parametrize("suite", [PS256, ED25519], ids=lambda suite: suite.name)
def test_another_library_reads_what_is_signed(authorities: Mapping[str, Authority], suite: Any) -> None:
    signer = authorities[suite.name].key("tokens")
    read = jwt.decode(
        made(signer),
        signer.public_key.pem(),
        [suite.jose],
        audience=ISSUER,
        options={"verify_exp": False, "verify_iat": False},
    )

    assert read == CLAIMS


def test_the_type_for_assertions_is_taken_and_others_are_not(p256: Authority) -> None:
    signer = p256.key("tokens")

    assert judge(made(signer, "client-authentication+jwt"), signer)
    for typ in ("at+jwt", "logout+jwt", "dpop+jwt"):
        with pytest.raises(TokenError, match="type"):
            judge(made(signer, typ), signer)


def test_the_token_endpoint_is_an_audience_only_where_that_is_wanted(p256: Authority) -> None:
    signer = p256.key("tokens")

    assert judge(made(signer, aud=ENDPOINT), signer, token_endpoint=ENDPOINT)
    assert judge(made(signer), signer, token_endpoint=ENDPOINT)
    with pytest.raises(TokenError, match="audience"):
        judge(made(signer, aud=ENDPOINT), signer)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "another"}, "own"),
        ({"sub": "another"}, "own"),
        ({"iss": None}, "own"),
        ({"sub": None}, "own"),
        ({"sub": [CLIENT]}, "own"),
        ({"aud": [ISSUER]}, "audience"),
        ({"aud": [ISSUER, "https://evil.example"]}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": ""}, "audience"),
        ({"aud": f"{ISSUER}/"}, "audience"),
        ({"exp": None}, "exp"),
        ({"exp": AT - 60}, "expired"),
        ({"exp": AT + 361}, "five minutes"),
        ({"exp": 253402300799}, "five minutes"),
        ({"exp": 1e308}, "exp"),
        ({"nbf": AT + 61}, "not valid yet"),
        ({"iat": AT + 61}, "not valid yet"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 7}, "jti"),
        ({"jti": "x" * 256}, "jti"),
    ],
    ids=str,
)
def test_an_assertion_that_fails_in_one_thing_is_refused_and_not_remembered(
    p256: Authority, changes: dict[str, Any], why: str
) -> None:
    signer, seen = p256.key("tokens"), Seen()

    with pytest.raises(TokenError, match=why):
        judge(made(signer, **changes), signer, first_use=seen)
    assert seen.until == {}


def test_other_keys_and_algorithms_prove_nothing(authorities: Mapping[str, Authority]) -> None:
    signer = authorities[ES256.name].key("tokens")
    with pytest.raises(TokenError, match="signature"):
        judge(made(authorities[ES256.name].key("other")), signer)
    for suite in (RS256, SM2_SM3):
        weak = authorities[suite.name].key("tokens")
        with pytest.raises(TokenError, match="algorithm"):
            judge(made(weak), weak)
    pss = authorities[PS256.name].key("tokens")
    with pytest.raises(TokenError, match="algorithm"):
        judge(made(pss), pss, suites=(ES256, RS256))


def test_the_claimed_client_is_read_from_a_well_formed_assertion_only(p256: Authority) -> None:
    signer = p256.key("tokens")

    assert claimed_client(made(signer)) == CLIENT
    for bad in ("", "a.b", "e30.e30.e30", "e30.W10.e30", made(signer, sub=5), made(signer, sub=None)):
        with pytest.raises(TokenError):
            claimed_client(bad)


@given(st.text(max_size=100) | st.binary(max_size=60).map(bytes.hex))
def test_any_text_is_refused_and_nothing_else(text: str) -> None:
    with pytest.raises(TokenError):
        claimed_client(text)
    with pytest.raises(TokenError):
        verify_client_assertion(text, client_id=CLIENT, keys={}, issuer=ISSUER, at=NOW, first_use=Seen())
