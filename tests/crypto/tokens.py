"""Tokens as tests make and judge them: by hand, with any header."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from crypto import der
from crypto.jose import (
    verify_jwt,
)
from crypto.keys import VaultSigner
from tests.crypto.authority import Authority

ISSUER, AUDIENCE = "https://id.example", "https://seal.example"
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
CLAIMS: dict[str, Any] = {"iss": ISSUER, "aud": AUDIENCE, "sub": "张三", "iat": AT, "exp": AT + 300}


def b64(data: bytes | str) -> str:
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else data.encode()).rstrip(b"=").decode()


def key_of(authority: Authority) -> VaultSigner:
    return authority.key("tokens")


def signed(signer: VaultSigner, claims: Mapping[str, Any] | str = CLAIMS, **header: Any) -> str:
    """A token made by hand, with any header members; None takes one out."""
    members = {"alg": signer.suite.jose, "kid": "k1", "typ": "JWT"} | header
    head = json.dumps({name: value for name, value in members.items() if value is not None})
    body = claims if isinstance(claims, str) else json.dumps(claims)
    text = f"{b64(head)}.{b64(body)}"
    return f"{text}.{b64(raw_value(signer, text.encode()))}"


def raw_value(signer: VaultSigner, message: bytes) -> bytes:
    value = signer.sign(message)
    if signer.suite.raw_size is None:
        return value
    return b"".join(member.as_int().to_bytes(32, "big") for member in der.parse(value))


def judge(token: str, signer: VaultSigner, **changes: Any) -> Mapping[str, Any]:
    asked: dict[str, Any] = {
        "keys": {"k1": signer.public_key},
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "typ": "JWT",
        "at": NOW,
        "suites": (signer.suite,),
    }
    return verify_jwt(token, **(asked | changes))
