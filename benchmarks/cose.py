"""COSE_Sign1 through crypto/: judging a licence's code, against the bare signature check on the same octets."""

import tempfile
from pathlib import Path

from benchmarks.row import Contender, Row, cpu_microseconds
from crypto import cbor
from crypto.cose import CoseSigner, kid_of, verify_sign1
from crypto.keys import VaultSigner
from crypto.raw_values import verify_raw
from crypto.suites import ES256, SM2_SM3, Suite
from crypto.vaults.soft import SoftVault

ROUNDS = 40
TIMES = 20
REACH = 0.75
PAYLOAD = cbor.encode({1: b"\x11" * 41, 2: "440300", 3: "欧*国", 5: 20414, 9: 24066, 14: bytes(16), 16: 123456})


def rows() -> list[dict[str, object]]:
    """Measure; about five seconds."""
    with tempfile.TemporaryDirectory() as folder:
        vault = SoftVault.create(Path(folder) / "vault", "a throw-away passphrase")
        return [_verify(VaultSigner(vault, vault.generate(suite)), suite) for suite in (ES256, SM2_SM3)]


def _verify(signer: VaultSigner, suite: Suite) -> dict[str, object]:
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
    return Row(work=work, unit="µs CPU", ours=ours, peer="the signature alone", theirs=bare, reach=REACH).as_dict()
