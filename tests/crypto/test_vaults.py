"""What every vault does: one suite for all of them, with the suites that each supports."""

import logging
import os
import pickle
import signal
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crypto.errors import KeyRefused
from crypto.keys import KeyId, KeyVault, VaultSigner, digest_to_sign, sign
from crypto.suites import ED25519, ES256, PS256, RS256, SM2_SM3, SUITES, KeyKind, Suite
from crypto.vaults.pkcs11 import Pkcs11Vault
from crypto.vaults.sdf import SdfVault
from crypto.vaults.soft import KdfCost, KeyEncryptionKey, SoftVault
from kernel.clock import ManualClock
from seal.docking.upstream.login import HmacLogin
from seal.docking.upstream.vault import Upstream, UpstreamVault
from tests.crypto.authority import NOW, Authority
from tests.sims import softhsm
from tests.sims.sdf import device
from tests.sims.upstream import UpstreamSimulator

PASSPHRASE = "a passphrase of the tests"
KEK = bytes(range(0x40, 0x60))
QUICK = KdfCost(passes=1, memory_kib=64, lanes=1)


@dataclass
class Subject:
    """A vault, what it supports, what it must never tell; ``made`` where its keys are made elsewhere."""

    vault: KeyVault
    suites: tuple[Suite, ...]
    secrets: tuple[str, ...]
    made: dict[str, KeyId] = field(default_factory=dict)
    generates: bool = True

    def key(self, suite: Suite) -> KeyId:
        """Give one key of a suite, always the same."""
        if suite.name not in self.made:
            self.made[suite.name] = self.vault.generate(suite)
        return self.made[suite.name]


@contextmanager
def _soft(_: pytest.FixtureRequest, folder: Path) -> Iterator[Subject]:
    vault = SoftVault.create(folder / "vault", PASSPHRASE, cost=QUICK)
    yield Subject(vault, SUPPORTED["soft"], (PASSPHRASE,))


@contextmanager
def _soft_kek(_: pytest.FixtureRequest, folder: Path) -> Iterator[Subject]:
    vault = SoftVault.create(folder / "vault", KeyEncryptionKey(KEK))
    yield Subject(vault, SUPPORTED["soft-kek"], (KEK.hex(), KEK.decode(), repr(KEK)))


@contextmanager
def _sdf(request: pytest.FixtureRequest, folder: Path) -> Iterator[Subject]:
    library = device.Device(request.getfixturevalue("compiled_device"), folder).library
    with closing(SdfVault(library, {1: device.PIN, 2: device.PIN, 3: ""})) as vault:
        yield Subject(vault, SUPPORTED["sdf"], (device.PIN,), {SM2_SM3.name: KeyId("sdf-1")}, generates=False)


@contextmanager
def _pkcs11(request: pytest.FixtureRequest, _: Path) -> Iterator[Subject]:
    with closing(Pkcs11Vault(request.getfixturevalue("tokens"), "contract", softhsm.PIN)) as vault:
        yield Subject(vault, SUPPORTED["pkcs11"], (softhsm.PIN,))


@contextmanager
def _upstream(_: pytest.FixtureRequest, folder: Path) -> Iterator[Subject]:
    far = SoftVault.create(folder / "vault", PASSPHRASE, cost=QUICK)
    holders = {suite.name: Authority(far, suite).signer for suite in SUPPORTED["upstream"]}
    keys = {name: (holder.signer, holder.certificate) for name, holder in holders.items()}
    secret, clock = PASSPHRASE.encode(), ManualClock(NOW)
    with UpstreamSimulator(keys, keys[SM2_SM3.name], clock.now, secret) as simulator:
        upstream = Upstream(name="dept", url=simulator.url, keys={name: key[1] for name, key in keys.items()})
        vault = UpstreamVault(upstream, clock=clock, login=HmacLogin(client="xinyin", secret=secret, clock=clock))
        made = {name: KeyId(f"upstream-dept-{name}") for name in keys}
        yield Subject(vault, SUPPORTED["upstream"], (PASSPHRASE,), made, generates=False)


