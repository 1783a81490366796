"""One signature of a PDF by itself: digest, signed message, certificate, time."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

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
from seal.formats.pdf.dss import Stores
from seal.formats.pdf.findings import Code
from seal.formats.pdf.levels import Provided, reached
from seal.formats.pdf.objects import Name, PdfObject
from seal.formats.pdf.reader import View
from seal.formats.pdf.shapes import GM_ANY, encloses_digest, is_bare_value, is_seal
from seal.model import Finding, SealFacts, TimeSource, Verdict
from seal.ses.judge import judge_ses
from seal.ses.traces import SesTraces
from seal.stamps import TOKEN_FINDINGS, Backing, Stamp, judge_token, read_stamp
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
    Name(GM_ANY): _GM_ANY,
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
    level: str | None = None
    proof: datetime | None = None
    """Of a document time stamp that holds: by when all before it was there."""
    traces: MessageTraces | SesTraces | None = None


class Proof(NamedTuple):
    """A document time stamp that holds."""

    time: datetime
    revision: int
    """Index of the revision it ends with: it is over all that stands there."""


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


class _Case(NamedTuple):
    """One signature, and what is known around it."""

    name: str
    signed: SignedData
    written: datetime | None
    """/M."""
    digests: _Digests
    proofs: tuple[Proof, ...]

    def provided(self, stamped: datetime | None, trust: Trust, stores: Stores) -> Provided:
        """Gather what decides the level."""
        return Provided(
            signed=self.signed,
            stamped=stamped,
            there=_earliest(self.proofs),
            covered=max((each.revision for each in self.proofs), default=None),
            trust=trust,
            stores=stores,
        )


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges signatures by themselves: not what was done to the document after them."""

    view: View
    trust: Trust
    at: datetime | None
    stores: Stores

    def judge_all(self, held: Iterable[Covered]) -> dict[int, Judged]:
        """Judge signatures, given in the order of what they cover; give each by its place.

        The newest first: a document time stamp that holds shows that all it covers was there, earlier stamps included.
        """
        found: dict[int, Judged] = {}
        proofs: list[Proof] = []
        for place, one in reversed(tuple(enumerate(held))):
            judged = found[place] = self.judge(one, tuple(each for each in proofs if each.revision > one.revision))
            if judged.proof is not None and (self.at is None or judged.proof <= self.at):
                proofs.append(Proof(judged.proof, one.revision))
        return found

    def judge(self, one: Covered, proofs: tuple[Proof, ...]) -> Judged:
        """Judge ``one``, given what later document time stamps prove."""
        name = format_of(self.view, one)
        if name == _UNKNOWN:
            return self._unsupported(one)
        digests = _Digests(one.parts(self.view.document.data))
        try:
            if name == DOC_TIMESTAMP:
                return self._document_stamp(one, digests, proofs)
            if name == _SES or (name == _GM_ANY and is_seal(one.contents)):
                return self._seal(one, digests, _earliest(proofs))
            return self._message(_GM_CMS if name == _GM_ANY else name, one, digests, proofs)
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

    def _message(self, name: str, one: Covered, digests: _Digests, proofs: tuple[Proof, ...]) -> Judged:
        written = _date(self.view.resolve(one.entries.get("M")))
        if name == _GM_CMS and is_bare_value(one.contents):
            return _bare(written)
        signed = parse_signed_data(one.contents)
        if len(signed.signers) != 1:
            return Judged(format=name, findings=(Code.SIGNER_COUNT.found(f"{len(signed.signers)} signers"),))
        return self._signature(_Case(name, signed, written, digests, proofs))

    def _document_stamp(self, one: Covered, digests: _Digests, proofs: tuple[Proof, ...]) -> Judged:
        stamped = judge_token(one.contents, digests, self.trust, self.at, self._backing(proofs))
        certificate = stamped.token.certificate
        return Judged(
            format=DOC_TIMESTAMP,
            signer=certificate.subject_text if certificate else None,
            time=stamped.token.gen_time,
            time_source=TimeSource.TIMESTAMP,
            findings=stamped.findings,
            proof=stamped.proved,
            traces=MessageTraces(
                message=stamped.token.signed,
                signer=stamped.token.signer,
                trust=self.trust,
                at=self.at or stamped.token.gen_time,
                role="TSA",
                backing=self._backing(proofs),
            ),
        )

    def _seal(self, one: Covered, digests: _Digests, there: datetime | None) -> Judged:
        judged = judge_ses(one.contents, digest=digests(SM3), trust=self.trust, at=self.at)
        if there is not None and judged.time_source is TimeSource.CLAIMED:
            # As for messages: a document time stamp can only help.
            proved = judge_ses(one.contents, digest=digests(SM3), trust=self.trust, at=self.at, there=there)
            if all(each.verdict is Verdict.VALID for each in proved.findings):
                judged = proved
        return Judged(
            format=f"{_SES}-v{judged.layout}" if judged.layout else _SES,
            signer=judged.signer,
            seal=judged.seal,
            time=judged.time,
            time_source=judged.time_source,
            findings=judged.findings,
            traces=judged.traces,
        )

    def _before(self, time: datetime | None) -> bool:
        """Tell whether it is asked as of a moment before ``time``."""
        return self.at is not None and time is not None and self.at < time

    def _backing(self, proofs: tuple[Proof, ...]) -> Backing:
        store = self.stores.all
        return Backing(certificates=store.certificates, facts=store.facts, proved=_earliest(proofs))

    def _signature(self, case: _Case) -> Judged:
        # 1. The mathematics. 2. When: proved by a timestamp, by a document timestamp over it, else as claimed.
        # 3. The certificate at that time. 4. How well all of that is provided for.
        signed, name = case.signed, case.name
        signer = signed.signers[0]
        findings = list(_mathematics(name, signed, signer, case.digests))
        if name == _PADES and signer.signed_attributes_raw is None:
            # ETSI EN 319 142-1 6.3: without them the value says nothing of the certificate, nor what kind it is.
            findings.append(Code.CMS_MALFORMED.found("a PAdES signature without signed attributes"))
        stamp = read_stamp(
            signer.timestamp_token,
            covered=signer.signature,
            trust=self.trust,
            at=self.at,
            backing=self._backing(case.proofs),
        )
        findings += stamp.findings
        certificate = signer.certificate
        time, source = _when(stamp, case)
        if certificate is not None:
            time, source, found = self._certificate(certificate, case, stamp)
            findings += found
        traces = MessageTraces(
            message=signed,
            signer=signer,
            trust=self.trust,
            at=time if source is TimeSource.TIMESTAMP and not self._before(time) else self.at or time,
            proved=time if source is TimeSource.TIMESTAMP else None,
            backing=self._backing(case.proofs),
        )
        if certificate is None:
            return Judged(format=name, time=time, time_source=source, findings=tuple(findings), traces=traces)
        sound = name == _PADES and all(each.verdict is not Verdict.INVALID for each in findings)
        return Judged(
            format=f"{name}-{_kind(certificate)}" if name == _PADES else name,
            signer=certificate.subject_text,
            time=time,
            time_source=source,
            findings=tuple(findings),
            level=reached(case.provided(stamp.time, self.trust, self.stores)) if sound else None,
            traces=traces,
        )

    def _certificate(
        self, certificate: Certificate, case: _Case, stamp: Stamp
    ) -> tuple[datetime | None, TimeSource | None, tuple[Finding, ...]]:
        """Judge the certificate at the time that is proved; give that time too."""
        there = _earliest(case.proofs)
        time, source = _when(stamp, case)
        if stamp.time is None and there is not None:
            # A document time stamp can only help: one that came after the certificate's end leaves the claim standing.
            found = self._at(certificate, case, there, there)
            if not any(each.verdict is not Verdict.VALID for each in found):
                return there, TimeSource.TIMESTAMP, found
        if time is None:
            unknown = (Code.SIGN_TIME_UNKNOWN.found(),)
            return None, None, unknown if self.at is None else self._at(certificate, case, self.at, None)
        at = time if self.at is None or (stamp.time is not None and stamp.time <= self.at) else self.at
        proved = None if stamp.time is None else _least(stamp.time, there)
        return time, source, self._at(certificate, case, at, proved)

    def _at(self, certificate: Certificate, case: _Case, at: datetime, proved: datetime | None) -> tuple[Finding, ...]:
        store = self.stores.all
        return judge_certificate(
            certificate,
            others=(*case.signed.certificates, *store.certificates),
            trust=self.trust,
            at=at,
            role="SIGNER",
            proved=proved,
            facts=embedded_facts(case.signed, case.signed.signers[0]) + store.facts,
        )


def _when(stamp: Stamp, case: _Case) -> tuple[datetime | None, TimeSource | None]:
    if stamp.time is not None:
        return stamp.time, TimeSource.TIMESTAMP
    claimed = case.signed.signers[0].signing_time or case.written
    return claimed, TimeSource.CLAIMED if claimed else None


def _earliest(proofs: tuple[Proof, ...]) -> datetime | None:
    return min((each.time for each in proofs), default=None)


def _least(first: datetime | None, second: datetime | None) -> datetime | None:
    return min((each for each in (first, second) if each is not None), default=None)


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
    try:
        zone: timezone = UTC
        if match[7]:
            offset = timedelta(hours=int(match[8]), minutes=int(match[9] or 0))
            zone = timezone(-offset if match[7] == b"-" else offset)
        return datetime(year or 1, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
