"""Asking for a time-stamp and being answered (RFC 3161 2.4): requests and responses, written and read."""

from dataclasses import dataclass, field
from enum import Enum

from crypto import der
from crypto.digests import DIGESTS_BY_OID, DigestAlgorithm
from crypto.errors import CmsError, DerError
from crypto.timestamp import TimestampToken, parse_token
from crypto.timestamp_build import Imprint

MAX_REQUEST = 16 * 1024
"""Octets of a request at most."""
MAX_RESPONSE = 256 * 1024
"""Octets of a response at most."""
MAX_NONCE = 64
"""Octets of a nonce at most."""
REQUEST_TYPE, RESPONSE_TYPE = "application/timestamp-query", "application/timestamp-reply"
_MAX_TEXTS = 8
_MAX_TEXT = 200


class PkiStatus(Enum):
    """PKIStatus (RFC 3161 2.4.2): the first two come with a token."""

    GRANTED = 0
    GRANTED_WITH_MODS = 1
    REJECTION = 2
    WAITING = 3
    REVOCATION_WARNING = 4
    REVOCATION_NOTIFICATION = 5

    @property
    def granted(self) -> bool:
        """Whether a token comes with it."""
        return self in (PkiStatus.GRANTED, PkiStatus.GRANTED_WITH_MODS)


class Failure(Enum):
    """PKIFailureInfo (RFC 3161 2.4.2): the bit's number."""

    BAD_ALGORITHM = 0
    BAD_REQUEST = 2
    BAD_DATA_FORMAT = 5
    TIME_NOT_AVAILABLE = 14
    UNACCEPTED_POLICY = 15
    UNACCEPTED_EXTENSION = 16
    ADD_INFO_NOT_AVAILABLE = 17
    SYSTEM_FAILURE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampRequest:
    """A question for a time-stamp, as received."""

    imprint: Imprint
    digest_oid: str
    digest: DigestAlgorithm | None
    """None when the algorithm is unknown here."""
    policy: str | None
    nonce: int | None
    wants_certificates: bool
    extensions: bool
    """Whether there are any: none are known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampResponse:
    """An answer, as received; the token within has been read and not verified."""

    status: PkiStatus
    failures: frozenset[Failure]
    text: str
    """What the authority says in words: shortened, and nobody's but its own."""
    token: TimestampToken | None
    """Set exactly when the status is a granting one."""
    token_raw: bytes | None = field(repr=False)


def make_request(
    imprint: Imprint, *, nonce: int | None = None, policy: str | None = None, wants_certificates: bool = True
) -> bytes:
    """Ask for a time-stamp; DER of a TimeStampReq."""
    return der.sequence(
        der.integer(1),
        imprint.der(),
        b"" if policy is None else der.oid(policy),
        b"" if nonce is None else der.integer(nonce),
        der.boolean(value=True) if wants_certificates else b"",
    )


def parse_request(data: bytes) -> TimestampRequest:
    """Read a TimeStampReq; a CmsError for rubbish."""
    try:
        return _read_request(der.parse(data, max_size=MAX_REQUEST).expect(der.SEQUENCE))
    except DerError as error:
        raise CmsError(f"not a time-stamp request: {error}") from error


def granted(token: bytes) -> bytes:
    """Write the response that grants ``token``."""
    return der.sequence(der.sequence(der.integer(PkiStatus.GRANTED.value)), token)


def rejection(failure: Failure, text: str = "", *, status: PkiStatus = PkiStatus.REJECTION) -> bytes:
    """Write the response that gives no token, and why."""
    if status.granted:
        raise CmsError("a granting response has a token")
    octet, bit = divmod(failure.value, 8)
    bits = bytes(octet) + bytes((0x80 >> bit,))
    words = der.sequence(der.utf8(text)) if text else b""
    return der.sequence(der.sequence(der.integer(status.value), words, der.bit_string(bits, unused=7 - bit)))


def parse_response(data: bytes) -> TimestampResponse:
    """Read a TimeStampResp; a CmsError for rubbish, and for a grant without a token or a token without a grant."""
    try:
        return _read_response(der.parse(data, max_size=MAX_RESPONSE).expect(der.SEQUENCE))
    except DerError as error:
        raise CmsError(f"not a time-stamp response: {error}") from error


def _read_request(node: der.Node) -> TimestampRequest:
    fields = node.children()
    if len(fields) < 2 or fields[0].as_int() != 1:  # noqa: PLR2004 - version, imprint
        raise DerError("the request is cut short, or of a version unknown")
    imprint = fields[1].expect(der.SEQUENCE).children()
    if len(imprint) != 2:  # noqa: PLR2004 - algorithm, digest
        raise DerError("an imprint is an algorithm and a digest")
    rest = {each.tag: each for each in fields[2:]}
    if len(rest) != len(fields) - 2 or not rest.keys() <= {der.OID, der.INTEGER, der.BOOLEAN, der.context(0)}:
        raise DerError("the request holds something that does not belong there")
    policy, nonce, wanted = (rest.get(tag) for tag in (der.OID, der.INTEGER, der.BOOLEAN))
    if nonce is not None and len(nonce.content) > MAX_NONCE:
        raise DerError(f"a nonce of more than {MAX_NONCE} octets")
    oid = imprint[0].expect(der.SEQUENCE)[0].as_oid()
    return TimestampRequest(
        imprint=Imprint(algorithm=imprint[0].raw, digest=imprint[1].as_octets()),
        digest_oid=oid,
        digest=DIGESTS_BY_OID.get(oid),
        policy=None if policy is None else policy.as_oid(),
        nonce=None if nonce is None else nonce.as_int(),
        wants_certificates=wanted is not None and wanted.as_bool(),
        extensions=der.context(0) in rest,
    )


def _read_response(node: der.Node) -> TimestampResponse:
    fields = node.children()
    if len(fields) not in (1, 2):
        raise DerError("a response is a status, and perhaps a token")
    said = fields[0].expect(der.SEQUENCE).children()
    number = fields[0][0].as_int()
    status = next((each for each in PkiStatus if each.value == number), None)
    if status is None:
        raise DerError(f"the status {number} is not one")
    if status.granted != (len(fields) == 2):  # noqa: PLR2004 - status, token
        raise DerError("a token comes with a grant, and a grant with a token")
    words = next((each for each in said[1:] if each.tag == der.SEQUENCE), None)
    bits = next((each.as_bits() for each in said[1:] if each.tag == der.BIT_STRING), b"")
    raw = fields[1].raw if status.granted else None
    return TimestampResponse(
        status=status,
        failures=frozenset(each for each in Failure if _bit(bits, each.value)),
        text=_words(words),
        token=None if raw is None else parse_token(raw),
        token_raw=raw,
    )


def _words(node: der.Node | None) -> str:
    said = () if node is None else node.children()[:_MAX_TEXTS]
    text = "; ".join(each.as_text() for each in said if each.tag == der.UTF8)
    # It will be shown and logged: nothing that is not seen, no second line.
    return "".join(each if each.isprintable() else " " for each in text)[:_MAX_TEXT]


def _bit(bits: bytes, at: int) -> bool:
    octet, shift = divmod(at, 8)
    return octet < len(bits) and bool(bits[octet] & 0x80 >> shift)