VAULTS: dict[str, Callable[[pytest.FixtureRequest, Path], AbstractContextManager[Subject]]] = {
    "soft": _soft,
    "soft-kek": _soft_kek,
    "sdf": _sdf,
    "pkcs11": _pkcs11,
    "upstream": _upstream,
}
SUPPORTED: dict[str, tuple[Suite, ...]] = {
    "soft": (SM2_SM3, ES256, RS256, PS256, ED25519),
    "soft-kek": (SM2_SM3, ES256),
    "sdf": (SM2_SM3,),
    "pkcs11": (ES256, RS256, PS256, ED25519),
    "upstream": (SM2_SM3, ES256),
}
EACH_SUITE = [pytest.param(name, suite, id=f"{name}-{suite.name}") for name in VAULTS for suite in SUPPORTED[name]]


@pytest.fixture(scope="module")
def subjects(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Subject]]:
    made: dict[str, Subject] = {}
    with ExitStack() as stack:

        def subject(name: str) -> Subject:
            if name not in made:
                made[name] = stack.enter_context(VAULTS[name](request, tmp_path_factory.mktemp(name)))
            return made[name]

        yield subject


@pytest.fixture(params=VAULTS)
def subject(request: pytest.FixtureRequest, subjects: Callable[[str], Subject]) -> Subject:
    return subjects(request.param)


@pytest.fixture
def vault(subject: Subject) -> KeyVault:
    return subject.vault


@pytest.mark.parametrize(("name", "suite"), EACH_SUITE)
def test_a_key_signs_what_its_public_half_verifies(subjects: Callable[[str], Subject], name: str, suite: Suite) -> None:
    vault, key = subjects(name).vault, subjects(name).key(suite)
    public = vault.public_key(key)
    digest = digest_to_sign(suite, public, b"message")
    signature = vault.sign_digest(key, digest)
    assert vault.suite(key) is suite
    assert public.kind is suite.key
    assert public.verify_digest(suite, digest, signature)
    assert public.verify(suite, b"message", sign(vault, key, b"message"))
    assert not public.verify(suite, b"another message", signature)


@pytest.mark.parametrize(("name", "suite"), EACH_SUITE)
def test_signatures_are_der_for_the_curves_and_3072_bits_for_rsa(
    subjects: Callable[[str], Subject], name: str, suite: Suite
) -> None:
    signature = sign(subjects(name).vault, subjects(name).key(suite), b"")
    if suite.key is KeyKind.RSA:
        assert len(signature) == 3072 // 8
    elif suite is ED25519:
        assert len(signature) == 64  # RFC 8032 5.1.6
    else:
        assert signature[:2] == bytes([0x30, len(signature) - 2])


@pytest.mark.parametrize(("name", "suite"), [row for row in EACH_SUITE if not row.values[1].whole_message])  # type: ignore[union-attr]
@pytest.mark.parametrize("size", [0, 20, 31, 33, 64])
def test_only_digests_of_the_suite_s_size_are_signed(
    subjects: Callable[[str], Subject], name: str, suite: Suite, size: int
) -> None:
    with pytest.raises(KeyRefused, match="digests of 32 octets"):
        subjects(name).vault.sign_digest(subjects(name).key(suite), bytes(size))


def test_every_key_is_listed_once_and_in_order(subject: Subject) -> None:
    made = {subject.key(suite) for suite in subject.suites}
    if subject.generates:
        made |= {subject.vault.generate(subject.suites[0]) for _ in range(3)}
    listed = subject.vault.keys()
    assert made <= set(listed)
    assert list(listed) == sorted(set(listed))


def test_a_suite_that_is_not_made_here_is_refused_in_a_sentence(subject: Subject) -> None:
    before = subject.vault.keys()
    for suite in SUITES.values():
        if not subject.generates or suite not in subject.suites:
            if isinstance(subject.vault, SoftVault):
                continue
            with pytest.raises(KeyRefused, match=suite.name):
                subject.vault.generate(suite)
    assert subject.vault.keys() == before


STRANGE = ["sm2-sm3-000000000000000000000000", "", "../vault", "a/b", "A", "键", "x" * 65, "sdf-4", "sdf-01", "sdf-0"]
HUGE = ["sdf-" + "9" * 5000, "p11-" + "00" * 5000]


