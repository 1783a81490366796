"""SM2 through crypto/: signing in the vault and verifying a 32-octet message, against gmssl and the engine's own C."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from statistics import median

from gmssl.sm2 import CryptSM2

from benchmarks.row import Contender, Row, Spread, cpu_microseconds
from crypto.engines import default_engine
from crypto.keys import VaultSigner
from crypto.suites import SM2_SM3
from crypto.vaults.soft import SoftVault

ROUNDS = 40
MESSAGE = bytes(range(32))
SPEED_ROUNDS = 3
BATCH = 50
REACH_SIGN, REACH_VERIFY = 20.0, 35.0  # Times gmssl's speed, with the slowest engine that is accepted.
REACH_OWN_C = 0.8


def rows() -> list[dict[str, object]]:
    """Measure; about ten seconds."""
    with tempfile.TemporaryDirectory() as folder:
        vault = SoftVault.create(Path(folder) / "vault", "a throw-away passphrase")
        signer = VaultSigner(vault, vault.generate(SM2_SM3))
        measured = _against_gmssl(signer) + _against_own_c(signer)
    return [row.as_dict() for row in measured]


def _against_gmssl(signer: VaultSigner) -> list[Row]:
    peer = _gmssl()
    ours_signed, theirs_signed = signer.sign(MESSAGE), peer.sign_with_sm3(MESSAGE)
    assert peer.verify_with_sm3(theirs_signed, MESSAGE)
    assert signer.public_key.verify(SM2_SM3, MESSAGE, ours_signed)
    sign, peer_sign, verify, peer_verify = cpu_microseconds(
        (
            Contender(run=lambda: signer.sign(MESSAGE), times=20),
            Contender(run=lambda: peer.sign_with_sm3(MESSAGE), times=2),
            Contender(run=lambda: signer.public_key.verify(SM2_SM3, MESSAGE, ours_signed), times=20),
            Contender(run=lambda: peer.verify_with_sm3(theirs_signed, MESSAGE), times=2),
        ),
        rounds=ROUNDS,
    )
    return [
        _row("SM2 sign 32 B", sign, "gmssl", peer_sign, REACH_SIGN),
        _row("SM2 verify 32 B", verify, "gmssl", peer_verify, REACH_VERIFY),
    ]


def _against_own_c(signer: VaultSigner) -> list[Row]:
    """Compare with ``openssl speed`` where the program is there and of the engine's version."""
    engine = default_engine()
    program = shutil.which("openssl")
    if engine.name != "libcrypto" or program is None or _version(program) not in engine.version:
        return []
    signature = signer.sign(MESSAGE)
    key = signer.public_key
    ours: list[tuple[Spread, ...]] = []
    theirs: list[tuple[float, float]] = []
    for _ in range(SPEED_ROUNDS):
        # The program tells a mean, so ours is the mean of a batch too.
        batches = cpu_microseconds(
            (
                Contender(run=lambda: [signer.sign(MESSAGE) for _ in range(BATCH)], times=1),
                Contender(run=lambda: [key.verify(SM2_SM3, MESSAGE, signature) for _ in range(BATCH)], times=1),
            ),
            rounds=20,
        )
        ours.append(batches)
        theirs.append(_openssl_speed(program))
    name = f"openssl speed, {engine.version}"
    return [
        _row(
            f"SM2 {verb} 32 B: engine's own C speed", _each(mine), name, Spread(p50=median(peer), p99=None), REACH_OWN_C
        )
        for verb, mine, peer in zip(("sign", "verify"), zip(*ours, strict=True), zip(*theirs, strict=True), strict=True)
    ]


def _row(work: str, ours: Spread, peer: str, theirs: Spread, reach: float) -> Row:
    return Row(work=work, unit="µs CPU", ours=ours, peer=peer, theirs=theirs, reach=reach)


def _each(batches: tuple[Spread, ...]) -> Spread:
    """Give the cost of one operation from the middle one of the batches' medians."""
    return Spread(p50=median(batch.p50 for batch in batches) / BATCH, p99=None)


def _gmssl() -> CryptSM2:
    engine = default_engine()
    scalar = engine.generate()
    point = engine.public_point(scalar)[1:].hex()
    peer = CryptSM2(private_key=scalar.hex(), public_key=point)
    peer.public_key = point  # Its constructor strips leading 0s and 4s that belong to the key.
    return peer


def _version(program: str) -> str:
    said = subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout.split()
    return " ".join(said[:2])


def _openssl_speed(program: str) -> tuple[float, float]:
    """Give µs of CPU per signature and per verification."""
    command = [program, "speed", "-seconds", "1", "sm2"]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    sign, verify = map(float, table.strip().splitlines()[-1].split()[-2:])
    return 1e6 / sign, 1e6 / verify
