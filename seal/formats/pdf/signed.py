"""One signature of a PDF by itself: digest, signed message, certificate, time."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
import re

from crypto.certificate import Certificate
from crypto.cms import CmsProblem, SignedData, SignerInfo, parse_signed_data, verify_signer
from crypto.digests import DigestAlgorithm
from crypto.errors import CryptoError, KeyRefused
from crypto.signatures import judging_key
from seal.formats.pdf.coverage import Covered
from seal.formats.pdf.findings import Code
from seal.formats.pdf.objects import Name, PdfObject
from seal.formats.pdf.reader import View
from seal.model import Finding, TimeSource
from seal.trust import Trust, judge_certificate

_PADES, _PKCS7, _TIMESTAMP = Name("ETSI.CAdES.detached"), Name("adbe.pkcs7.detached"), Name("ETSI.RFC3161")
_FORMATS: Mapping[PdfObject, str] = {_PADES: "pdf-pades", _PKCS7: "pdf-pkcs7", _TIMESTAMP: "doc-timestamp"}
_DATE = re.compile(
    rb"D:(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(\d{2})?(?:Z(?:00'?(?:00'?)?)?|([+-])(\d{2})'?(?:(\d{2})'?)?)?"
)
_CODES: Mapping[CmsProblem, Code] = {
    CmsProblem.DIGEST_MISMATCH: Code.DATA_HASH_MISMATCH,
    CmsProblem.SIGNATURE_INVALID: Code.SIGNATURE_INVALID,
    CmsProblem.CERTIFICATE_MISSING: Code.SIGNER_CERT_MISSING,
    CmsProblem.SIGNING_CERTIFICATE_MISMATCH: Code.SIGNING_CERT_MISMATCH,
    CmsProblem.ATTRIBUTES_MALFORMED: Code.CMS_MALFORMED,
    CmsProblem.CONTENT_TYPE_MISMATCH: Code.CMS_MALFORMED,
    CmsProblem.ALGORITHM_UNSUPPORTED: Code.ALGORITHM_UNSUPPORTED,
    CmsProblem.WEAK_DIGEST: Code.ALGORITHM_WEAK,
    CmsProblem.WEAK_KEY: Code.ALGORITHM_WEAK,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one signature by itself amounts to."""

    format: str
    signer: str | None = None
    time: datetime | None = None
    time_source: TimeSource | None = None
    findings: tuple[Finding, ...]


class _Digests:
    """The digests of what a signature covers, each computed once."""

    def __init__(self, parts: tuple[memoryview, memoryview]) -> None:
        self._parts = parts
        self._known: dict[str, bytes] = {}

    def __call__(self, algorithm: DigestAlgorithm) -> bytes:
        if algorithm.name not in self._known:
            self._known[algorithm.name] = algorithm.digest(*self._parts)
        return self._known[algorithm.name]


def format_of(view: View, one: Covered) -> str:
    """Name the kind of a signature; "pdf" if it is of none that is judged here."""
    return _FORMATS.get(_filter(view, one), "pdf")


def _filter(view: View, one: Covered) -> PdfObject:
    found = view.resolve(one.entries.get("SubFilter"))
    return found if isinstance(found, Name) else None


def judge_signature(data: bytes, view: View, one: Covered, trust: Trust, at: datetime | None) -> Judged:
    """Judge ``one`` by itself: not what was done to the document after it."""
    name = format_of(view, one)
    if name == "pdf":
        return Judged(format=name, findings=(Code.SUBFILTER_UNSUPPORTED.found(str(_filter(view, one))),))
    digests = _Digests(one.parts(data))
    try:
        signed = parse_signed_data(one.contents)
        if len(signed.signers) != 1:
            return Judged(format=name, findings=(Code.SIGNER_COUNT.found(f"{len(signed.signers)} signers"),))
        return _judge(name, view, one, signed, digests, trust, at)
    except CryptoError as error:
        return Judged(format=name, findings=(Code.CMS_MALFORMED.found(str(error)),))


def _judge(
    name: str, view: View, one: Covered, signed: SignedData, digests: _Digests, trust: Trust, at: datetime | None
) -> Judged:
    signer = signed.signers[0]
    findings = list(_signature(signed, signer, digests, trust, is_pades=name == _FORMATS[_PADES]))
    claimed = signer.signing_time or _date(view.resolve(one.entries.get("M")))
    certificate = signer.certificate
    if certificate is None:
        return Judged(format=name, time=claimed, time_source=TimeSource.CLAIMED if claimed else None, findings=tuple(findings))
    judged_at = at or claimed
    if judged_at is None:
        findings.append(Code.SIGN_TIME_UNKNOWN.found())
    else:
        findings += judge_certificate(certificate, others=signed.certificates, trust=trust, at=judged_at, role="SIGNER")
    return Judged(
        format=f"{name}-{_kind(certificate)}" if name == _FORMATS[_PADES] else name,
        signer=certificate.subject_text,
        time=claimed,
        time_source=TimeSource.CLAIMED if claimed else None,
        findings=tuple(findings),
    )


def _signature(
    signed: SignedData, signer: SignerInfo, digests: _Digests, trust: Trust, *, is_pades: bool
) -> Iterator[Finding]:
    if signed.encapsulated is not None:
        yield Code.CONTENT_ENCAPSULATED.found()
    for problem in verify_signer(signed, signer, digests):
        yield _CODES[problem].found(problem.value)
    if signer.signing_certificate_matches is None and signer.certificate is not None:
        yield Code.SIGNING_CERT_NOT_BOUND.found()


def _kind(certificate: Certificate) -> str:
    try:
        return judging_key(certificate.spki).kind.value
    except KeyRefused:
        return "unknown"


def _date(value: PdfObject) -> datetime | None:
    """Read a PDF date (7.9.4); None if it is none, or names no zone."""
    match = _DATE.fullmatch(value.strip()) if isinstance(value, bytes) else None
    if match is None:
        return None
    year, *rest = (int(part) if part else None for part in match.groups()[:6])
    month, day, hour, minute, second = (part if part is not None else low for part, low in zip(rest, (1, 1, 0, 0, 0), strict=True))
    zone: timezone = UTC
    if match[7]:
        offset = timedelta(hours=int(match[8]), minutes=int(match[9] or 0))
        zone = timezone(-offset if match[7] == b"-" else offset)
    try:
        return datetime(year or 1, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
