"""Verifying: what to make of a sealed document, whoever sealed it and whatever is in the file."""

import dataclasses
import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime

from crypto.digests import SHA256, sm3
from crypto.engines import default_engine
from crypto.errors import CryptoError
from kernel.clock import Clock, SystemClock
from kernel.errors import Reason, Refusal
from seal.errors import DocumentForged, DocumentTooLarge, DocumentUnreadable
from seal.evidence import with_evidence
from seal.formats_table import DOCUMENT_TYPES, DocumentType, document_type, is_ambiguous
from seal.model import FileFacts, Finding, Judgement, Report, SignatureReport, TimeSource, Verdict
from seal.sandbox import Limits, Sandbox, SandboxBusy, SandboxFailed
from seal.trust import Trust, TrustSource, judge_seal_status
from seal.trust.carried import decode_trust, encode_trust
from seal.wire import decode_report, encode_report
from seal.wording import wording

MAX_DOCUMENT = 64 * 1024 * 1024
_SEAL_NUMBER = re.compile(r"(?:^|(?<!\\),)CN=([0-9]{14})(?:,|$)")


class VerifierBusy(Refusal):
    """More documents are being verified than this machine has places for."""

    reason, code = Reason.TOO_MANY, "verifier_busy"


class Verifier:
    """Judges documents from anywhere, each in a limited process of its own; safe to share between threads."""

    def __init__(
        self,
        trust: Trust | TrustSource,
        *,
        limits: Limits | None = None,
        max_document: int = MAX_DOCUMENT,
        clock: Clock | None = None,
    ) -> None:
        """``trust`` is what is believed now and always, or a source that is asked before each document."""
        self.max_document = max_document
        self._source: TrustSource = _always(trust) if isinstance(trust, Trust) else trust
        self._clock = clock or SystemClock()
        self._sandboxes = _Sandboxes(limits)

    def verify(self, document: bytes, at: datetime | None = None, *, evidence: bool = False) -> Report:
        """Judge every signature of ``document`` at its time of sealing, or as of ``at``; tell ``evidence`` if asked.

        Refuses (UnsupportedDocument, DocumentTooLarge) what is no document of ours. A file that breaks or exhausts
        its reader is answered with CANNOT_VERIFY: indeterminate, neither valid nor forged.
        """
        asked = {"evidence": evidence}
        return self._judged(document, at, self._clock.now(), self._source(), asked)

    def explain(self, document: bytes, at: datetime | None = None, *, name: str | None = None) -> Judgement:
        """Judge as ``verify`` does, and give all that a validation report is written from; ``name`` is the file's."""
        now, trust = self._clock.now(), self._source()
        return Judgement(
            report=self._judged(document, at, now, trust, {"evidence": True}),
            file=FileFacts(
                name=name,
                media_type=document_type(document).media_type,
                size=len(document),
                sm3=sm3(document),
                sha256=SHA256.digest(document),
            ),
            judged_at=now,
            as_of=at,
            register_asked=trust.seal_status is not None,
        )

    def _judged(
        self, document: bytes, at: datetime | None, now: datetime, trust: Trust, asked: Mapping[str, bool]
    ) -> Report:
        check_size(document, self.max_document)
        document_type(document)
        head = {"at": at.isoformat() if at else None, "now": now.isoformat(), **asked}
        try:
            report = decode_report(self._sandboxes.run(trust, json.dumps(head).encode() + b"\n" + document))
        except SandboxBusy as error:
            raise VerifierBusy("Too many documents are being verified; try again shortly.") from error
        except (SandboxFailed, ValueError) as error:
            return cannot_verify(str(error))
        return with_seal_status(report, trust, at)

    def examine(self, document: bytes) -> None:
        """Refuse a document that is to be sealed and must not be.

        No file comes near our own process that breaks its reader, and no seal is put under a forged signature.
        """
        report = self._judged(document, None, self._clock.now(), self._source(), {"through": True})
        if any(finding.code == "CANNOT_VERIFY" for finding in report.findings):
            raise DocumentUnreadable("The document could not be read to the end; it was not sealed.")
        if report.verdict is Verdict.INVALID:
            raise DocumentForged("The document bears an invalid signature already, or is damaged; it was not sealed.")

    def close(self) -> None:
        """End the fork server; the next call starts another."""
        self._sandboxes.close()


def _always(trust: Trust) -> TrustSource:
    return lambda: trust


class _Sandboxes:
    """The sandbox that was set up with the trust of now; an older one ends with the last job it has."""

    def __init__(self, limits: Limits | None) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._trust: Trust | None = None
        self._current: _Counted | None = None

    def run(self, trust: Trust, job: bytes) -> bytes:
        counted = self._take(trust)
        try:
            return counted.sandbox.run(job)
        finally:
            self._give_back(counted)

    def _take(self, trust: Trust) -> "_Counted":
        with self._lock:
            if self._current is None or trust is not self._trust:
                old = self._current
                setup = encode_trust(trust)
                self._current = _Counted(Sandbox("seal.verifying:make_judge", setup, self._limits))
                self._trust = trust
                if old is not None and not old.jobs:
                    old.sandbox.close()
            self._current.jobs += 1
            return self._current

    def _give_back(self, counted: "_Counted") -> None:
        with self._lock:
            counted.jobs -= 1
            if counted is not self._current and not counted.jobs:
                counted.sandbox.close()

    def close(self) -> None:
        with self._lock:
            if self._current is not None:
                self._current.sandbox.close()


@dataclasses.dataclass(slots=True)
class _Counted:
    sandbox: Sandbox
    jobs: int = 0


