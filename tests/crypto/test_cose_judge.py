"""COSE_Sign1 before python-cwt, which shares no code with ours: each reads what the other writes."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cwt import COSE, COSEAlgs, COSEHeaders, COSEKey, VerifyError

from crypto import cbor
from crypto.cose import CoseKid, CoseSigner, kid_of, verify_sign1
from crypto.errors import CoseError
from crypto.keys import PublicKey, VaultSigner
from tests.crypto.authority import Authority

PAYLOAD = cbor.encode({1: "91440300MA5D", 3: "欧*国", 14: bytes(16)})
KID = CoseKid(b"their key")
OUTSIDE = b"known to both"


@pytest.fixture
def signer(p256: Authority) -> VaultSigner:
    return p256.key("tokens")


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _theirs(key: ec.EllipticCurvePrivateKey, *, external_aad: bytes = b"", unprotected: bool = False) -> bytes:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    named, kid = {COSEHeaders.ALG: COSEAlgs.ES256}, {COSEHeaders.KID: KID}
    made = COSE.new(deterministic_header=True).encode_and_sign(
        PAYLOAD,
        COSEKey.from_pem(pem, kid=KID),
        protected=named if unprotected else named | kid,
        unprotected=kid if unprotected else {},
        external_aad=external_aad,
    )
    assert isinstance(made, bytes)
    return made


def _public(key: ec.EllipticCurvePrivateKey) -> PublicKey:
    return PublicKey.from_spki(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize("outside", [b"", OUTSIDE])
def test_cwt_believes_what_we_sign(signer: VaultSigner, outside: bytes) -> None:
    kid = kid_of(signer.public_key)
    message = CoseSigner(signer, kid, content_type="xinyin/el1").sign(PAYLOAD, external_aad=outside)
    theirs = COSEKey.from_pem(signer.public_key.pem(), kid=kid)

    assert COSE.new().decode(message, theirs, external_aad=outside) == PAYLOAD
    with pytest.raises(VerifyError):
        COSE.new().decode(message, theirs, external_aad=outside + b".")


def test_cwt_refuses_what_we_sign_once_it_is_altered(signer: VaultSigner) -> None:
    kid = kid_of(signer.public_key)
    message = CoseSigner(signer, kid).sign(PAYLOAD)
    at = message.index(PAYLOAD) + len(PAYLOAD) - 1

    with pytest.raises(VerifyError):
        COSE.new().decode(
            message[:at] + bytes((message[at] ^ 1,)) + message[at + 1 :],
            COSEKey.from_pem(signer.public_key.pem(), kid=kid),
        )


@pytest.mark.parametrize("outside", [b"", OUTSIDE])
def test_we_believe_what_cwt_signs(key: ec.EllipticCurvePrivateKey, outside: bytes) -> None:
    message, keys = _theirs(key, external_aad=outside), {KID: _public(key)}

    assert verify_sign1(message, keys=keys, external_aad=outside).payload == PAYLOAD
    with pytest.raises(CoseError, match="signature"):
        verify_sign1(message, keys=keys, external_aad=outside + b".")


def test_we_refuse_what_cwt_signs_with_a_key_s_name_unprotected(key: ec.EllipticCurvePrivateKey) -> None:
    with pytest.raises(CoseError, match="protected"):
        verify_sign1(_theirs(key, unprotected=True), keys={KID: _public(key)})
