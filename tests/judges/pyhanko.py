"""pyHanko as an independent judge of signed PDFs, SM2 too, by its AdES validation; nothing is fetched.

pyHanko knows no SM2: it is lent the names of the algorithms, and gmssl for the value. Everything else, messages,
certificates, revocation, time-stamps, long-term evidence, what changed since, is its own. Malformed files make
it raise anything; that is a complaint.
"""

import asyncio
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any

import pyhanko_certvalidator.context as certvalidator_context
from asn1crypto import algos, crl, keys, ocsp
from asn1crypto import x509 as asn1_x509
from cryptography.exceptions import InvalidSignature
from gmssl.sm2 import CryptSM2
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESFailure, AdESPassed
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation.ades import (
    ades_basic_validation,
    ades_lta_validation,
    ades_timestamp_validation,
    ades_with_time_validation,
)
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.policy_decl import (
    LocalKnowledge,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer
from pyhanko_certvalidator.sig_validate import (
    DEFAULT_VALIDATION_CONTEXT,
    DefaultSignatureValidator,
    SignatureValidationContext,
)

from crypto.keys import PublicKey
from crypto.sm2 import signature_from_der
from crypto.x509 import Certificate
from tests.judges.judgement import DOC_TIMESTAMP, Judgement, Opinion, Word

_SM3, _SM2_WITH_SM3, _SM2_SIGNING = "1.2.156.10197.1.401", "1.2.156.10197.1.501", "1.2.156.10197.1.301.1"
_SM2_CURVE = "1.2.156.10197.1.301"
_SM2_NAMES = ("sm3_sm2", "sm2")
_REBOUND = "DefaultSignatureValidator"


# --- SM2 -------------------------------------------------------------------------------------------------------


class Sm2Validator(DefaultSignatureValidator):
    """Verifies SM2 with SM3 by gmssl, all else as pyHanko does."""

    def validate_signature(
        self,
        signature: bytes,
        signed_data: bytes,
        public_key_info: keys.PublicKeyInfo,
        signature_algorithm: algos.SignedDigestAlgorithm,
        context: SignatureValidationContext = DEFAULT_VALIDATION_CONTEXT,
    ) -> None:
        """Raise InvalidSignature if the value does not hold."""
        if signature_algorithm["algorithm"].native not in _SM2_NAMES:
            super().validate_signature(signature, signed_data, public_key_info, signature_algorithm, context)
            return
        # SM2 hashes Z || M (GB/T 32918.2 6.1): nothing can be said of a bare digest.
        if context.prehashed or not _sm2_holds(public_key_info.dump(), signed_data, signature):
            raise InvalidSignature


@lru_cache(maxsize=4096)  # the same certificates and lists come again and again, and pure Python is slow
def _sm2_holds(spki: bytes, message: bytes, signature: bytes) -> bool:
    oracle = CryptSM2(private_key="", public_key="")
    # Not by its constructor, which strips every leading 0 and 4 of a point.
    oracle.public_key = PublicKey.from_spki(spki).point[1:].hex()
    return oracle.verify_with_sm3(signature_from_der(signature).hex(), message) is True


def _name_sm2() -> None:
    """Tell asn1crypto the names; once more does no harm."""
    for kind, identifier, name in (
        # cryptography's SM3 is found by this very name.
        (algos.DigestAlgorithmId, _SM3, "sm3"),
        (algos.SignedDigestAlgorithmId, _SM2_WITH_SM3, _SM2_NAMES[0]),
        (algos.SignedDigestAlgorithmId, _SM2_SIGNING, _SM2_NAMES[1]),
    ):
        kind._map[identifier] = name
        if kind._reverse_map is not None:
            kind._reverse_map[name] = identifier
    keys.NamedCurve.register("sm2p256v1", _SM2_CURVE, 32)


_name_sm2()


@contextmanager
def gap_bridged() -> Iterator[None]:
    """Have contexts that pyHanko makes for itself verify SM2 too.

    For a responder certificate with ocsp-nocheck it makes one and forgets the verifier it was given
    (validate_ocsp.py, _validate_delegated_ocsp_provenance).
    """
    before = getattr(certvalidator_context, _REBOUND)
    setattr(certvalidator_context, _REBOUND, Sm2Validator)
    try:
        yield
    finally:
        setattr(certvalidator_context, _REBOUND, before)


# --- judging ---------------------------------------------------------------------------------------------------


def judge(
    pdf: bytes, anchors: Sequence[Certificate] = (), at: datetime | None = None, crls: Sequence[bytes] = ()
) -> Judgement:
    """Judge every signature and document time-stamp, revocation required."""
    with gap_bridged():
        return judge_unbridged(pdf, anchors, at, crls)


def judge_unbridged(
    pdf: bytes, anchors: Sequence[Certificate] = (), at: datetime | None = None, crls: Sequence[bytes] = ()
) -> Judgement:
    """Judge as ``judge`` does, with pyHanko's gap left open."""
    try:
        reader = PdfFileReader(io.BytesIO(pdf), strict=False)
        embedded = reader.embedded_signatures
        asked = _Asked(reader, anchors, at, crls)
    except Exception as error:  # noqa: BLE001 - it raises anything at all
        return Judgement(complaints=(_told(error),))
    return Judgement(signatures=tuple(map(asked.opinion, embedded)))


class _Asked:
    """One file, and under what it is judged."""

    def __init__(
        self, reader: PdfFileReader, anchors: Sequence[Certificate], at: datetime | None, crls: Sequence[bytes]
    ) -> None:
        roots = [asn1_x509.Certificate.load(each.raw) for each in anchors]
        self._timing = ValidationTimingInfo(at, at, point_in_time_validation=True) if at else None
        self._store = _read_store(reader)
        lists = [CRLContainer(crl.CertificateList.load(each)) for each in crls]
        # The AdES engine itself puts no root among the certificates it knows.
        self._brought = LocalKnowledge(known_certs=roots, known_crls=lists)
        self._policy = CertValidationPolicySpec(
            trust_manager=SimpleTrustManager.build(trust_roots=roots),
            revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO),
            signature_validator=Sm2Validator(),
        )

    def opinion(self, one: EmbeddedPdfSignature) -> Opinion:
        """Judge one signature or document time-stamp."""
        stamp = one.sig_object_type == "/DocTimeStamp"
        try:
            one.compute_integrity_info()  # type: ignore[no-untyped-call] # so it is
            found = asyncio.run(self._stamp(one) if stamp else self._signature(one))
            why = _changed(one) or _shortcoming(found)
            whole = one.coverage is SignatureCoverageLevel.ENTIRE_FILE
            return Opinion(
                word=_word(one, found),
                why=why,
                field=str(one.field_name),
                level=DOC_TIMESTAMP if stamp else self._level(one),
                whole=whole,
                timestamps=0 if stamp else _count_stamps(one),
                closes=one.docmdp_level is MDPPerm.NO_CHANGES,
                intact=bool(found.api_status and found.api_status.intact and found.api_status.valid),
            )
        except Exception as error:  # noqa: BLE001 - it raises anything at all
            return Opinion(word=Word.REFUSED, why=_told(error), field=str(one.field_name), whole=False, intact=False)

    async def _signature(self, one: EmbeddedPdfSignature) -> Any:
        if self._stamped_later(one):
            spec = PdfSignatureValidationSpec(self._spec(self._brought))  # it reads the store by itself
            return await ades_lta_validation(one, spec, timing_info=self._timing)
        # Without a time-stamp the one with time would only say that there is none.
        validation = ades_with_time_validation if _count_stamps(one) else ades_basic_validation
        return await validation(
            one.signed_data, self._spec(self._known()), timing_info=self._timing, raw_digest=one.compute_digest()
        )

    async def _stamp(self, one: EmbeddedPdfSignature) -> Any:
        return await ades_timestamp_validation(
            one.signed_data, self._spec(self._known()), one.compute_digest, timing_info=self._timing
        )

    def _known(self) -> LocalKnowledge:
        """Give what was brought, and what the file's own store holds."""
        if self._store is None:
            return self._brought
        return LocalKnowledge(
            known_certs=[*self._brought.known_certs, *self._store.load_certs()],
            known_crls=[*self._brought.known_crls, *_lists_of(self._store)],
            known_ocsps=_answers_of(self._store),
        )

    def _stamped_later(self, one: EmbeddedPdfSignature) -> bool:
        return self._store is not None and self._is_under_stamp(one)

    @staticmethod
    def _is_under_stamp(one: EmbeddedPdfSignature) -> bool:
        stamps = one.reader.embedded_timestamp_signatures
        return any(each.signed_revision > one.signed_revision for each in stamps)

    def _spec(self, known: LocalKnowledge) -> SignatureValidationSpec:
        return SignatureValidationSpec(
            cert_validation_policy=self._policy,
            revinfo_gathering_policy=RevocationInfoGatheringSpec(
                online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY
            ),
            local_knowledge=known,
        )

    def _level(self, one: EmbeddedPdfSignature) -> str:
        """Name the level by what is there, as pyHanko itself names none."""
        kind = str(one.sig_object.get("/SubFilter", ""))
        if kind != "/ETSI.CAdES.detached":
            return kind.removeprefix("/")
        stamped = _count_stamps(one) > 0
        if self._store is None:
            return f"PAdES-BASELINE-{'T' if stamped or self._is_under_stamp(one) else 'B'}"
        return f"PAdES-BASELINE-{'LTA' if self._stamped_later(one) else 'LT'}" if stamped else "PAdES-BASELINE-B"


