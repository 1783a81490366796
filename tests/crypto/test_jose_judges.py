"""Tokens cross-checked with two other libraries."""

import base64
import time
import warnings
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import rsa as rsa_keys
from gmssl import sm2 as gmssl_sm2
from joserfc import jwk as jose_keys
from joserfc import jwt as jose_jwt

from crypto.jose import (
    JwtSigner,
    key_from_jwk,
    public_jwk,
    verify_jwt,
    verify_signature,
)
from crypto.keys import PublicKey
from crypto.sm2 import message_digest
from crypto.suites import RS256, KeyKind
from tests.crypto.authority import Authority
from tests.crypto.tokens import AUDIENCE, CLAIMS, ISSUER, NOW, key_of

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
