"""One signature of a PDF by itself: digest, signed message, certificate, time."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from crypto.certificate import Certificate
from crypto.cms import CmsProblem, SignedData, SignerInfo, parse_signed_data, verify_signer
from crypto.digests import SM3, DigestAlgorithm
from crypto.errors import CryptoError, KeyRefused
from crypto.signatures import judging_key
from crypto.timestamp import TimestampProblem
from seal.evidence import MessageTraces
from seal.formats.pdf.contents_gm import GM_CMS
from seal.formats.pdf.contents_ses import GM_SEAL
from seal.formats.pdf.coverage import Covered
from seal.formats.pdf.findings import Code
from seal.formats.pdf.objects import Name, PdfObject
from seal.formats.pdf.reader import View
from seal.formats.pdf.shapes import encloses_digest, is_bare_value, is_seal
from seal.model import Finding, SealFacts, TimeSource
from seal.ses.judge import judge_ses
from seal.ses.traces import SesTraces
from seal.stamps import TOKEN_FINDINGS, judge_token, read_stamp
from seal.trust import Trust, judge_certificate
from seal.trust.embedded import embedded_facts

DOC_TIMESTAMP = "doc-timestamp"
_PADES, _PKCS7, _UNKNOWN = "pdf-pades", "pdf-pkcs7", "pdf"
_SES, _GM_CMS, _GM_ANY = "pdf-ses", "pdf-gm-cms", "pdf-gm"
_FORMATS: Mapping[PdfObject, str] = {
    Name("ETSI.CAdES.detached"): _PADES,
    Name("adbe.pkcs7.detached"): _PKCS7,
    Name("ETSI.RFC3161"): DOC_TIMESTAMP,
    Name(GM_SEAL): _SES,
    Name(GM_CMS): _GM_CMS,
    # Seen in the field for either: what stands in it tells.
    Name("GM.SM2"): _GM_ANY,
}
_MAY_ENCLOSE_DIGEST = frozenset({_GM_CMS, _PKCS7})
"""GB/T 35275 messages enclose the digest of what they sign, though they be called detached."""
_DATE = re.compile(
    rb"D:(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(\d{2})?(?:Z(?:00'?(?:00'?)?)?|([+-])(\d{2})'?(?:(\d{2})'?)?)?"
)
_CODES: Mapping[CmsProblem | TimestampProblem, Code] = {
    **{problem: Code[code] for problem, (code, _) in TOKEN_FINDINGS.items()},
    CmsProblem.DIGEST_MISMATCH: Code.DATA_HASH_MISMATCH,
    CmsProblem.CERTIFICATE_MISSING: Code.SIGNER_CERT_MISSING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one signature by itself amounts to."""

    format: str
    signer: str | None = None
    time: datetime | None = None
    time_source: TimeSource | None = None
    seal: SealFacts | None = None
    """The seal inside, where the signature has one."""
    findings: tuple[Finding, ...]
    traces: MessageTraces | SesTraces | None = None


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
    return _FORMATS.get(_filter(view, one), _UNKNOWN)


