"""Writing what OFD signatures hold, octet by octet: seals of every generation, plain messages, time stamps."""

from collections.abc import Callable, Sequence
from datetime import datetime

from crypto.cms_build import signing_certificate_v2
from crypto.der import (
    SET,
    bit_string,
    explicit,
    generalized_time,
    ia5,
    integer,
    null,
    octet_string,
    oid,
    parse,
    sequence,
    set_of,
    tlv,
    utc_time,
)
from crypto.digests import sm3
from crypto.suites import SM2_SM3
from tests.sims.ofd_workshop import Bureau, Holder

SM3_OID, SM2_OID, SM2_WITH_SM3 = "1.2.156.10197.1.401", "1.2.156.10197.1.301.1", "1.2.156.10197.1.501"
GM_DATA, GM_SIGNED_DATA = "1.2.156.10197.6.1.4.2.1", "1.2.156.10197.6.1.4.2.2"
CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
SIGNATURE_TIME_STAMP = "1.2.840.113549.1.9.16.2.14"
TST_INFO = "1.2.840.113549.1.9.16.1.4"
Change = Callable[[bytes], bytes]
Value = Callable[[bytes], bytes]
Times = Callable[[datetime], bytes]


def unchanged(octets: bytes) -> bytes:
    return octets


def replaced(place: Sequence[int], new: bytes) -> Change:
    """Give a function that writes ``new`` in the place of one member of a DER structure."""

    def change(der: bytes) -> bytes:
        members = [member.raw for member in parse(der)]
        first, *rest = place
        members[first] = replaced(rest, new)(members[first]) if rest else new
        return sequence(*members)

    return change


def flipped(octets: bytes) -> bytes:
    """Change the last bit."""
    return octets[:-1] + bytes((octets[-1] ^ 1,))


# --- seals and signatures of every generation ------------------------------------------------------------------


def seal_info(bureau: Bureau) -> bytes:
    """Give the SealInfo V4 of the bureau's seal."""
    return parse(bureau.seal())[0].raw


def remade(bureau: Bureau, info: bytes, *more: bytes, method: str = SM2_WITH_SM3) -> bytes:
    """Sign a SealInfo as the maker would, V4 or V5; ``more`` follows the value."""
    maker = bureau.maker
    return sequence(info, octet_string(maker.certificate.raw), oid(method), bit_string(maker.signer.sign(info)), *more)


def with_extensions(info: bytes, extensions: bytes) -> bytes:
    """Add the last, optional field to a SealInfo."""
    return sequence(*(member.raw for member in parse(info)), extensions)


def v5_seal(bureau: Bureau, stamp: Callable[[bytes], bytes] | None = None) -> bytes:
    """Make the bureau's seal in V5; ``stamp`` makes a time stamp over its value."""
    made = remade(bureau, replaced((0, 1), integer(5))(seal_info(bureau)))
    if stamp is None:
        return made
    members = parse(made).children()
    return sequence(*(each.raw for each in members), explicit(0, bit_string(stamp(members[3].as_bits()))))


AS_V5 = replaced((0,), integer(5))
"""Makes a TBS_Sign V5 of one of V4."""


class FirstGeneration:
    """The bureau's seal and signatures in V1 (GM/T 0031-2014)."""

    def __init__(
        self,
        bureau: Bureau,
        *,
        times: Times = utc_time,
        claimed: bytes | None = None,
        listed: bytes | None = None,
        extensions: bytes | None = None,
        wrapped: Change = unchanged,
        over_info_alone: bool = False,
    ) -> None:
        v4 = parse(seal_info(bureau))
        moments = [times(node.as_time()) for node in v4[2].children()[4:]]
        properties = sequence(v4[2][0].raw, v4[2][1].raw, listed or v4[2][3].raw, *moments)
        parts = [sequence(ia5("ES"), integer(1), ia5("x")), v4[1].raw, properties, v4[3].raw]
        self.info = sequence(*parts, *((extensions,) if extensions else ()))
        method, maker = oid(SM2_WITH_SM3), octet_string(bureau.maker.certificate.raw)
        signed = self.info if over_info_alone else sequence(self.info, maker, method)
        sign_info = sequence(maker, method, bit_string(bureau.maker.signer.sign(signed)))
        self.seal = sequence(self.info, wrapped(sign_info))
        self._claimed = claimed or bit_string(b"2026-11-22 16:00:00")
        self._signer = octet_string(bureau.signer.certificate.raw)

    def tbs(self, v4: bytes) -> bytes:
        """Make a TBS_Sign V1 of one of V4."""
        fields = parse(v4)
        tail = (fields[3].raw, fields[4].raw, self._signer, oid(SM2_WITH_SM3))
        return sequence(integer(1), self.seal, self._claimed, *tail)

    @staticmethod
    def value(v4: bytes) -> bytes:
        """Make a SES_Signature V1 of one of V4."""
        return sequence(parse(v4)[0].raw, parse(v4)[3].raw)


