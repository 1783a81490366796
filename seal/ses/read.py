"""Reading e-seal structures of all three generations, tolerant where real encoders stray."""

import re
from datetime import UTC, datetime

from crypto.der import (
    BIT_STRING,
    BOOLEAN,
    GENERALIZED_TIME,
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    UTC_TIME,
    Node,
    context,
    parse,
    parse_prefix,
    sequence,
)
from crypto.errors import DerError
from seal.ses.model import CHINA_TIME, V1, V4, V5, Extension, SesPicture, SesSeal, SesSignature

MAX_SES = 16 * 1024 * 1024
_MAX_LISTED = 10_000
_V1_TBS_FIELDS = 7
_V4_TBS_FIELDS = (5, 6)


def parse_seseal(der: bytes) -> SesSeal:
    """Read a SESeal V1, V4 or V5. Raises DerError if it is none of them."""
    return _seal(parse(der, max_size=MAX_SES))


def parse_ses_signature(der: bytes) -> SesSignature:
    """Read a SES_Signature V1, V4 or V5; zeros after it are ignored (a PDF pads with them). DerError if it is none."""
    node = parse_prefix(der, max_size=MAX_SES).expect(SEQUENCE)
    if der[len(node.raw) :].strip(b"\x00"):
        raise DerError("octets follow the signature")
    fields = node.children()
    tbs = _member(fields, 0).expect(SEQUENCE)
    if len(fields) == 2:  # noqa: PLR2004 - only V1 has two elements
        return _v1_signature(node, tbs)
    if len(fields) in (4, 5):
        return _v4_signature(node, tbs, fields)
    raise DerError(f"a signature has 2, 4 or 5 elements, not {len(fields)}")


# --- seals -----------------------------------------------------------------------------------------------------


def _seal(node: Node) -> SesSeal:
    fields = node.expect(SEQUENCE).children()
    info = _member(fields, 0).expect(SEQUENCE)
    parts = info.children()
    header = _member(parts, 0).expect(SEQUENCE).children()
    version = _member(header, 1).as_int()
    if len(fields) == 2:  # noqa: PLR2004 - only V1 has two elements
        layout, timestamp = V1, None
        made = fields[1]
        if made.tag == BIT_STRING:
            made = parse(made.as_bits())
        maker, oid, signature = made[0].expect(OCTET_STRING), made[1].expect(OID), made[2]
        signed = sequence(info.raw, maker.raw, oid.raw)
    elif len(fields) in (4, 5):
        layout = V5 if len(fields) == 5 or version == V5 else V4  # noqa: PLR2004 - only V5 has five
        maker, oid, signature = fields[1].expect(OCTET_STRING), fields[2].expect(OID), fields[3]
        signed = info.raw
        timestamp = _timestamp(fields[4]) if len(fields) == 5 else None  # noqa: PLR2004
    else:
        raise DerError(f"a seal has 2, 4 or 5 elements, not {len(fields)}")
    kind, name, certificates, digests, (created, valid_from, valid_to) = _property(_member(parts, 2))
    return SesSeal(
        raw=node.raw,
        layout=layout,
        header_id=_member(header, 0).as_text(),
        header_version=version,
        vendor=_member(header, 2).as_text(),
        esid=_member(parts, 1).as_text(),
        kind=kind,
        name=name,
        certificates=certificates,
        certificate_digests=digests,
        created=created,
        valid_from=valid_from,
        valid_to=valid_to,
        picture=_picture(_member(parts, 3)),
        extensions=_extensions(parts[4]) if len(parts) > 4 else (),  # noqa: PLR2004 - the fifth is optional
        maker_certificate=maker.content,
        signature_oid=oid.as_oid(),
        signed=signed,
        signature=signature.as_bits(),
        timestamp=timestamp,
    )


def _property(
    node: Node,
) -> tuple[int, str, tuple[bytes, ...], tuple[bytes, ...], tuple[datetime, datetime, datetime]]:
    """Read the property: V1 has no certListType, and whether one is there shows by its tag."""
    fields = node.expect(SEQUENCE).children()
    typed = len(fields) > 2 and fields[2].tag == INTEGER  # noqa: PLR2004 - kind and name come first
    listed = _member(fields, 3 if typed else 2).expect(SEQUENCE).children()
    if len(listed) > _MAX_LISTED:
        raise DerError(f"the seal lists {len(listed)} certificates")
    first = 4 if typed else 3
    created, valid_from, valid_to = (_time(_member(fields, at)) for at in range(first, first + 3))
    # V1 seals of one vendor list certificate names: kept out of both lists, so they allow nobody.
    certificates = tuple(row.content for row in listed if row.tag == OCTET_STRING)
    digests = tuple(row[1].as_octets() for row in listed if row.tag == SEQUENCE)
    return (
        _member(fields, 0).as_int(),
        _member(fields, 1).as_text(),
        certificates,
        digests,
        (created, valid_from, valid_to),
    )


