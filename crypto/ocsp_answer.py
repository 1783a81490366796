"""OCSP answers (RFC 6960 4.2): written from DER templates, read as received, judged for one certificate."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Literal

from crypto import der
from crypto.certificate import Certificate
from crypto.digests import SHA1
from crypto.errors import CertificateError, DerError, OcspError
from crypto.extensions import OCSP_NO_CHECK, OCSP_SIGNING
from crypto.issuing import algorithm_identifier
from crypto.keys import Signer, require_fit
from crypto.names import NameParts, same_name
from crypto.ocsp import (
    BASIC,
    MAX_ASKED,
    NONCE,
    CertId,
    CertStatus,
    ResponseStatus,
    SingleAnswer,
    nonce_extension,
    read_extensions,
    read_nonce,
)
from crypto.revoked import RevocationReason, Revoked
from crypto.signatures import Scheme, made_by, scheme_of
from crypto.suites import Usage

MAX_ANSWER = 256 * 1024
"""Octets of an answer at most."""
MAX_ENCLOSED = 8
"""Certificates within an answer at most."""
SKEW = timedelta(minutes=5)
"""How far a responder's clock may be ahead of ours."""
DAY = timedelta(days=1)

_ENUMERATED = 0x0A
_GOOD, _REVOKED, _UNKNOWN = der.context(0, constructed=False), der.context(1), der.context(2, constructed=False)
_BY_NAME, _BY_KEY = der.context(1), der.context(2)


class OcspProblem(StrEnum):
    """Why an answer says nothing of a certificate."""

    NOT_SUCCESSFUL = "not_successful"
    """The responder would not or could not answer."""
    NOT_ANSWERED = "not_answered"
    """The answer speaks of other certificates."""
    RESPONDER_UNKNOWN = "responder_unknown"
    """No certificate is at hand for whoever signed."""
    RESPONDER_UNAUTHORISED = "responder_unauthorised"
    """Not the issuer, and not one the issuer appointed: issued by it, valid then, for OCSPSigning (4.2.2.2)."""
    SIGNATURE_INVALID = "signature_invalid"
    NONCE_MISMATCH = "nonce_mismatch"
    """The answer is not to this question."""
    NOT_YET_VALID = "not_yet_valid"
    """Made or speaking from a time still to come."""
    STALE = "stale"
    """Newer word should have been had (4.2.2.1)."""
    CRITICAL_EXTENSION = "critical_extension"


@dataclass(frozen=True, kw_only=True)
class OcspAnswer:
    """An answer as it was received; nothing here has been verified. Without SUCCESSFUL all the rest is empty."""

    status: ResponseStatus
    raw: bytes = field(repr=False)
    tbs: bytes = field(default=b"", compare=False, repr=False)
    responder_name: bytes | None = field(default=None, compare=False, repr=False)
    responder_key: bytes | None = field(default=None, compare=False, repr=False)
    """SHA-1 of the responder's key bits; this or the name is set."""
    produced_at: datetime | None = field(default=None, compare=False)
    answers: tuple[SingleAnswer, ...] = field(default=(), compare=False)
    nonce: bytes | None = field(default=None, compare=False, repr=False)
    critical: frozenset[str] = field(default=frozenset(), compare=False)
    """Critical extensions that are not understood."""
    scheme: Scheme | None = field(default=None, compare=False, repr=False)
    signature: bytes = field(default=b"", compare=False, repr=False)
    certificates: tuple[Certificate, ...] = field(default=(), compare=False, repr=False)

    def about(self, certificate: Certificate, issuer: Certificate) -> SingleAnswer | None:
        """Give what is said of ``certificate``, the newest word if there are several."""
        said = [each for each in self.answers if each.cert_id.names(certificate, issuer)]
        return max(said, key=lambda each: each.this_update, default=None)

    def responders(self, issuer: Certificate, others: Iterable[Certificate] = ()) -> tuple[Certificate, ...]:
        """Find certificates of whoever signed: the issuer's, those enclosed, or of ``others``; no more than a few."""
        named = (each for each in (issuer, *self.certificates, *others) if self._is_by(each))
        return tuple(dict.fromkeys(named))[:MAX_ENCLOSED]

    def _is_by(self, certificate: Certificate) -> bool:
        if self.responder_key is not None:
            return _key_hash(certificate) == self.responder_key
        return self.responder_name is not None and same_name(self.responder_name, certificate.subject)

    def signed_by(self, spki: bytes) -> bool:
        """Whether the key in ``spki`` made the signature, with a digest and a size that still count."""
        return made_by(spki, self.scheme, self.tbs, self.signature)


