"""What the tests of signed structures share: one vault of throw-away keys and an authority for each suite."""

from collections.abc import Mapping

import pytest

from crypto.suites import ES256, RS256, SM2_SM3, SUITES
from crypto.vaults.soft import KdfCost, SoftVault
from tests.crypto.authority import Authority


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