def _filter(view: View, one: Covered) -> PdfObject:
    found = view.resolve(one.entries.get("SubFilter"))
    return found if isinstance(found, Name) else None


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges signatures by themselves: not what was done to the document after them."""

    view: View
    trust: Trust
    at: datetime | None

    def judge(self, one: Covered) -> Judged:
        """Judge ``one``."""
        name = format_of(self.view, one)
        if name == _UNKNOWN:
            return self._unsupported(one)
        digests = _Digests(one.parts(self.view.document.data))
        try:
            if name == DOC_TIMESTAMP:
                return self._document_stamp(one, digests)
            if name == _SES or (name == _GM_ANY and is_seal(one.contents)):
                return self._seal(one, digests)
            return self._message(_GM_CMS if name == _GM_ANY else name, one, digests)
        except CryptoError as error:
            return Judged(format=name, findings=(Code.CMS_MALFORMED.found(str(error)),))

    def _unsupported(self, one: Covered) -> Judged:
        """Say that a kind is not judged; a detached message shows all the same whether other octets were signed."""
        findings = [Code.SUBFILTER_UNSUPPORTED.found(str(_filter(self.view, one)))]
        try:
            signed = parse_signed_data(one.contents)
            if signed.encapsulated is None and len(signed.signers) == 1:
                digests = _Digests(one.parts(self.view.document.data))
                findings += _mathematics(_UNKNOWN, signed, signed.signers[0], digests)
        except CryptoError:
            pass
        return Judged(format=_UNKNOWN, findings=tuple(findings))

    def _message(self, name: str, one: Covered, digests: _Digests) -> Judged:
        written = _date(self.view.resolve(one.entries.get("M")))
        if name == _GM_CMS and is_bare_value(one.contents):
            return _bare(written)
        signed = parse_signed_data(one.contents)
        if len(signed.signers) != 1:
            return Judged(format=name, findings=(Code.SIGNER_COUNT.found(f"{len(signed.signers)} signers"),))
        return self._signature(name, signed, written, digests)

    def _document_stamp(self, one: Covered, digests: _Digests) -> Judged:
        stamped = judge_token(one.contents, digests, self.trust, self.at)
        certificate = stamped.token.certificate
        return Judged(
            format=DOC_TIMESTAMP,
            signer=certificate.subject_text if certificate else None,
            time=stamped.token.gen_time,
            time_source=TimeSource.TIMESTAMP,
            findings=stamped.findings,
            traces=MessageTraces(
                message=stamped.token.signed,
                signer=stamped.token.signer,
                trust=self.trust,
                at=self.at or stamped.token.gen_time,
                role="TSA",
            ),
        )

    def _seal(self, one: Covered, digests: _Digests) -> Judged:
        judged = judge_ses(one.contents, digest=digests(SM3), trust=self.trust, at=self.at)
        return Judged(
            format=f"{_SES}-v{judged.layout}" if judged.layout else _SES,
            signer=judged.signer,
            seal=judged.seal,
            time=judged.time,
            time_source=judged.time_source,
            findings=judged.findings,
            traces=judged.traces,
        )

    def _signature(self, name: str, signed: SignedData, written: datetime | None, digests: _Digests) -> Judged:
        # 1. The mathematics. 2. When: proved by a timestamp, else as claimed. 3. The certificate at that time.
        signer = signed.signers[0]
        findings = list(_mathematics(name, signed, signer, digests))
        if name == _PADES and signer.signed_attributes_raw is None:
            # ETSI EN 319 142-1 6.3: without them the value says nothing of the certificate, nor what kind it is.
            findings.append(Code.CMS_MALFORMED.found("a PAdES signature without signed attributes"))
        time = claimed = signer.signing_time or written
        source = TimeSource.CLAIMED if claimed else None
        stamp = read_stamp(signer.timestamp_token, covered=signer.signature, trust=self.trust)
        findings += stamp.findings
        if stamp.time is not None:
            time, source = stamp.time, TimeSource.TIMESTAMP
        traces = MessageTraces(message=signed, signer=signer, trust=self.trust, at=self.at or time, proved=stamp.time)
        certificate = signer.certificate
        if certificate is None:
            return Judged(format=name, time=time, time_source=source, findings=tuple(findings), traces=traces)
        findings += self._certificate(certificate, signed, self.at or time, stamp.time)
        return Judged(
            format=f"{name}-{_kind(certificate)}" if name == _PADES else name,
            signer=certificate.subject_text,
            time=time,
            time_source=source,
            findings=tuple(findings),
            traces=traces,
        )

    def _certificate(
        self, certificate: Certificate, signed: SignedData, at: datetime | None, proved: datetime | None
    ) -> Iterable[Finding]:
        if at is None:
            return (Code.SIGN_TIME_UNKNOWN.found(),)
        return judge_certificate(
            certificate,
            others=signed.certificates,
            trust=self.trust,
            at=at,
            role="SIGNER",
            proved=proved,
            facts=embedded_facts(signed, signed.signers[0]),
        )


def _bare(written: datetime | None) -> Judged:
    return Judged(
        format=_GM_CMS,
        time=written,
        time_source=TimeSource.CLAIMED if written else None,
        findings=(Code.SIGNER_CERT_MISSING.found("the signature is a bare SM2 value"),),
    )


def _mathematics(name: str, signed: SignedData, signer: SignerInfo, digests: _Digests) -> Iterator[Finding]:
    if signed.encapsulated is not None and not (name in _MAY_ENCLOSE_DIGEST and encloses_digest(signed)):
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
    month, day, hour, minute, second = (
        part if part is not None else low for part, low in zip(rest, (1, 1, 0, 0, 0), strict=True)
    )
    zone: timezone = UTC
    if match[7]:
        offset = timedelta(hours=int(match[8]), minutes=int(match[9] or 0))
        zone = timezone(-offset if match[7] == b"-" else offset)
    try:
        return datetime(year or 1, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