def verify_answer(  # noqa: PLR0913 - an answer is judged against as many things
    answer: OcspAnswer,
    certificate: Certificate,
    *,
    issuer: Certificate,
    at: datetime,
    nonce: bytes | None = None,
    others: Iterable[Certificate] = (),
    max_age: timedelta = DAY,
) -> tuple[OcspProblem, ...]:
    """Judge whether ``answer`` is good word on ``certificate`` at ``at``; an empty answer means all held.

    ``nonce`` is the one that was sent, if any. ``max_age`` bounds an answer that names no next update. Whether a
    delegated responder was itself revoked is for ``crypto.revocation``.
    """
    # 1. It is an answer, and to this question.
    # 2. Whoever signed it may, and did.
    # 3. It is from now: not from the future, not stale.
    if answer.status is not ResponseStatus.SUCCESSFUL:
        return (OcspProblem.NOT_SUCCESSFUL,)
    found = list(signature_problems(answer, issuer, others=tuple(others)))
    if nonce is not None and answer.nonce != nonce:
        found.append(OcspProblem.NONCE_MISMATCH)
    said = answer.about(certificate, issuer)
    if said is None:
        return (*found, OcspProblem.NOT_ANSWERED)
    if said.this_update > at + SKEW or (answer.produced_at is not None and answer.produced_at > at + SKEW):
        found.append(OcspProblem.NOT_YET_VALID)
    if at > said.next_update if said.next_update is not None else at - said.this_update > max_age:
        found.append(OcspProblem.STALE)
    return tuple(dict.fromkeys(found))


def signature_problems(
    answer: OcspAnswer, issuer: Certificate, *, others: Iterable[Certificate] = ()
) -> tuple[OcspProblem, ...]:
    """Judge who signed ``answer`` and whether they may speak for ``issuer``, whatever it says and of when."""
    if answer.critical:
        return (OcspProblem.CRITICAL_EXTENSION,)
    candidates = answer.responders(issuer, others)
    if not candidates:
        return (OcspProblem.RESPONDER_UNKNOWN,)
    if not any(_may_answer(each, issuer, answer.produced_at) for each in candidates):
        return (OcspProblem.RESPONDER_UNAUTHORISED,)
    return () if signing_responder(answer, issuer, others=others) is not None else (OcspProblem.SIGNATURE_INVALID,)


def signing_responder(
    answer: OcspAnswer, issuer: Certificate, *, others: Iterable[Certificate] = ()
) -> Certificate | None:
    """Give the certificate that may speak for ``issuer`` and whose key signed ``answer``; None if there is none."""
    for each in answer.responders(issuer, others):
        if _may_answer(each, issuer, answer.produced_at) and answer.signed_by(each.spki):
            return each
    return None


def needs_no_check(responder: Certificate) -> bool:
    """Whether nobody need ask if this responder's certificate was revoked (RFC 6960 4.2.2.2.1)."""
    return OCSP_NO_CHECK in responder.extensions.oids


def _may_answer(responder: Certificate, issuer: Certificate, produced_at: datetime | None) -> bool:
    if responder.spki == issuer.spki and same_name(responder.subject, issuer.subject):
        return True
    usage = responder.key_usage
    return (
        OCSP_SIGNING in responder.extended_key_usage
        and (usage is None or bool(usage & {"digital_signature", "content_commitment"}))
        and not responder.extensions.not_understood
        and produced_at is not None
        and responder.valid_at(produced_at)
        and not (responder.scheme is not None and responder.scheme.weak)
        and responder.issued_by(issuer)
    )


# --- writing ---------------------------------------------------------------------------------------------------


