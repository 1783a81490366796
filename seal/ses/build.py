"""Making e-seal structures: SESeal and SES_Signature V4 (GB/T 38540-2020), nothing older."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal

from crypto.der import (
    bit_string,
    boolean,
    explicit,
    generalized_time,
    ia5,
    integer,
    octet_string,
    oid,
    parse,
    printable,
    sequence,
    utf8,
)
from crypto.digests import sm3
from crypto.errors import DerError
from crypto.keys import Signer, require_fit
from crypto.suites import SM2_SM3, Usage
from crypto.x509 import Certificate
from seal.model import Picture
from seal.ses.model import HEADER_ID, V4, Extension
from seal.ses.read import MAX_SES

Listing = Literal["certificates", "digests"]
"""How a seal names who may sign with it: whole certificates (certListType 1), or their SM3 (certListType 2)."""
_LIST_TYPES: dict[Listing, int] = {"certificates": 1, "digests": 2}
_UNSTAMPED_FIELDS = 4
_DIGEST_LABEL = "SM3"
"""The standard leaves the text beside a digest to the maker."""


def make_seseal(  # noqa: PLR0913 - the fields of the structure
    *,
    header_vid: str,
    esid: str,
    kind: int,
    name: str,
    certificates: Iterable[Certificate],
    created: datetime,
    valid_from: datetime,
    valid_to: datetime,
    picture: Picture,
    maker: Signer,
    maker_certificate: Certificate,
    listing: Listing = "certificates",
    extensions: Iterable[Extension] = (),
) -> bytes:
    """Make a SESeal V4, DER: ``certificates`` may sign with it, ``maker`` signs it now.

    Times are kept to the second. Raises SuiteRefused if the maker's key is not SM2, ValueError if it is not its
    certificate's.
    """
    require_fit(maker.suite, maker.public_key, Usage.SEAL)
    if maker.public_key != maker_certificate.public_key:
        raise ValueError("a seal is signed with the key of its maker's certificate")
    properties = sequence(
        integer(kind),
        utf8(name),
        integer(_LIST_TYPES[listing]),
        sequence(*(_LISTED[listing](certificate) for certificate in certificates)),
        generalized_time(created),
        generalized_time(valid_from),
        generalized_time(valid_to),
    )
    shown = sequence(ia5("PNG"), octet_string(picture.png), integer(picture.width_mm), integer(picture.height_mm))
    header = sequence(ia5(HEADER_ID), integer(V4), ia5(header_vid))
    rows = [_extension(each) for each in extensions]
    info = sequence(header, ia5(esid), properties, shown, *([sequence(*rows)] if rows else []))
    return sequence(info, octet_string(maker_certificate.raw), oid(SM2_SM3.signature_oid), bit_string(maker.sign(info)))


def _by_digest(certificate: Certificate) -> bytes:
    return sequence(printable(_DIGEST_LABEL), octet_string(sm3(certificate.raw)))


def _whole(certificate: Certificate) -> bytes:
    return octet_string(certificate.raw)


_LISTED: dict[Listing, Callable[[Certificate], bytes]] = {"certificates": _whole, "digests": _by_digest}


def _extension(extension: Extension) -> bytes:
    # FALSE is the default and DER would leave it out; encoders in the field write it, and one reader in use needs it.
    return sequence(oid(extension.oid), boolean(extension.critical), octet_string(extension.value))


def make_tbs(*, seseal: bytes, at: datetime, data_hash: bytes, property_info: str) -> bytes:
    """Make TBS_Sign V4, DER: the octets the signer signs. ``seseal`` goes in as it is."""
    return sequence(integer(V4), seseal, generalized_time(at), bit_string(data_hash), ia5(property_info))


def make_ses_signature(
    *, tbs: bytes, certificate: Certificate, signature: bytes, timestamp: bytes | None = None
) -> bytes:
    """Make SES_Signature V4, DER, of a TBS_Sign and the DER SM2 value over it.

    ``timestamp`` is a time-stamp token over the octets of ``signature`` (GB/T 20520).
    """
    fields = [tbs, octet_string(certificate.raw), oid(SM2_SM3.signature_oid), bit_string(signature)]
    if timestamp is not None:
        fields.append(explicit(0, bit_string(timestamp)))
    return sequence(*fields)


def with_ses_timestamp(value: bytes, token: bytes) -> bytes:
    """Put a time-stamp token over the signature of a SES_Signature V4 into it; DerError for one that has a stamp."""
    fields = parse(value, max_size=MAX_SES).children()
    if len(fields) != _UNSTAMPED_FIELDS:
        raise DerError(f"a SES_Signature that a time stamp goes into has 4 elements, not {len(fields)}")
    return sequence(*(each.raw for each in fields), explicit(0, bit_string(token)))
