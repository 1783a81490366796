"""Signing a digest through each vault, against the bare call of what holds the key: the vaults' own cost."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from ctypes import byref, c_ulong, c_void_p, create_string_buffer
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from benchmarks.row import Contender, Row, cpu_microseconds
from crypto.digests import SHA256
from crypto.engines import default_engine, known_answer
from crypto.keys import KeyId, KeyVault
from crypto.suites import ES256, SM2_SM3, Suite
from crypto.vaults import cryptoki as ck
from crypto.vaults import sdf_abi
from crypto.vaults.pkcs11 import Pkcs11Vault
from crypto.vaults.sdf import SdfVault
from crypto.vaults.soft import SoftVault
from crypto.vaults.token import Token, TokenSession
from tests.sims import softhsm
from tests.sims.sdf.device import PIN, Device, NoCompiler, compile_device

ROUNDS, TIMES = 40, 20
REACH = 0.8
DIGEST = known_answer.DIGEST
_ECDSA = 0x1041  # CKM_ECDSA
_ROOM = 512


def rows() -> list[dict[str, object]]:
    """Measure; no rows for the simulated devices where this machine cannot have them."""
    measured = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measured += _soft(folder)
        for device in (_sdf, _softhsm):
            try:
                measured += device(folder)
            except (NoCompiler, softhsm.NoSoftHsm):
                continue
    return [row.as_dict() for row in measured]


def _soft(folder: Path) -> Iterator[Row]:
    engine = default_engine()
    vault = SoftVault.create(folder / "vault", "a throw-away passphrase", engine)

    def bare() -> object:
        return engine.sign(known_answer.SCALAR, DIGEST)

    yield _row("soft vault", SM2_SM3, vault, vault.generate(SM2_SM3), engine.version, bare)
    key = ec.generate_private_key(ec.SECP256R1())
    algorithm = ec.ECDSA(Prehashed(SHA256.primitive()))
    yield _row("soft vault", ES256, vault, vault.generate(ES256), "cryptography", lambda: key.sign(DIGEST, algorithm))


def _sdf(folder: Path) -> Iterator[Row]:
    library = Device(compile_device(folder), folder).library
    with closing(SdfVault(library, {1: PIN})) as vault, _sdf_call(library) as call:
        yield _row("SDF device (stub)", SM2_SM3, vault, KeyId("sdf-1"), "SDF_InternalSign_ECC", call)


@contextmanager
def _sdf_call(path: str) -> Iterator[Callable[[], object]]:
    """Give the bare call, in a session of its own that has the right to use the key."""
    library = sdf_abi.load(path)
    device, session, record = c_void_p(), c_void_p(), sdf_abi.EccSignature()
    _ok(library.SDF_OpenDevice(byref(device)))
    _ok(library.SDF_OpenSession(device, byref(session)))
    _ok(library.SDF_GetPrivateKeyAccessRight(session, 1, PIN.encode(), len(PIN)))
    yield lambda: _ok(library.SDF_InternalSign_ECC(session, 1, DIGEST, len(DIGEST), byref(record)))
    library.SDF_CloseSession(session)
    library.SDF_CloseDevice(device)


def _softhsm(folder: Path) -> Iterator[Row]:
    module = softhsm.module()
    os.environ["SOFTHSM2_CONF"] = str(softhsm.configure(folder))
    softhsm.make_token("bench")
    with closing(Pkcs11Vault(module, "bench", softhsm.PIN)) as vault:
        key = vault.generate(ES256)
        # The vault has opened the token by now; the bare calls have a session of their own in it.
        token = Token(module, "bench", softhsm.PIN)
        connection = token.connect()
        session = token.open(connection)
        yield _row("SoftHSM", ES256, vault, key, "C_SignInit, C_Sign", _cryptoki_call(token, session, key))
        token.shut(session)
        token.disconnect(connection)


def _cryptoki_call(token: Token, session: TokenSession, key: KeyId) -> Callable[[], object]:
    private = session.private(bytes.fromhex(key.removeprefix("p11-")))
    mechanism = ck.Mechanism(_ECDSA, None, 0)
    room, size = create_string_buffer(_ROOM), c_ulong()

    def call() -> None:
        size.value = _ROOM
        _ok(token.call("C_SignInit", session.handle, byref(mechanism), private))
        _ok(token.call("C_Sign", session.handle, DIGEST, len(DIGEST), room, byref(size)))

    return call


def _row(  # noqa: PLR0913, PLR0917 - a vault, a key of it, and what it is held against
    called: str, suite: Suite, vault: KeyVault, key: KeyId, peer: str, bare: Callable[[], object]
) -> Row:
    assert vault.public_key(key).verify_digest(suite, DIGEST, vault.sign_digest(key, DIGEST))
    ours, theirs = cpu_microseconds(
        (Contender(run=lambda: vault.sign_digest(key, DIGEST), times=TIMES), Contender(run=bare, times=TIMES)),
        rounds=ROUNDS,
    )
    return Row(work=f"{suite.name} sign, {called}", unit="µs CPU", ours=ours, peer=peer, theirs=theirs, reach=REACH)


def _ok(code: int) -> None:
    assert code == 0, f"{code:#010x}"