class OcspTemplate:
    """One responder's answers, all but the statement and the signature encoded once.

    ``responder`` is the issuing authority's own certificate, which is then not enclosed, or one it appointed.
    """

    def __init__(
        self, responder: Certificate, signer: Signer, *, issuer: Certificate, by: Literal["key", "name"] = "key"
    ) -> None:
        own = responder.spki == issuer.spki
        if signer.public_key.spki != responder.spki:
            raise OcspError("the signing key is not the responder's")
        if not own and not (OCSP_SIGNING in responder.extended_key_usage and responder.issued_by(issuer)):
            raise OcspError("the issuer did not appoint this responder")
        require_fit(signer.suite, signer.public_key, Usage.CERTIFICATE)
        self._signer = signer
        name, key = der.explicit(1, responder.subject), der.explicit(2, der.octet_string(_key_hash(responder)))
        self._id = key if by == "key" else name
        self._algorithm = algorithm_identifier(signer.suite)
        self._certificates = b"" if own else der.explicit(0, der.sequence(responder.raw))
        self._head = der.tlv(_ENUMERATED, bytes((ResponseStatus.SUCCESSFUL.value,)))
        self._kind = der.oid(BASIC)

    def answer(self, said: Sequence[SingleAnswer], *, produced_at: datetime, nonce: bytes | None = None) -> bytes:
        """Sign what is said; DER of an OCSPResponse."""
        if not 1 <= len(said) <= MAX_ASKED:
            raise OcspError(f"an answer speaks of 1 to {MAX_ASKED} certificates")
        tbs = der.sequence(
            self._id,
            _time(produced_at),
            der.sequence(*map(_single, said)),
            b"" if nonce is None else der.explicit(1, der.sequence(nonce_extension(nonce))),
        )
        basic = der.sequence(tbs, self._algorithm, der.bit_string(self._signer.sign(tbs)), self._certificates)
        return der.sequence(self._head, der.explicit(0, der.sequence(self._kind, der.octet_string(basic))))


def refusal(status: ResponseStatus) -> bytes:
    """Write the answer that is none; unsigned (RFC 6960 2.3)."""
    if status is ResponseStatus.SUCCESSFUL:
        raise OcspError("a successful answer says something")
    return der.sequence(der.tlv(_ENUMERATED, bytes((status.value,))))


# The same few seconds are written in answer after answer.
_time = lru_cache(maxsize=256)(der.generalized_time)


def _single(said: SingleAnswer) -> bytes:
    return der.sequence(
        said.cert_id.raw,
        _status(said),
        _time(said.this_update),
        b"" if said.next_update is None else der.explicit(0, _time(said.next_update)),
    )


def _status(said: SingleAnswer) -> bytes:
    if (said.status is CertStatus.REVOKED) != (said.revoked is not None):
        raise OcspError("a revoked certificate was revoked at a time, another was not")
    if said.revoked is None:
        return bytes((_GOOD if said.status is CertStatus.GOOD else _UNKNOWN, 0))
    reason = said.revoked.reason
    stated = b""
    if reason is not RevocationReason.UNSPECIFIED:
        stated = der.explicit(0, der.tlv(_ENUMERATED, bytes((reason.value,))))
    return der.explicit(1, der.generalized_time(said.revoked.at), stated)


def _key_hash(certificate: Certificate) -> bytes:
    return SHA1.digest(der.parse(certificate.spki)[1].as_bits())


# --- reading ---------------------------------------------------------------------------------------------------


def parse_answer(data: bytes) -> OcspAnswer:
    """Read an OCSPResponse; an OcspError for rubbish and for too much."""
    try:
        return _read_answer(der.parse(data, max_size=MAX_ANSWER))
    except DerError as error:
        raise OcspError(f"not an OCSP answer: {error}") from error


def _read_answer(outer: der.Node) -> OcspAnswer:
    fields = outer.expect(der.SEQUENCE).children()
    if not fields:
        raise DerError("the answer is empty")
    number = fields[0].expect(_ENUMERATED).as_int()
    status = next((each for each in ResponseStatus if each.value == number), None)
    if status is None:
        raise DerError(f"the status {number} is not one")
    if status is not ResponseStatus.SUCCESSFUL:
        return OcspAnswer(status=status, raw=outer.raw)
    if len(fields) != 2:  # noqa: PLR2004 - status, answer
        raise DerError("a successful answer says something")
    said = fields[1].expect(der.context(0)).inner().expect(der.SEQUENCE)
    if (kind := said[0].as_oid()) != BASIC:
        raise DerError(f"an answer of the kind {kind}")
    basic = der.parse(said[1].as_octets()).expect(der.SEQUENCE).children()
    if len(basic) not in (3, 4):
        raise DerError("a basic answer has three or four members")
    return _read_basic(outer.raw, basic)


