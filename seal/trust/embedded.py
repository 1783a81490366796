"""Facts about revocation that a signed message carries along."""

from collections.abc import Iterator

from crypto import der
from crypto.cms import SignedData, SignerInfo
from crypto.errors import DerError
from seal.trust.facts import Facts

REVOCATION_ARCHIVAL = "1.2.840.113583.1.1.8"
"""adbe-revocationInfoArchival, a signed attribute (ISO 32000-2 12.8.3.3.2)."""
MAX_EMBEDDED = 32
"""Lists, and answers, taken of one message at most."""
_OCSP_RESPONSE = "1.3.6.1.5.5.7.16.2"
_OTHER = der.context(1)


def embedded_facts(signed: SignedData, signer: SignerInfo | None = None) -> Facts:
    """Give the lists and answers in ``signed``, and those ``signer`` signed along; anyone may have put them there.

    What cannot be read is left out. Every fact is signed by who may speak it, so that it is no matter who brought it.
    """
    crls, answers = list[bytes](), list[bytes]()
    for octets in signed.crls[: 2 * MAX_EMBEDDED]:
        if octets[0] == der.SEQUENCE:
            crls.append(octets)
        else:
            answers += _other(octets)
    if signer is not None:
        for value in signer.attributes.get(REVOCATION_ARCHIVAL, ())[:1]:
            lists, said = _archived(value)
            crls += lists
            answers += said
    if not crls and not answers:
        return NONE
    return Facts.read(crls=crls[:MAX_EMBEDDED], answers=answers[:MAX_EMBEDDED])


def _other(octets: bytes) -> Iterator[bytes]:
    """Read an OtherRevocationInfoFormat that holds an OCSP response (RFC 5940)."""
    try:
        node = der.parse(octets)
        fields = node.children()
        if node.tag == _OTHER and len(fields) > 1 and fields[0].as_oid() == _OCSP_RESPONSE:
            yield fields[1].raw
    except DerError:
        return


def _archived(value: der.Node) -> tuple[list[bytes], list[bytes]]:
    """Read RevocationInfoArchival { crl [0], ocsp [1], other [2], each EXPLICIT and OPTIONAL }."""
    found: dict[int, list[bytes]] = {der.context(0): [], der.context(1): []}
    try:
        for member in value.expect(der.SEQUENCE):
            if member.tag in found:
                found[member.tag] += [each.raw for each in member.inner().expect(der.SEQUENCE)]
    except DerError:
        return [], []
    return found[der.context(0)], found[der.context(1)]


NONE = Facts()