def verify_in_process(
    document: bytes,
    trust: Trust,
    at: datetime | None = None,
    *,
    among: Iterable[DocumentType] = DOCUMENT_TYPES,
    now: datetime | None = None,
) -> Report:
    """Judge ``document`` right here, without limits: for documents that we made ourselves.

    Facts about revocation that claim to be younger than ``now`` (the machine's clock if left out) are not believed.
    """
    bare = dataclasses.replace(trust, seal_status=None, now=now or SystemClock().now())
    among = tuple(among)
    report = document_type(document, among).judge(document, bare, at)
    if is_ambiguous(document, among):
        finding = Finding(code="DOCUMENT_AMBIGUOUS", verdict=Verdict.INDETERMINATE)
        report = dataclasses.replace(report, findings=(*report.findings, finding))
    return with_seal_status(_with_words_on_time(report), trust, at)


def _with_words_on_time(report: Report) -> Report:
    """Note of each signature that is not refuted whether its time is only claimed: nothing in its format says so."""
    return dataclasses.replace(report, signatures=tuple(map(_with_word_on_time, report.signatures)))


def _with_word_on_time(signature: SignatureReport) -> SignatureReport:
    if signature.time_source is not TimeSource.CLAIMED or signature.verdict is Verdict.INVALID:
        return signature
    note = Finding(code="TIME_NOT_PROVED", verdict=Verdict.VALID)
    return dataclasses.replace(signature, findings=(*signature.findings, note))


def check_size(document: bytes, most: int) -> None:
    """Refuse a document of more than ``most`` octets."""
    if len(document) > most:
        raise DocumentTooLarge(f"The file has {len(document)} octets; {most} are taken.")


def cannot_verify(why: str) -> Report:
    """Give the report on a file that could not be read to the end."""
    finding = Finding(code="CANNOT_VERIFY", verdict=Verdict.INDETERMINATE, detail=why)
    return Report(signatures=(), findings=(finding,))


def with_seal_status(report: Report, trust: Trust, at: datetime | None) -> Report:
    """Add what the register says of each seal at its time of sealing. Only this process can ask the register."""
    if trust.seal_status is None:
        return report
    return dataclasses.replace(
        report, signatures=tuple(_with_status(signature, trust, at) for signature in report.signatures)
    )


def seal_number(signature: SignatureReport) -> str | None:
    """Give the number of the seal that signed, as seal or certificate tell it; None if neither does."""
    # A PAdES signature embeds no seal; a seal's certificate bears its number as common name.
    named = _SEAL_NUMBER.search(signature.signer or "")
    return signature.seal.id if signature.seal else named[1] if named else None


def _with_status(signature: SignatureReport, trust: Trust, at: datetime | None) -> SignatureReport:
    number = seal_number(signature)
    when = at or signature.time
    if number is None or when is None:
        return signature
    added = judge_seal_status(number, trust=trust, at=when)
    return dataclasses.replace(signature, findings=signature.findings + added)


# --- in the child ----------------------------------------------------------------------------------------------


def make_judge(setup: bytes) -> Callable[[bytes], bytes]:
    """Make the work of the sandbox's children: judge the document of a job under the trust of ``setup``."""
    trust = decode_trust(setup)
    _warm_up(trust)

    def judge(job: bytes) -> bytes:
        head, _, document = job.partition(b"\n")
        asked = json.loads(head)
        at = datetime.fromisoformat(asked["at"]) if asked["at"] else None
        now = datetime.fromisoformat(asked["now"])
        report = verify_in_process(document, trust, at, now=now)
        read_through = document_type(document).read_through if asked.get("through") else None
        if read_through is not None:
            read_through(document)
        return encode_report(with_evidence(report) if asked.get("evidence") else report)

    return judge


def _warm_up(trust: Trust) -> None:
    """Load now, once, what every child would load anew with its first signature: engines, keys, lazy imports."""
    with suppress(CryptoError):
        default_engine()
    for anchor in trust.anchors:
        with suppress(CryptoError):
            anchor.issued_by(anchor)
    trust.facts.verify_beforehand((*trust.anchors, *trust.intermediates))
    sm3(b"")
    datetime.strptime("20261122080000Z", "%Y%m%d%H%M%S%z")


# --- for outsiders ---------------------------------------------------------------------------------------------


def report_json(report: Report, *, file: str | None = None) -> dict[str, object]:
    """Give the report as outsiders rely on it: codes to act on, words in Chinese and English to read."""
    named: dict[str, object] = {} if file is None else {"file": file}
    return named | {
        "verdict": report.verdict.value,
        "signatures": [_signature_json(signature) for signature in report.signatures],
        "findings": [_finding_json(finding) for finding in report.findings],
    }


def _signature_json(signature: SignatureReport) -> dict[str, object]:
    seal = signature.seal
    return {
        "format": signature.format,
        "level": signature.level,
        "verdict": signature.verdict.value,
        "signer": signature.signer,
        "seal": None
        if seal is None
        else {
            "id": seal.id,
            "name": seal.name,
            "kind": seal.kind,
            "valid_from": seal.valid_from.isoformat(),
            "valid_to": seal.valid_to.isoformat(),
        },
        "time": signature.time.isoformat() if signature.time else None,
        "time_source": signature.time_source.value if signature.time_source else None,
        "findings": [_finding_json(finding) for finding in signature.findings],
    }


def _finding_json(finding: Finding) -> dict[str, object]:
    chinese, english = wording(finding.code)
    return {
        "code": finding.code,
        "verdict": finding.verdict.value,
        "detail": finding.detail,
        "zh": chinese,
        "en": english,
    }