def _picture(node: Node) -> SesPicture:
    fields = node.expect(SEQUENCE).children()
    return SesPicture(
        kind=_member(fields, 0).as_text().strip().lower(),
        octets=_member(fields, 1).as_octets(),
        width_mm=_member(fields, 2).as_int(),
        height_mm=_member(fields, 3).as_int(),
    )


def _extensions(node: Node) -> tuple[Extension, ...]:
    """Read ExtensionDatas: bare, under [0], or (V1) wrapped in an OCTET STRING."""
    while node.tag in (context(0), OCTET_STRING):
        node = node.inner() if node.tag == context(0) else parse(node.content)
    return tuple(_extension(row) for row in node.expect(SEQUENCE))


def _extension(node: Node) -> Extension:
    fields = node.expect(SEQUENCE).children()
    critical = len(fields) > 2 and fields[1].tag == BOOLEAN and fields[1].as_bool()  # noqa: PLR2004
    return Extension(oid=node[0].as_oid(), critical=critical, value=node[len(fields) - 1].content)


# --- signatures ------------------------------------------------------------------------------------------------


def _v1_signature(node: Node, tbs: Node) -> SesSignature:
    if len(tbs) < _V1_TBS_FIELDS:
        raise DerError(f"a V1 TBS_Sign has {_V1_TBS_FIELDS} fields, not {len(tbs)}")
    time, token = _v1_time(tbs[2])
    return SesSignature(
        raw=node.raw,
        layout=V1,
        version=tbs[0].as_int(),
        tbs=tbs.raw,
        seal=_seal(tbs[1]),
        time=time,
        data_hash=tbs[3].as_bits(),
        property_info=tbs[4].as_text(),
        extensions=(),
        certificate=tbs[5].as_octets(),
        signature_oid=tbs[6].as_oid(),
        signature=node[1].as_bits(),
        timestamp=token,
    )


def _v4_signature(node: Node, tbs: Node, fields: tuple[Node, ...]) -> SesSignature:
    parts = tbs.children()
    if len(parts) not in _V4_TBS_FIELDS:
        raise DerError(f"a TBS_Sign has 5 or 6 fields, not {len(parts)}")
    seal = _seal(parts[1])
    return SesSignature(
        raw=node.raw,
        layout=V5 if seal.layout == V5 else V4,
        version=parts[0].as_int(),
        tbs=tbs.raw,
        seal=seal,
        time=_time(parts[2]),
        data_hash=parts[3].as_bits(),
        property_info=parts[4].as_text(),
        extensions=_extensions(parts[5]) if len(parts) > 5 else (),  # noqa: PLR2004 - the sixth is optional
        certificate=fields[1].as_octets(),
        signature_oid=fields[2].as_oid(),
        signature=fields[3].as_bits(),
        timestamp=_timestamp(fields[4]) if len(fields) > 4 else None,  # noqa: PLR2004 - the fifth is optional
    )


def _member(fields: tuple[Node, ...], index: int) -> Node:
    """Give one of the members of a structure that was read once: a seal with its picture is long."""
    if index >= len(fields):
        raise DerError(f"element {index} is missing: the structure has {len(fields)}")
    return fields[index]


def _timestamp(node: Node) -> bytes:
    inner = node.expect(context(0)).inner() if node.tag == context(0) else node
    return inner.as_bits()


# --- times -----------------------------------------------------------------------------------------------------


def _time(node: Node) -> datetime:
    """Read a time of any sort: the proper types, or text in whatever string type."""
    if node.tag in (UTC_TIME, GENERALIZED_TIME):
        return node.as_time()
    found = time_from_text(node.as_text())
    if found is None:
        raise DerError("not a time")
    return found


def _v1_time(node: Node) -> tuple[datetime | None, bytes | None]:
    """Read V1 timeInfo: a bare time, or a BIT STRING that holds a time, a time stamp or a text."""
    if node.tag != BIT_STRING:
        return _time(node), None
    content = node.as_bits()
    try:
        inner = parse(content)
        return (None, content) if inner.tag == SEQUENCE else (_time(inner), None)
    except DerError:
        return time_from_text(content.decode("utf-8", "replace")), None


def time_from_text(text: str) -> datetime | None:
    """Read the time texts found in the field; without a zone they mean China time. None if not understood."""
    text = text.strip().strip("\x00")
    compact = re.fullmatch(r"(\d{14})(\.\d{1,6})?(Z?)", text, flags=re.ASCII)
    try:
        if compact:
            text = f"{compact[1][:8]}T{compact[1][8:]}{compact[3]}"
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=CHINA_TIME)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
