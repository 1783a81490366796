"""Time-stamp tokens (RFC 3161, GM/T 0033), read and judged; trust in the authority is for ``crypto.chain``."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from crypto import cms_names as names
from crypto import der
from crypto.certificate import Certificate
from crypto.cms_read import SignedData, SignerInfo, parse_signed_data
from crypto.cms_verify import CmsProblem, ContentDigest, verify_signer
from crypto.digests import DIGESTS_BY_OID, DigestAlgorithm
from crypto.errors import CmsError, DerError
from crypto.extensions import TIME_STAMPING


class TimestampProblem(StrEnum):
    """What a token's check found beside the problems of its signature."""

    IMPRINT_MISMATCH = "imprint_mismatch"
    """The token stamps something else."""
    IMPRINT_UNSUPPORTED = "imprint_unsupported"
    """The digest algorithm of the imprint is unknown here."""
    NOT_A_TSA = "not_a_tsa"
    """The certificate is not, critically, for time-stamping alone (RFC 3161 2.3)."""


@dataclass(frozen=True, kw_only=True)
class TimestampToken:
    """What a token says; nothing here has been verified."""

    signed: SignedData = field(repr=False)
    signer: SignerInfo = field(repr=False)
    gen_time: datetime
    serial: int
    policy: str
    nonce: int | None
    imprint_oid: str
    imprint_digest: DigestAlgorithm | None
    """The digest algorithm of the imprint; None when it is unknown here."""
    imprint: bytes

    @property
    def certificate(self) -> Certificate | None:
        """The authority's certificate, if it is inside."""
        return self.signer.certificate

    @property
    def names_certificate(self) -> bool:
        """Whether the signed attributes say whose certificate it is, as they must (RFC 3161 2.4.2, RFC 5816 2.2.1)."""
        return names.SIGNING_CERTIFICATE in self.signer.attributes or self.names_certificate_well

    @property
    def names_certificate_well(self) -> bool:
        """Whether they do so by ESSCertIDv2, not only by SHA-1 as before RFC 5816."""
        return names.SIGNING_CERTIFICATE_V2 in self.signer.attributes


def parse_token(data: bytes) -> TimestampToken:
    """Read a TimeStampToken; zero octets may follow it. CmsError (or its sibling DerError) for rubbish."""
    signed = parse_signed_data(data)
    if signed.content_type != names.TST_INFO or signed.encapsulated is None:
        raise CmsError("the message is no time-stamp token")
    if len(signed.signers) != 1:
        raise CmsError(f"a time-stamp token has one signer, not {len(signed.signers)}")
    try:
        return _read(signed, der.parse(signed.encapsulated).expect(der.SEQUENCE))
    except DerError as error:
        raise CmsError(f"not a time-stamp token: {error}") from error


def verify_token(
    token: TimestampToken, data_digest: ContentDigest, *, others: Iterable[Certificate] = ()
) -> tuple[CmsProblem | TimestampProblem, ...]:
    """Judge whether ``token`` stamps the data ``data_digest`` speaks for; an empty answer means all held.

    ``others`` may supply the authority's certificate. Chain and validity of that certificate are not looked at.
    """
    content = token.signed.encapsulated or b""
    others = tuple(others)
    found: list[CmsProblem | TimestampProblem] = list(
        verify_signer(token.signed, token.signer, lambda digest: digest.digest(content), others=others)
    )
    if token.signer.signed_attributes_raw is None or not token.names_certificate:
        # RFC 3161 2.4.2: signed attributes are mandatory, and among them the certificate's. Tokens from before
        # RFC 5816 name it by SHA-1: they stand, whoever asks for new ones demands better.
        found.append(CmsProblem.ATTRIBUTES_MALFORMED)
    if token.imprint_digest is None:
        found.append(TimestampProblem.IMPRINT_UNSUPPORTED)
    else:
        if data_digest(token.imprint_digest) != token.imprint:
            found.append(TimestampProblem.IMPRINT_MISMATCH)
        if token.imprint_digest.weak:
            found.append(CmsProblem.WEAK_DIGEST)
    authority = token.certificate or next((each for each in others if token.signer.is_under(each)), None)
    if authority is not None and not is_authority(authority):
        found.append(TimestampProblem.NOT_A_TSA)
    return tuple(dict.fromkeys(found))


def is_authority(certificate: Certificate) -> bool:
    """Whether the certificate is for time-stamping and nothing else, and says so critically (RFC 3161 2.3)."""
    alone = certificate.extended_key_usage == {TIME_STAMPING}
    return alone and certificate.extensions.extended_key_usage_critical


def _read(signed: SignedData, info: der.Node) -> TimestampToken:
    # TSTInfo { version, policy, imprint { algorithm, digest }, serial, genTime, accuracy?, ordering?, nonce?, ... }
    policy, imprint, serial, gen_time = (info[place] for place in range(1, 5))
    nonce = next((node for node in info.children()[5:] if node.tag == der.INTEGER), None)
    oid = imprint[0][0].as_oid()
    return TimestampToken(
        signed=signed,
        signer=signed.signers[0],
        gen_time=gen_time.expect(der.GENERALIZED_TIME).as_time(),
        serial=serial.as_int(),
        policy=policy.as_oid(),
        nonce=None if nonce is None else nonce.as_int(),
        imprint_oid=oid,
        imprint_digest=DIGESTS_BY_OID.get(oid),
        imprint=imprint[1].as_octets(),
    )