def _read_basic(raw: bytes, basic: Sequence[der.Node]) -> OcspAnswer:
    tbs, algorithm, signature, *enclosed = basic
    fields = list(tbs.expect(der.SEQUENCE))
    if fields and fields[0].tag == der.context(0):
        fields.pop(0)
    if len(fields) < 3:  # noqa: PLR2004 - responder, time, answers
        raise DerError("the answer is cut short")
    responder, produced_at, listed, *rest = fields
    name = responder.expect(_BY_NAME, _BY_KEY).inner()
    if responder.tag == _BY_NAME:
        NameParts.from_der(name.raw)
    said = [_read_single(each) for each in _bounded(listed.expect(der.SEQUENCE), MAX_ASKED)]
    nonce, critical = _read_nonce(rest[0].expect(der.context(1)).inner() if rest else None)
    return OcspAnswer(
        status=ResponseStatus.SUCCESSFUL,
        raw=raw,
        tbs=tbs.raw,
        responder_name=name.raw if responder.tag == _BY_NAME else None,
        responder_key=name.as_octets() if responder.tag == _BY_KEY else None,
        produced_at=produced_at.expect(der.GENERALIZED_TIME).as_time(),
        answers=tuple(each for each, _ in said),
        nonce=nonce,
        critical=critical.union(*(kinds for _, kinds in said)),
        scheme=scheme_of(algorithm),
        signature=signature.as_bits(),
        certificates=_read_certificates(enclosed[0].expect(der.context(0)).inner() if enclosed else None),
    )


def _bounded(node: der.Node, most: int) -> tuple[der.Node, ...]:
    members = node.children()
    if len(members) > most:
        raise DerError(f"more than {most} members")
    return members


def _read_single(node: der.Node) -> tuple[SingleAnswer, frozenset[str]]:
    fields = node.expect(der.SEQUENCE).children()
    if len(fields) < 3:  # noqa: PLR2004 - certificate, status, time
        raise DerError("a single answer is cut short")
    cert_id = CertId.read(fields[0])
    next_update = next((each.inner().as_time() for each in fields[3:] if each.tag == der.context(0)), None)
    extensions = next((each.inner() for each in fields[3:] if each.tag == der.context(1)), None)
    revoked = _read_revoked(fields[1], cert_id.serial)
    status = (
        CertStatus.GOOD if fields[1].tag == _GOOD else CertStatus.UNKNOWN if revoked is None else CertStatus.REVOKED
    )
    single = SingleAnswer(
        cert_id=cert_id,
        status=status,
        revoked=revoked,
        this_update=fields[2].expect(der.GENERALIZED_TIME).as_time(),
        next_update=next_update,
    )
    return single, frozenset(kind for kind, critical, _ in read_extensions(extensions) if critical)


def _read_revoked(node: der.Node, serial: int) -> Revoked | None:
    if node.expect(_GOOD, _REVOKED, _UNKNOWN).tag != _REVOKED:
        return None
    fields = node.children()
    if not fields:
        raise DerError("revoked, and no time")
    reason = RevocationReason.read(fields[1].inner().as_int()) if len(fields) > 1 else RevocationReason.UNSPECIFIED
    return Revoked(serial=serial, at=fields[0].expect(der.GENERALIZED_TIME).as_time(), reason=reason)


def _read_nonce(node: der.Node | None) -> tuple[bytes | None, frozenset[str]]:
    nonce, unknown = None, set()
    for kind, critical, value in read_extensions(node):
        if kind == NONCE:
            nonce = read_nonce(value)
        elif critical:
            unknown.add(kind)
    return nonce, frozenset(unknown)


def _read_certificates(node: der.Node | None) -> tuple[Certificate, ...]:
    found = []
    for member in () if node is None else _bounded(node.expect(der.SEQUENCE), MAX_ENCLOSED):
        try:
            found.append(Certificate.from_der(member.raw))
        except CertificateError:
            continue  # If it was the responder's, it will be missed by name.
    return tuple(found)