@pytest.mark.parametrize("key", [*STRANGE, "p11-0000", "p11-", *HUGE], ids=ascii)
def test_an_unknown_key_is_refused_by_every_method(vault: KeyVault, key: str) -> None:
    for ask in (vault.public_key, vault.suite, lambda unknown: vault.sign_digest(unknown, bytes(32))):
        with pytest.raises(KeyRefused) as refused:
            ask(KeyId(key))
        assert "\n" not in str(refused.value)


def test_threads_sign_together(subject: Subject) -> None:
    signers = [
        VaultSigner(subject.vault, subject.key(suite)) for suite in subject.suites if suite.key is not KeyKind.RSA
    ]

    def work(number: int) -> bool:
        signer, message = signers[number % len(signers)], b"%d" % number
        return signer.public_key.verify(signer.suite, message, signer.sign(message))

    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(work, range(120)))


def test_threads_make_keys_together(subject: Subject) -> None:
    if not subject.generates:
        pytest.skip("its keys are made elsewhere")
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: subject.vault.generate(ES256), range(8)))
    assert len(set(made)) == 8
    assert set(made) <= set(subject.vault.keys())


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_parent_and_children_sign_after_a_fork(subject: Subject) -> None:
    signers = [VaultSigner(subject.vault, subject.key(suite)) for suite in subject.suites]

    def good(workers: ThreadPoolExecutor) -> bool:
        values = list(workers.map(lambda number: signers[number % len(signers)].sign(b"m"), range(9)))
        return all(
            signers[number % len(signers)].public_key.verify(signers[number % len(signers)].suite, b"m", value)
            for number, value in enumerate(values)
        )

    def child_is_good() -> bool:
        with ThreadPoolExecutor(3) as workers:
            return good(workers) and bool(subject.vault.keys())

    # The parent's threads idle at the fork. One that ends just then can hold a lock of libcrypto's for ever.
    with ThreadPoolExecutor(3) as workers:
        assert good(workers)
        for _ in range(2):  # One after the other: SoftHSM writes at a login what it reads when it starts elsewhere.
            child = _in_child(child_is_good)
            assert good(workers)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            assert good(workers)


def _in_child(good: Callable[[], bool]) -> int:
    if (child := os.fork()) == 0:
        signal.alarm(60)  # A lock that was held at the fork would hold the child for ever.
        try:
            os._exit(0 if good() else 1)
        except BaseException:  # noqa: BLE001 - nothing of pytest may go on in the child
            traceback.print_exc()
            os._exit(2)
    return child


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_children_do_not_sign_with_the_parent_s_nonces(subject: Subject) -> None:
    suite = subject.suites[0]
    key, digest = subject.key(suite), bytes(32)
    values = [subject.vault.sign_digest(key, digest)]
    for _ in range(2):
        read, write = os.pipe()
        child = _in_child(lambda write=write: os.write(write, subject.vault.sign_digest(key, digest)) > 0)  # type: ignore[misc]
        os.close(write)
        assert os.waitpid(child, 0)[1] == 0
        with os.fdopen(read, "rb") as file:
            values.append(file.read())
    values.append(subject.vault.sign_digest(key, digest))
    assert len(set(values)) == 4  # No suite that comes first is RSA, which signs the same twice.
    assert all(subject.vault.public_key(key).verify_digest(suite, digest, value) for value in values)


def test_a_vault_is_not_pickled(vault: KeyVault) -> None:
    with pytest.raises(TypeError, match="not copied"):
        pickle.dumps(vault)


def test_nothing_shows_a_secret(
    subject: Subject, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    vault, key = subject.vault, subject.key(subject.suites[0])
    said = [repr(vault), str(vault), repr(VaultSigner(vault, key)), repr(list(vars(vault).values()))]
    for refused in (lambda: vault.sign_digest(key, b""), lambda: vault.public_key(KeyId("unknown"))):
        with pytest.raises(KeyRefused) as refusal:
            refused()
        said += traceback.format_exception(refusal.value)
    captured = capfd.readouterr()
    said += [caplog.text, captured.out, captured.err]
    for secret in subject.secrets:
        assert not any(secret in text for text in said)


def test_a_signer_is_one_key_of_its_vault(subject: Subject) -> None:
    suite = subject.suites[0]
    signer = VaultSigner(subject.vault, subject.key(suite))
    assert signer.suite is suite
    assert signer.public_key == subject.vault.public_key(subject.key(suite))
    assert signer.public_key.kind is suite.key
