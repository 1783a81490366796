"""A licence that was sealed while nobody stamped: shown as what it is, and with its proved time once that comes."""

from dataclasses import replace
from datetime import UTC, datetime

from crypto.digests import DigestAlgorithm
from kernel.jobs import Job
from license_store.model import DOCUMENT
from license_store.public import PublicAnswer
from seal.later.model import STAMP
from seal.later.service import LateStamps
from seal.model import Report, TimeSource
from seal.pki.errors import TimestampUnavailable
from seal.pki.tsa_client import Stamped
from seal.sealing import SealService
from seal.verifying import verify_in_process
from tests.license_store.town import CLERK, Authority, Town, another_desk, asked
from tests.seal.test_levels import Desk, Roots


class Moody:
    """The ``Stamper`` that is down until it is told otherwise."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.down = True

    def stamp(self, digest: DigestAlgorithm, value: bytes) -> Stamped:
        if self.down:
            raise TimestampUnavailable("down")
        return self.desk.stamp(digest, value)


def test_the_page_shows_the_newest_document_and_what_its_time_rests_on(town: Town, authority: Authority) -> None:
    roots = Roots(authority)  # type: ignore[arg-type]
    trust = replace(authority.ca.trust(), facts=roots.facts())
    stamper = Moody(Desk(town, roots))  # type: ignore[arg-type]

    def judge(document: bytes) -> Report:
        return verify_in_process(document, trust, now=town.clock.now())

    parts = {
        "db": town.db,
        "audit": town.audit,
        "clock": town.clock,
        "objects": town.objects,
        "register": town.register,
        "judge": judge,
        "stamper": stamper,
    }
    town.sealer.service = SealService(**parts, vault=authority.vault)  # type: ignore[arg-type]
    licence = town.service.issue(asked(), CLERK)
    first = town.service.document(licence)
    assert "仅为签名者自述" in town.client().get(f"/v/{licence.public_id}").text

    stamper.down = False
    sealing = licence.file(DOCUMENT).sealing
    assert sealing is not None
    job = Job(id="1", kind=STAMP, key=sealing, series=None, due=datetime.now(UTC), attempt=1, owner="me")
    assert LateStamps(**parts).work(job) is None  # type: ignore[arg-type]
    newest = town.service.document(licence)
    assert newest != first
    view = another_desk(town, judge).view(licence.public_id)
    assert view.answer is PublicAnswer.GENUINE_IN_FORCE
    assert view.report is not None
    (signature,) = view.report.signatures
    assert (signature.level, signature.time_source) == ("b-t", TimeSource.TIMESTAMP)
    assert town.client("clerk").get(f"/api/licenses/v1/licenses/{licence.public_id}/document").content == newest
    town.desk._judge = judge
    assert "由可信时间戳证明" in town.client().get(f"/v/{licence.public_id}").text
