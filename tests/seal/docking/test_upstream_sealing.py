"""A seal whose keys are in a department's system, from the register to the verdict."""

from dataclasses import replace
from datetime import timedelta

import pytest

from crypto.keys import KeyId, VaultSigner
from kernel.clock import ManualClock
from kernel.db import Database
from seal.docking.upstream.vault import Upstream, UpstreamVault
from seal.errors import SigningUnavailable
from seal.model import SealId, Verdict
from seal.register import SigningKey
from tests.seal.conftest import CLERK, Authority, House, application, request
from tests.sims.upstream import Mood, UpstreamSimulator

SEAL = SealId("44030000000002")


@pytest.fixture
def database(fresh_sqlite: object) -> Database:
    """SQLite alone: where the key is touches no database."""
    return Database(fresh_sqlite())  # type: ignore[operator]


def test_pdf_and_ofd_are_sealed_with_keys_that_are_elsewhere(
    house: House, authority: Authority, pdf: bytes, ofd: bytes, clock: ManualClock
) -> None:
    far = {key.suite.name: (VaultSigner(authority.vault, key.key), key.certificate) for key in authority.keys}
    stranger = VaultSigner(authority.vault, authority.vault.generate(authority.keys[0].suite))
    with UpstreamSimulator(far, (stranger, authority.keys[0].certificate), clock.now) as department:
        keys = {name: certificate for name, (_, certificate) in far.items()}
        upstream = Upstream(name="dept", url=department.url, keys=keys, timeout=timedelta(seconds=5))
        vault = UpstreamVault(upstream, clock=clock)
        signing = [replace(key, key=KeyId(f"upstream-dept-{key.suite.name}")) for key in authority.keys]
        register_seal(house, authority, signing)
        service = house.service(vault=vault)
        clerk = replace(CLERK, rights=frozenset({f"seal.use:{SEAL}"}))
        for document, format_ in ((pdf, None), (ofd, None), (pdf, "pdf-pades-p256")):
            sealed = service.seal(request(document, seal=SEAL, format=format_), clerk)
            assert sealed.report.verdict is Verdict.VALID
        assert department.asked == 3

        department.mood = Mood.OTHER_KEY
        with pytest.raises(SigningUnavailable):
            service.seal(request(ofd, seal=SEAL), clerk)
        (pending,) = service.pending()
        assert (pending.failure, pending.completion) == ("signing_unavailable", None)
    house.db.dispose()


def register_seal(house: House, authority: Authority, keys: list[SigningKey]) -> None:
    asked = application(authority, id=SEAL)
    house.registrar.make(asked, keys=keys, maker=authority.ca.maker())
