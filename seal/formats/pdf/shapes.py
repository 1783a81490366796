"""Telling the shapes of Chinese signatures apart, as software in the field writes them."""

from crypto.cms import SignedData
from crypto.cms_names import GM_DATA
from crypto.der import INTEGER, SEQUENCE, parse_prefix
from crypto.digests import SM3
from crypto.errors import DerError
from crypto.sm2 import RAW_SIGNATURE_SIZE

_SHORTEST_VALUE = 48


def is_seal(contents: bytes) -> bool:
    """Tell whether ``contents`` begin as a SES_Signature does: with a structure, where a message has a name."""
    try:
        return not is_bare_value(contents) and parse_prefix(contents).expect(SEQUENCE)[0].tag == SEQUENCE
    except DerError:
        return False


def is_bare_value(contents: bytes) -> bool:
    """Tell whether ``contents`` are an SM2 value and no message: a DER pair of integers, or r and s as they are."""
    # The octets laid aside are filled up with zeros, and a number may end with some of its own; by chance r and s
    # may look like DER. No message is as short.
    if _SHORTEST_VALUE <= len(contents.rstrip(b"\0")) <= RAW_SIGNATURE_SIZE <= len(contents):
        return True
    try:
        node = parse_prefix(contents)
        return [each.tag for each in node] == [INTEGER, INTEGER] and not contents[len(node.raw) :].strip(b"\0")
    except DerError:
        return False


def encloses_digest(signed: SignedData) -> bool:
    """Tell whether a GB/T 35275 message has a digest for its content; whose it is, the signature's check says."""
    content = signed.encapsulated
    # As it is, or in Base64.
    return signed.content_type == GM_DATA and content is not None and len(content) <= 2 * SM3.size
