"""Time stamps that come late: what they go over, and putting them beside a signature that is there."""

from collections.abc import Callable
from dataclasses import dataclass, field

from crypto.cms import parse_signed_data, with_timestamp
from crypto.der import SEQUENCE, parse_prefix
from crypto.errors import CryptoError
from seal.errors import DocumentRefused
from seal.ses import parse_ses_signature, with_ses_timestamp
from seal.ses.read import MAX_SES


@dataclass(frozen=True, slots=True)
class Unstamped:
    """A document whose newest signature has no time stamp, and lets one in: nothing that was signed covers it."""

    signature: bytes = field(repr=False)
    """The octets that a token goes over: the signature's value."""
    _put: Callable[[bytes], bytes] = field(repr=False)

    def stamped(self, token: bytes) -> bytes:
        """Give the document with ``token`` in it; RoomTooSmall where its layout has no place for so long a one."""
        return self._put(token)


def unstamped_value(octets: bytes) -> tuple[bytes, Callable[[bytes], bytes]]:
    """Give the signature's value in a message or SES_Signature, and what puts a token beside it; zeros may follow.

    Refuses what cannot be read, and what has a time stamp.
    """
    try:
        node = parse_prefix(octets, max_size=MAX_SES).expect(SEQUENCE)
        raw = node.raw
        if node[0].tag == SEQUENCE:  # where a message has its name, a seal has what it signs
            seal = parse_ses_signature(raw)
            stamped, value = seal.timestamp is not None, seal.signature
            put: Callable[[bytes, bytes], bytes] = with_ses_timestamp
        else:
            (signer,) = parse_signed_data(raw).signers
            stamped, value = signer.timestamp_token is not None, signer.signature
            put = with_timestamp
    except (CryptoError, ValueError) as error:
        raise DocumentRefused(f"The signature cannot be read: {error}.") from error
    if stamped:
        raise DocumentRefused("The signature has a time stamp.")
    return value, lambda token: put(raw, token)