def _read_store(reader: PdfFileReader) -> DocumentSecurityStore | None:
    try:
        return DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        return None


def _lists_of(store: DocumentSecurityStore) -> list[CRLContainer]:
    return [CRLContainer(crl.CertificateList.load(each.get_object().data)) for each in store.crls]


def _answers_of(store: DocumentSecurityStore) -> list[OCSPContainer]:
    answers = (ocsp.OCSPResponse.load(each.get_object().data) for each in store.ocsps)
    return [each for answer in answers for each in OCSPContainer.load_multi(answer)]


def _count_stamps(one: EmbeddedPdfSignature) -> int:
    return sum(1 for _ in extract_tst_data_iter(one.signer_info, signed=False))


def _changed(one: EmbeddedPdfSignature) -> str:
    if one.coverage is SignatureCoverageLevel.UNCLEAR:
        return "unclear coverage"
    if one.summarise_integrity_info()["docmdp_ok"]:
        return ""
    return f"changed afterwards: {getattr(one.diff_result, 'modification_level', one.diff_result)}"


def _shortcoming(found: Any) -> str:
    if found.ades_subindic is AdESPassed.OK:
        return ""
    return "; ".join(filter(None, (found.ades_subindic.standard_name, found.failure_msg)))


def _word(one: EmbeddedPdfSignature, found: Any) -> Word:
    if _changed(one) or isinstance(found.ades_subindic, AdESFailure):
        return Word.REFUSED
    return Word.ACCEPTED if found.ades_subindic is AdESPassed.OK else Word.UNDECIDED


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
