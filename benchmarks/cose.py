"""COSE_Sign1 through crypto/, against python-cwt doing the same, and against the bare signature check."""

import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cwt import COSE, COSEAlgs, COSEHeaders, COSEKey

from benchmarks.row import Contender, Row, cpu_microseconds
from crypto import cbor
from crypto.cose import CoseSigner, kid_of, verify_sign1
from crypto.keys import VaultSigner
from crypto.raw_values import verify_raw
from crypto.suites import ES256, SM2_SM3, Suite
from crypto.vaults.soft import SoftVault

ROUNDS = 40
TIMES = 20
REACH_BARE, REACH_PEER = 0.75, 1.0
PAYLOAD = cbor.encode({1: b"\x11" * 41, 2: "440300", 3: "欧*国", 5: 20414, 9: 24066, 14: bytes(16), 16: 123456})


def rows() -> list[dict[str, object]]:
    """Measure; about five seconds."""
    with tempfile.TemporaryDirectory() as folder:
        vault = SoftVault.create(Path(folder) / "vault", "a throw-away passphrase")
        signers = {suite: VaultSigner(vault, vault.generate(suite)) for suite in (ES256, SM2_SM3)}
        return [*_against_cwt(signers[ES256]), *(_against_bare(signer, suite) for suite, signer in signers.items())]


def _against_cwt(signer: VaultSigner) -> list[dict[str, object]]:
    """Both sign with ES256 under a kid in the protected header; both judge the very same message."""
    kid = kid_of(signer.public_key)
    maker = CoseSigner(signer, kid)
    own = ec.generate_private_key(ec.SECP256R1())
    their_key = COSEKey.from_pem(own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), kid=kid)
    our_key = COSEKey.from_pem(signer.public_key.pem(), kid=kid)
    peer = COSE.new()
    header = {COSEHeaders.ALG: COSEAlgs.ES256, COSEHeaders.KID: kid}
    message = maker.sign(PAYLOAD)
    keys = {kid: signer.public_key}

    def judge() -> bytes:
        return verify_sign1(message, keys=keys).payload

    assert judge() == peer.decode(message, our_key) == PAYLOAD
    sign, peer_sign, verify, peer_verify = cpu_microseconds(
        (
            Contender(run=lambda: maker.sign(PAYLOAD), times=TIMES),
            Contender(run=lambda: peer.encode_and_sign(PAYLOAD, their_key, protected=header), times=TIMES),
            Contender(run=judge, times=TIMES),
            Contender(run=lambda: peer.decode(message, our_key), times=TIMES),
        ),
        rounds=ROUNDS,
    )
    return [
        Row(
            work=f"COSE_Sign1 ES256 {verb}",
            unit="µs CPU",
            ours=ours,
            peer="python-cwt",
            theirs=theirs,
            reach=REACH_PEER,
        ).as_dict()
        for verb, ours, theirs in (("sign", sign, peer_sign), ("verify", verify, peer_verify))
    ]


def _against_bare(signer: VaultSigner, suite: Suite) -> dict[str, object]:
    kid = kid_of(signer.public_key)
    keys = {kid: signer.public_key}
    message = CoseSigner(signer, kid).sign(PAYLOAD)
    outer = cbor.decode(message)
    assert isinstance(outer, cbor.Tag)
    assert isinstance(outer.value, list)
    header, _, payload, value = outer.value
    assert isinstance(value, bytes)
    signed = cbor.encode(["Signature1", header, b"", payload])
    assert verify_raw(signer.public_key, suite, signed, value)
    ours, bare = cpu_microseconds(
        (
            Contender(run=lambda: verify_sign1(message, keys=keys, suites=(suite,)), times=TIMES),
            Contender(run=lambda: verify_raw(signer.public_key, suite, signed, value), times=TIMES),
        ),
        rounds=ROUNDS,
    )
    work = f"COSE_Sign1 {suite.name} verify"
    return Row(work=work, unit="µs CPU", ours=ours, peer="the signature alone", theirs=bare, reach=REACH_BARE).as_dict()
