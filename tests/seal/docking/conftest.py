"""A department's keys and certificates, made once."""

from collections.abc import Iterator

import pytest

from crypto.keys import KeyVault
from crypto.suites import ES256, SM2_SM3
from crypto.vaults.soft import KdfCost, SoftVault
from kernel.clock import ManualClock
from tests.crypto.authority import NOW, Authority, Holder
from tests.sims.upstream import UpstreamSimulator

SECRET = b"shared between two systems"


@pytest.fixture(scope="session")
def far_vault(tmp_path_factory: pytest.TempPathFactory) -> KeyVault:
    cost = KdfCost(passes=1, memory_kib=64, lanes=1)
    return SoftVault.create(tmp_path_factory.mktemp("far") / "vault", "a passphrase", cost=cost)


@pytest.fixture(scope="session")
def far_authorities(far_vault: KeyVault) -> dict[str, Authority]:
    return {suite.name: Authority(far_vault, suite) for suite in (SM2_SM3, ES256)}


@pytest.fixture(scope="session")
def holders(far_authorities: dict[str, Authority]) -> dict[str, Holder]:
    return {"seal-01": far_authorities[SM2_SM3.name].signer, "seal-02": far_authorities[ES256.name].signer}


@pytest.fixture(scope="module")
def far_clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture(scope="module")
def department(
    holders: dict[str, Holder], far_authorities: dict[str, Authority], far_clock: ManualClock
) -> Iterator[UpstreamSimulator]:
    stranger = far_authorities[SM2_SM3.name].sub_ca
    keys = {name: (holder.signer, holder.certificate) for name, holder in holders.items()}
    with UpstreamSimulator(keys, (stranger.signer, stranger.certificate), far_clock.now, SECRET) as simulator:
        yield simulator
