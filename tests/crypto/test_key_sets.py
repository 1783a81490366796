"""Key sets: rotation keeps every good token good, and what others publish is read with care."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import KeySet

from crypto.errors import KeyRefused
from crypto.jose import JwtSigner, verify_jwt
from crypto.jwk import gm_public_jwk, public_jwk, thumbprint_kid
from crypto.key_sets import (
    MAX_KEYS,
    Stage,
    TokenKeys,
    announce,
    first,
    forget,
    read_gm_key_set,
    read_key_set,
    rotate,
    withdraw,
)
from crypto.keys import VaultSigner
from crypto.suites import ED25519, ES256, PS256, SM2_SM3, Suite
from tests.crypto.authority import Authority

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def begin(signer: VaultSigner) -> TokenKeys:
    return first(signer.public_key, signer.suite, at=NOW)


def rotated(old: VaultSigner, new: VaultSigner) -> TokenKeys:
    keys = announce(begin(old), new.public_key, new.suite, at=NOW)
    return rotate(keys, at=NOW + DAY, known_for=DAY)


def believed(keys: TokenKeys, token: str, at: datetime) -> Mapping[str, Any]:
    return verify_jwt(token, keys=keys.trusted, issuer="i", audience="a", typ="JWT", at=at, suites=keys.suites)


def test_a_token_stays_good_through_the_rotation_of_its_key(p256: Authority) -> None:
    old, new = p256.key("old"), p256.key("new")
    claims = {"iss": "i", "aud": "a", "exp": int((NOW + DAY + HOUR).timestamp())}
    token = JwtSigner(old, begin(old).active.kid).sign(claims)
    keys = rotated(old, new)

    assert believed(begin(old), token, NOW) == believed(keys, token, NOW + DAY)
    assert keys.active.public_key == new.public_key
    assert believed(keys, JwtSigner(new, keys.active.kid).sign(claims), NOW + DAY)
    assert thumbprint_kid(old.public_key) in forget(keys, at=NOW + DAY + HOUR, outlived=2 * HOUR).trusted
    assert forget(keys, at=NOW + DAY + 2 * HOUR, outlived=2 * HOUR).keys == (keys.active,)


def test_a_key_signs_only_after_everybody_has_it(p256: Authority) -> None:
    keys = announce(begin(p256.key("old")), p256.key("new").public_key, ES256, at=NOW)

    assert keys.next is not None
    assert keys.active.public_key == p256.key("old").public_key
    for at, known_for in ((NOW, HOUR), (NOW + HOUR, DAY)):
        with pytest.raises(KeyRefused, match="from"):
            rotate(keys, at=at, known_for=known_for)
    with pytest.raises(KeyRefused, match="announced"):
        rotate(begin(p256.key("old")), at=NOW, known_for=DAY)


def test_a_set_is_published_active_key_first_and_other_libraries_read_it(
    p256: Authority, authorities: Mapping[str, Authority]
) -> None:
    keys = announce(
        rotated(p256.key("old"), authorities[PS256.name].key("tokens")),
        authorities[ED25519.name].key("third").public_key,
        ED25519,
        at=NOW,
    )
    written = keys.jwks()

    assert [key["alg"] for key in written["keys"]] == ["PS256", "EdDSA", "ES256"]
    assert [key.kid for key in KeySet.import_key_set(written).keys] == [key["kid"] for key in written["keys"]]  # type: ignore[arg-type]
    assert dict(read_key_set(written)) == dict(keys.trusted)


def test_sm2_keys_are_a_set_of_their_own(sm2: Authority, p256: Authority) -> None:
    keys = rotated(sm2.key("old"), sm2.key("new"))

    assert dict(read_gm_key_set(keys.jwks())) == dict(keys.trusted)
    assert keys.suites == (SM2_SM3,)
    with pytest.raises(KeyRefused, match="apart"):
        announce(keys, p256.key("new").public_key, ES256, at=NOW)
    with pytest.raises(KeyRefused, match="no key"):
        read_key_set(keys.jwks())
    mixed = {"keys": [public_jwk(p256.key("new").public_key, "a"), gm_public_jwk(sm2.key("new").public_key, "b")]}
    assert set(read_key_set(mixed)) == {"a"}
    assert set(read_gm_key_set(mixed)) == {"b"}


def test_stages_that_make_no_sense_are_refused(p256: Authority) -> None:
    keys = announce(begin(p256.key("old")), p256.key("new").public_key, ES256, at=NOW)

    with pytest.raises(KeyRefused, match="next"):
        announce(keys, p256.key("third").public_key, ES256, at=NOW)
    with pytest.raises(KeyRefused, match="own"):
        announce(begin(p256.key("old")), p256.key("old").public_key, ES256, at=NOW)
    with pytest.raises(KeyRefused, match="sign with"):
        first(p256.key("old").public_key, PS256, at=NOW)
    with pytest.raises(KeyRefused, match="active"):
        withdraw(keys, keys.active.kid)
    with pytest.raises(KeyRefused, match="name"):
        withdraw(keys, "unknown")


def test_an_unsafe_key_is_withdrawn_at_once(p256: Authority) -> None:
    keys = rotated(p256.key("old"), p256.key("new"))
    left = withdraw(keys, thumbprint_kid(p256.key("old").public_key))

    assert [key.stage for key in left.keys] == [Stage.ACTIVE]


def jwk(authority: Authority, **changes: Any) -> dict[str, Any]:
    return {**public_jwk(authority.key("tokens").public_key, "k1"), **changes}


@pytest.mark.parametrize(
    ("suite", "kty"), [(ES256, "EC"), (PS256, "RSA"), (ED25519, "OKP")], ids=lambda value: getattr(value, "name", value)
)
def test_broken_keys_refuse_the_whole_set(authorities: Mapping[str, Authority], suite: Suite, kty: str) -> None:
    authority = authorities[suite.name]
    good = jwk(authority)
    assert good["kty"] == kty
    first_member = next(name for name in ("x", "n") if name in good)
    for broken in (
        good | {"d": "AAAA"},
        good | {first_member: "AAAA"},
        good | {first_member: None},
        good | {first_member: "é"},
        good | {"key_ops": ["sign"]},
        good | {"key_ops": "verify"},
        good | {"kid": ""},
        good | {"kid": 5},
        good | {"kid": ["k1"]},
        {"kty": "oct", "k": "AAAA"},
    ):
        with pytest.raises(KeyRefused):
            read_key_set({"keys": [good | {"kid": "other"}, broken]})
    with pytest.raises(KeyRefused, match="kid"):
        read_key_set({"keys": [good, good]})


def test_keys_for_other_purposes_are_passed_over(p256: Authority) -> None:
    others: list[dict[str, Any]] = [
        {"kty": "EC", "crv": "P-384", "x": "AAAA", "y": "AAAA"},
        {"kty": "OKP", "crv": "X25519", "x": "AAAA"},
        {"kty": "AKP", "alg": "ML-DSA-44"},
        {},
        jwk(p256, use="enc"),
    ]

    assert set(read_key_set({"keys": [*others, jwk(p256)]})) == {"k1"}
    unnamed = {name: value for name, value in jwk(p256).items() if name != "kid"}
    assert set(read_key_set({"keys": [unnamed]})) == {thumbprint_kid(p256.key("tokens").public_key)}
    with pytest.raises(KeyRefused, match="no key"):
        read_key_set({"keys": others})


@pytest.mark.parametrize("jwks", [None, [], "keys", {}, {"keys": {}}, {"keys": []}, {"keys": [1]}, {"keys": [{}] * 33}])
def test_what_is_no_key_set_is_refused(jwks: object) -> None:
    assert MAX_KEYS == 32
    with pytest.raises(KeyRefused):
        read_key_set(jwks)


MEMBERS = st.sampled_from(["kty", "crv", "x", "y", "n", "e", "kid", "use", "key_ops", "alg", "keys"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.sampled_from(["EC", "RSA", "OKP", "AQAB"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=6),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(MEMBERS, JSON, max_size=7), max_size=4))
def test_any_json_is_read_or_refused(keys: list[dict[str, Any]]) -> None:
    for read in (read_key_set, read_gm_key_set):
        with pytest.raises(KeyRefused):
            read({"keys": keys})
