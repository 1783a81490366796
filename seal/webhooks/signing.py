"""Signatures of webhooks: HMAC-SHA256 over id, timestamp and body (Standard Webhooks 1.0, symmetric, ``v1``)."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime

_PREFIX = "whsec_"


def written_secret(octets: bytes) -> str:
    """Write a secret as its holder gets it: ``whsec_`` and base64."""
    return _PREFIX + base64.b64encode(octets).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Sign a message: ``v1,`` and base64 of the HMAC over ``id.timestamp.body``."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def signed_headers(secrets: Iterable[str], message_id: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """Give the three headers of a message; with several secrets as many signatures, so that none is missed."""
    timestamp = int(at.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(secret, message_id, timestamp, body) for secret in secrets),
    }
