"""Signed requests: which octets of a request its caller signs, read strictly so that one request has one text.

A caller who knows an app key proves it with ``X-App-Key``, ``X-Timestamp``, ``X-Nonce``, ``X-Content-SM3`` and
``X-Signature``, the HMAC-SM3 of the text that ``read`` makes. Everything in the text is as it was sent: nothing is
decoded and encoded again, so that no two requests which mean different things have the same text.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, quote

from starlette.exceptions import HTTPException
from starlette.types import Scope

from crypto.digests import sm3
from kernel.errors import Unauthenticated

SCHEME: Final = "XINYIN-HMAC-SM3"
"""First line of every signed text, and the scheme's name in WWW-Authenticate."""
EMPTY: Final = sm3().hex()
APP_KEY, TIMESTAMP, NONCE = b"x-app-key", b"x-timestamp", b"x-nonce"
CONTENT, SIGNATURE = b"x-content-sm3", b"x-signature"
TYPE, IDEMPOTENCY = b"content-type", b"idempotency-key"
_TELLING = frozenset({APP_KEY, TIMESTAMP, NONCE, SIGNATURE})
_ONCE = (*sorted(_TELLING), CONTENT, TYPE, IDEMPOTENCY)
_SHAPES: Final = {
    APP_KEY: (re.compile(rb"ak_[a-z2-7]{26}"), "ak_ and 26 characters"),
    TIMESTAMP: (re.compile(rb"[0-9]{10}(?:[0-9]{3})?"), "seconds or milliseconds since 1970, 10 or 13 digits"),
    NONCE: (re.compile(rb"[A-Za-z0-9_-]{16,64}"), "16 to 64 letters, digits, _ and -"),
    SIGNATURE: (re.compile(rb"[0-9a-f]{64}"), "64 lower-case hexadecimal digits"),
    CONTENT: (re.compile(rb"[0-9a-f]{64}"), "64 lower-case hexadecimal digits"),
}
_VISIBLE = re.compile(rb"[\x20-\x7e\x80-\xff]{0,800}")
_PATH = re.compile(rb"/[\x21-\x7e]{0,2000}")
# What one reader of a path takes for a separator or a step, and the next for a name.
_AMBIGUOUS = re.compile(rb"//|\\|;|/\.{1,2}(?:/|\Z)|%(?:2[ef]|5c|3b|00|25)", re.IGNORECASE)
_QUERY = re.compile(rb"[\x21-\x7e]{0,8000}")
_SECONDS_DIGITS = 10


class SignatureMalformed(Unauthenticated):
    """What should prove the caller is not of the form agreed upon. Depends on nothing but what was sent."""

    code = "signature_malformed"
    challenge = f'{SCHEME} error="signature_malformed"'


class BodyAltered(Unauthenticated, HTTPException):
    """The body is not the one whose digest was signed. Raised while it is read, so before anyone acts on it."""

    code = "body_altered"
    challenge = f'{SCHEME} error="body_altered"'

    def __init__(self, detail: str) -> None:
        # Also the one exception that frameworks let through while they read a body.
        HTTPException.__init__(self, HTTPStatus.UNAUTHORIZED, detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """A request as its caller says they signed it; nothing of it is proved yet."""

    app_key: str
    signed_at: datetime
    nonce: str
    text: bytes
    """What is signed."""
    signature: bytes = field(repr=False)
    body_sm3: bytes
    address: str
    """Where it came from."""


def is_signed(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Tell whether a request means to prove its caller by a signature."""
    return any(name in _TELLING for name, _ in headers)


def read(scope: Scope, authority: str) -> SignedRequest:
    """Read the signature of an ASGI request and make the text it should be over; SignatureMalformed if it cannot be.

    ``authority`` is the host, with its port if that is not the usual one, at which callers know this service: not
    the Host header, which proxies write anew.
    """
    given = _once(scope["headers"])
    for name in (*sorted(_TELLING), *((CONTENT,) if CONTENT in given else ())):
        shape, wording = _SHAPES[name]
        if not shape.fullmatch(given.get(name, b"")):
            raise SignatureMalformed(f"{_shown(name)} is missing or not {wording}.")
    content = given.get(CONTENT, EMPTY.encode())
    lines = (
        SCHEME.encode(),
        scope["method"].encode(),
        authority.lower().encode(),
        _path(scope),
        _query(scope["query_string"]),
        _visible(given, TYPE),
        _visible(given, IDEMPOTENCY),
        given[APP_KEY],
        given[TIMESTAMP],
        given[NONCE],
        content,
    )
    return SignedRequest(
        app_key=given[APP_KEY].decode(),
        signed_at=_instant(given[TIMESTAMP].decode()),
        nonce=given[NONCE].decode(),
        text=b"\n".join(lines),
        signature=bytes.fromhex(given[SIGNATURE].decode()),
        body_sm3=bytes.fromhex(content.decode()),
        address=scope["client"][0] if scope.get("client") else "",
    )


def _once(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Give the headers that are signed; what comes twice could be read either way."""
    if any(name == b"authorization" for name, _ in headers):
        raise SignatureMalformed("A request is signed or bears an access token, not both.")
    given: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _ONCE:
            if name in given:
                raise SignatureMalformed(f"{_shown(name)} stands in the request more than once.")
            given[name] = value
    return given


def _visible(given: dict[bytes, bytes], name: bytes) -> bytes:
    value = given.get(name, b"")
    if not _VISIBLE.fullmatch(value):
        raise SignatureMalformed(f"{_shown(name)} is too long, or has characters that cannot be signed.")
    return value


def _path(scope: Scope) -> bytes:
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    if not _PATH.fullmatch(raw) or _AMBIGUOUS.search(raw):
        raise SignatureMalformed("The path has an empty or a dot segment, or an escaped separator: write it plainly.")
    return raw


def _query(raw: bytes) -> bytes:
    """Give the parameters in the order of their octets; names that come twice have an order that would be lost."""
    try:
        names = [name for name, _ in parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=100)]
    except ValueError as error:
        raise SignatureMalformed("The query cannot be read.") from error
    if not _QUERY.fullmatch(raw) or len(set(names)) != len(names):
        raise SignatureMalformed("The query is too long, is not escaped, or has a parameter twice.")
    return b"&".join(sorted(raw.split(b"&")))


def _instant(digits: str) -> datetime:
    whole, thousandths = int(digits[:_SECONDS_DIGITS]), int(digits[_SECONDS_DIGITS:] or "0")
    return datetime.fromtimestamp(whole, UTC).replace(microsecond=thousandths * 1000)


def _shown(name: bytes) -> str:
    return name.decode().title().replace("Sm3", "SM3")
