"""Identifiers: random, unguessable, written in letters that survive phones, URLs and QR codes."""

import base64
import secrets


def new_id() -> str:
    """Make a 128-bit random id: 26 characters of lower-case base32 (RFC 4648 6), no padding."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def new_secret() -> str:
    """Make a 256-bit random secret for codes and tokens: 43 characters of base64url."""
    return secrets.token_urlsafe(32)