# --- plain messages (GB/T 35275) -------------------------------------------------------------------------------


def message(
    holder: Holder,
    content: bytes,
    signature: bytes,
    *,
    enclose: bool = True,
    digest: str = SM3_OID,
    attributes: bytes | None = None,
    unsigned: bytes | None = None,
) -> bytes:
    """Write a GB/T 35275 message around a content; ``attributes`` and ``unsigned`` are SETs."""
    algorithm = sequence(oid(digest), null())
    inner = sequence(oid(GM_DATA), explicit(0, octet_string(content)))
    certificate = holder.certificate
    signer = sequence(
        integer(1),
        sequence(certificate.issuer, integer(certificate.serial)),
        algorithm,
        *((b"\xa0" + attributes[1:],) if attributes else ()),
        sequence(oid(SM2_OID), null()),
        octet_string(signature),
        *((b"\xa1" + unsigned[1:],) if unsigned else ()),
    )
    certificates = [explicit(0, certificate.raw)] if enclose else []
    signed = sequence(integer(1), set_of([algorithm]), inner, *certificates, set_of([signer]))
    return sequence(oid(GM_SIGNED_DATA), explicit(0, signed))


def attribute(name: str, value: bytes) -> bytes:
    return sequence(oid(name), tlv(SET, value))


def attributed(holder: Holder, *attributes: bytes, bound: bool = True) -> Value:
    """Give a function that signs attributes; ``bound`` says whether they hold the digest of the content."""

    def value(xml: bytes) -> bytes:
        digest = (attribute(MESSAGE_DIGEST, octet_string(sm3(sm3(xml)))),) if bound else ()
        signed = set_of([attribute(CONTENT_TYPE, oid(GM_DATA)), *digest, *attributes])
        return message(holder, sm3(xml), holder.signer.sign(signed), attributes=signed)

    return value


def enclosed_hash(holder: Holder) -> Value:
    return lambda xml: message(holder, sm3(xml), holder.signer.sign(sm3(xml)))


def stamped_message(holder: Holder, stamp: Callable[[bytes], bytes]) -> Value:
    """Give a function that encloses the hash and has the value time-stamped."""

    def value(xml: bytes) -> bytes:
        signature = holder.signer.sign(sm3(xml))
        unsigned = set_of([attribute(SIGNATURE_TIME_STAMP, stamp(signature))])
        return message(holder, sm3(xml), signature, unsigned=unsigned)

    return value


# --- time stamps -----------------------------------------------------------------------------------------------


def token(tsa: Holder, stamped: bytes, at: datetime) -> bytes:
    """Write a time-stamp token over ``stamped`` (RFC 3161 2.4.2)."""
    algorithm = sequence(oid(SM3_OID))
    imprint = sequence(algorithm, octet_string(sm3(stamped)))
    info = sequence(integer(1), oid("1.2.3.4"), imprint, integer(7), generalized_time(at))

    attributes = set_of(
        [
            attribute(CONTENT_TYPE, oid(TST_INFO)),
            attribute(MESSAGE_DIGEST, octet_string(sm3(info))),
            signing_certificate_v2(tsa.certificate, SM2_SM3),
        ]
    )
    certificate = tsa.certificate
    signer = sequence(
        integer(1),
        sequence(certificate.issuer, integer(certificate.serial)),
        algorithm,
        b"\xa0" + attributes[1:],
        sequence(oid(SM2_WITH_SM3)),
        octet_string(tsa.signer.sign(attributes)),
    )
    content = sequence(oid(TST_INFO), explicit(0, octet_string(info)))
    signed = sequence(integer(3), set_of([algorithm]), content, explicit(0, certificate.raw), set_of([signer]))
    return sequence(oid("1.2.840.113549.1.7.2"), explicit(0, signed))


def stamped(tsa: Holder, *, at: datetime, over: bytes | None = None) -> Value:
    """Give a function that adds a time stamp to a SES_Signature."""

    def value(made: bytes) -> bytes:
        fields = parse(made)
        stamp = token(tsa, over or fields[3].as_bits(), at)
        return sequence(*(node.raw for node in fields), explicit(0, bit_string(stamp)))

    return value
