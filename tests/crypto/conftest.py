"""What the tests of signed structures share: one vault of throw-away keys and an authority for each suite."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from crypto.suites import ES256, RS256, SM2_SM3, SUITES
from crypto.vaults.soft import KdfCost, SoftVault
from tests.crypto.authority import Authority
from tests.sims import softhsm
from tests.sims.sdf.device import Device, NoCompiler, compile_device


@pytest.fixture(scope="session")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Authority]:
    """Authorities by the name of their suite."""
    cheap = KdfCost(passes=1, memory_kib=64, lanes=1)
    vault = SoftVault.create(tmp_path_factory.mktemp("pki") / "vault", "correct horse", cost=cheap)
    return {suite.name: Authority(vault, suite) for suite in SUITES.values()}


@pytest.fixture(params=list(SUITES))
def authority(request: pytest.FixtureRequest, authorities: Mapping[str, Authority]) -> Authority:
    """Each suite's authority in turn."""
    return authorities[request.param]


@pytest.fixture
def sm2(authorities: Mapping[str, Authority]) -> Authority:
    return authorities[SM2_SM3.name]


@pytest.fixture
def p256(authorities: Mapping[str, Authority]) -> Authority:
    return authorities[ES256.name]


@pytest.fixture
def rsa(authorities: Mapping[str, Authority]) -> Authority:
    return authorities[RS256.name]


@pytest.fixture(scope="session")
def compiled_device(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SDF stub's library."""
    try:
        return compile_device(tmp_path_factory.mktemp("sdf"))
    except NoCompiler as reason:
        pytest.skip(str(reason))


@pytest.fixture
def device(compiled_device: Path, tmp_path: Path) -> Device:
    """A cryptographic device that nobody has used yet."""
    return Device(compiled_device, tmp_path)


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The module of a SoftHSM with three tokens: "contract", "details" and "guarded"."""
    try:
        module = softhsm.module()
    except softhsm.NoSoftHsm as reason:
        pytest.skip(str(reason))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(softhsm.configure(tmp_path_factory.mktemp("softhsm"))))
        for label in ("contract", "details", "guarded"):
            softhsm.make_token(label)
        yield module
