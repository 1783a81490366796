"""What the tests of the certificate side share: vaults of throw-away keys, authorities, the twins."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from crypto.keys import VaultSigner
from crypto.suites import ES256, SM2_SM3, KeyKind, Suite
from crypto.vaults.soft import KdfCost, SoftVault
from crypto.x509 import make_csr, name
from kernel.audit import AuditLog
from kernel.clock import ManualClock
from kernel.db import Database
from seal.pki.authorities import Authorities
from seal.pki.ca import Addresses, Authority
from seal.pki.founding import Hierarchy, found
from tests.crypto.authority import Authority as Issuer

CHEAP = KdfCost(passes=1, memory_kib=64, lanes=1)
CRL_URL, OCSP_URL = "http://pki.example/ca.crl", "http://pki.example/ocsp"
OWNER = "11440300007542000X"


@pytest.fixture(scope="session")
def vault(tmp_path_factory: pytest.TempPathFactory) -> SoftVault:
    return SoftVault.create(tmp_path_factory.mktemp("pki") / "vault", "correct horse", cost=CHEAP)


@pytest.fixture(scope="session")
def issuers(vault: SoftVault) -> Mapping[str, Issuer]:
    """The small authorities of the crypto floor's tests, by the name of their suite."""
    return {suite.name: Issuer(vault, suite) for suite in (SM2_SM3, ES256)}


@pytest.fixture
def twins(tmp_path: Path, vault: SoftVault, clock: ManualClock) -> dict[KeyKind, Hierarchy]:
    return found(
        tmp_path / "root",
        tmp_path / "ca",
        root_vault=vault,
        vault=vault,
        clock=clock,
        organisation="某某市",
        addresses=lambda _: Addresses(crl_urls=(CRL_URL,), ocsp_urls=(OCSP_URL,)),
    )


@pytest.fixture
def records(fresh_sqlite: Callable[[], str]) -> Iterator[Database]:
    """The database with the audit log; a test on both engines takes another one's place."""
    opened = Database(fresh_sqlite())
    yield opened
    opened.dispose()


Installed = Callable[[], Authorities]


@pytest.fixture
def authorities(tmp_path: Path, vault: SoftVault, clock: ManualClock, records: Database) -> Installed:
    """Open the authorities of an installation, as each of its processes does."""

    def opened() -> Authorities:
        return Authorities(
            tmp_path / "installed",
            vault=vault,
            clock=clock,
            db=records,
            audit=AuditLog(),
            public_url="https://pki.example.test",
        )

    return opened


@pytest.fixture
def founded(tmp_path: Path, vault: SoftVault, authorities: Installed) -> Authorities:
    made = authorities()
    made.found(tmp_path / "roots", vault, "某某市")
    return made


@pytest.fixture(params=[KeyKind.SM2, KeyKind.P256], ids=lambda kind: kind.value)
def hierarchy(request: pytest.FixtureRequest, twins: dict[KeyKind, Hierarchy]) -> Hierarchy:
    return twins[request.param]


@pytest.fixture
def ca(hierarchy: Hierarchy) -> Authority:
    return hierarchy.intermediate


@pytest.fixture
def applicant(vault: SoftVault, ca: Authority) -> VaultSigner:
    return new_key(vault, ca.suite)


def new_key(vault: SoftVault, suite: Suite) -> VaultSigner:
    return VaultSigner(vault, vault.generate(suite))


def wish(signer: VaultSigner, common_name: str = "44030000000001") -> bytes:
    return make_csr(name(common_name, "某某局", OWNER), signer)
