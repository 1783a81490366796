"""What is done to the signed message in a seal, by one who has not its key."""

from collections.abc import Callable, Sequence

from crypto import der
from crypto.cms import CmsTemplate
from crypto.suites import ES256, SM2_SM3, KeyKind
from crypto.x509 import Certificate
from tests.seal.pdf.forging import resigned
from tests.sims.pdf_attacks.family import Family
from tests.sims.pdf_attacks.validation import stranger

MESSAGE = Family("signed message")
_SIGNED_DATA = "1.2.840.113549.1.7.2"

Parts = list[bytes]


def _members(message: bytes) -> Parts:
    return [node.raw for node in der.parse(message)[1].inner()]


def _message(members: Parts) -> bytes:
    return der.sequence(der.oid(_SIGNED_DATA), der.explicit(0, der.sequence(*members)))


def _rebuilt(sealed: bytes, change: Callable[[Parts], Parts]) -> bytes:
    return resigned(sealed, lambda _, old: _message(change(_members(old))))


def _signer(members: Parts) -> Parts:
    """Give the parts of the one SignerInfo."""
    return [node.raw for node in der.parse(members[-1])[0]]


def _with_signer(members: Parts, parts: Parts) -> Parts:
    return [*members[:-1], der.tlv(der.SET, der.sequence(*parts))]


def _strange(octets: Sequence[memoryview]) -> bytes:
    sealer = stranger()
    template = CmsTemplate(sealer.credential.certificate, (), sealer.credential.suite)
    attributes = template.attributes(sealer.credential.suite.digest.digest(*octets))
    return template.assemble(attributes, sealer.key.sign(attributes))


@MESSAGE
def signer_twice(sealed: bytes) -> bytes:
    """The one SignerInfo stands twice, without the certificate to make room."""

    def change(members: Parts) -> Parts:
        one = der.parse(members[-1])[0].raw
        return [*members[:3], der.tlv(der.SET, one, one)]

    return _rebuilt(sealed, change)


@MESSAGE
def a_second_signer(sealed: bytes) -> bytes:
    """A stranger's SignerInfo beside ours, without certificates to make room."""

    def build(octets: Sequence[memoryview], old: bytes) -> bytes:
        members = _members(old)
        other = der.parse(_members(_strange(octets))[-1])[0].raw
        return _message([*members[:3], der.tlv(der.SET, der.parse(members[-1])[0].raw, other)])

    return resigned(sealed, build)


@MESSAGE
def no_signer(sealed: bytes) -> bytes:
    """No SignerInfo at all."""
    return _rebuilt(sealed, lambda members: [*members[:-1], der.tlv(der.SET)])


@MESSAGE
def content_encapsulated(sealed: bytes) -> bytes:
    """A content within a message that should have none."""
    content = der.sequence(der.oid("1.2.840.113549.1.7.1"), der.explicit(0, der.octet_string(b"")))
    return _rebuilt(sealed, lambda members: [*members[:2], content, members[-1]])


@MESSAGE
def certificate_of_a_twin(sealed: bytes) -> bytes:
    """The certificate of a stranger of the same name and number."""

    def change(members: Parts) -> Parts:
        certificate = Certificate.from_der(der.parse(members[3]).inner().raw)
        suite = SM2_SM3 if certificate.public_key.kind is KeyKind.SM2 else ES256
        # Values differ in length by an octet or two; the room does not.
        twins = (stranger(suite, number).credential.certificate for number in range(50))
        twin = next(each for each in twins if len(each.raw) <= len(certificate.raw))
        return [*members[:3], der.explicit(0, twin.raw), members[-1]]

    return _rebuilt(sealed, change)


@MESSAGE
def unsigned_attributes_that_are_none(sealed: bytes) -> bytes:
    """A time stamp beside the signature that is none."""
    stamp = der.sequence(der.oid("1.2.840.113549.1.9.16.2.14"), der.tlv(der.SET, der.sequence()))
    return _rebuilt(
        sealed,
        lambda members: _with_signer(members[:3] + members[-1:], [*_signer(members), der.tlv(der.context(1), stamp)]),
    )


@MESSAGE
def signed_attributes_left_out(sealed: bytes) -> bytes:
    """The signed attributes are gone: the value would be over the content itself."""

    def change(members: Parts) -> Parts:
        parts = _signer(members)
        return _with_signer(members, [part for part in parts if part[0] != der.context(0)])

    return _rebuilt(sealed, change)


@MESSAGE
def value_of_zeros(sealed: bytes) -> bytes:
    """A value of r = s = 0."""

    def change(members: Parts) -> Parts:
        zero = der.octet_string(der.sequence(der.integer(0), der.integer(0)))
        return _with_signer(members, [*_signer(members)[:-1], zero])

    return _rebuilt(sealed, change)


@MESSAGE
def value_of_nothing(sealed: bytes) -> bytes:
    """A value of no octets."""
    return _rebuilt(sealed, lambda members: _with_signer(members, [*_signer(members)[:-1], der.octet_string(b"")]))


@MESSAGE
def another_digest(sealed: bytes) -> bytes:
    """SHA-1 named for the digest."""

    def change(members: Parts) -> Parts:
        parts = _signer(members)
        parts[2] = der.sequence(der.oid("1.3.14.3.2.26"))
        return _with_signer(members, parts)

    return _rebuilt(sealed, change)


@MESSAGE
def message_within_a_message(sealed: bytes) -> bytes:
    """The message wrapped in another's frame."""

    def build(_: Sequence[memoryview], old: bytes) -> bytes:
        members = _members(old)
        return der.sequence(der.oid(_SIGNED_DATA), der.explicit(0, _message([*members[:3], members[-1]])))

    return resigned(sealed, build)


@MESSAGE
def octets_behind_the_message(sealed: bytes) -> bytes:
    """The message, and one octet that is not zero behind it."""

    def build(_: Sequence[memoryview], old: bytes) -> bytes:
        members = _members(old)
        return _message([*members[:3], members[-1]]) + b"\x01"

    return resigned(sealed, build)


@MESSAGE
def message_cut_short(sealed: bytes) -> bytes:
    """The message without its last octets."""
    return resigned(sealed, lambda _, old: old[:-5])
