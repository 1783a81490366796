"""Other people's programs look at what lasts, now and years later: they must agree with us."""

import asyncio
import io
from datetime import datetime, timedelta

import pytest
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.validation.ades import AdESLTAValidationResult, ades_lta_validation
from pyhanko.sign.validation.policy_decl import (
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager

from seal.levels import Level
from seal.model import Mark
from tests.judges import pdfsig
from tests.seal.pdf.lasting import YEAR, Desk, LongWorld
from tests.seal.trust.making import AT


@pytest.fixture
def desk(mark: Mark) -> Desk:
    return Desk(LongWorld(), mark)


def pyhanko(desk: Desk, document: bytes, at: datetime) -> AdESLTAValidationResult:
    """Have the first signature judged by what is in the document and the root alone."""
    root = asn1_x509.Certificate.load(desk.world.root.certificate.raw)
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(trust_roots=[root]),
        revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO),
        time_tolerance=timedelta(hours=2),
    )
    spec = SignatureValidationSpec(
        policy,
        revinfo_gathering_policy=RevocationInfoGatheringSpec(online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY),
    )
    first = PdfFileReader(io.BytesIO(document)).embedded_regular_signatures[0]
    timing = ValidationTimingInfo(at, at, point_in_time_validation=True)
    return asyncio.run(ades_lta_validation(first, PdfSignatureValidationSpec(spec), timing_info=timing))


def test_pyhanko_passes_what_lasts_and_what_was_renewed(desk: Desk, licence: bytes) -> None:
    lasting = desk.seal(licence, Level.LTA)
    assert pyhanko(desk, lasting, AT + timedelta(minutes=1)).ades_subindic == AdESPassed.OK
    desk.be_at(2.5)
    desk.tsa = desk.world.next_tsa
    renewed = desk.renew(lasting)
    assert pyhanko(desk, renewed, AT + 2.5 * YEAR + timedelta(minutes=1)).ades_subindic == AdESPassed.OK


def test_pyhanko_does_not_pass_what_nothing_proves(desk: Desk, licence: bytes) -> None:
    sealed = desk.seal(licence, Level.B)
    assert pyhanko(desk, sealed, AT + 2 * YEAR).ades_subindic != AdESPassed.OK


def test_pdfsig_still_calls_the_seal_valid(desk: Desk, licence: bytes) -> None:
    before, *_ = pdfsig.opinions(desk.seal(licence, Level.LTA))
    assert before.valid
