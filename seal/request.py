"""Requests to seal: what is asked, and what is given back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from crypto.digests import sm3
from seal.errors import SealRefused
from seal.later.model import TrustedTime
from seal.model import Report, SealId
from seal.placing import InCorner, Placement, parse_placement, placement_text

_TEXT_MAX = 500
_KEY_MAX = 200
_MOST_FEN = 2**53 - 1
_APART = frozenset({"document", "seal"})
_NEW = frozenset({"amount", "use_request"})
"""Written down only where they say something: what was asked for before there were any stays the same text."""
DEFAULT_PLACEMENT: Placement = InCorner()
"""Where the picture goes if nobody said: at the bottom right of the last page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRequest:
    """What a caller wants sealed. ``format`` None: by the document's type, SM2. ``placement`` None: last page."""

    document: bytes
    seal: SealId
    format: str | None = None
    placement: Placement | None = None
    reason: str = ""
    case_number: str | None = None
    document_kind: str = ""
    idempotency_key: str | None = None
    level: str | None = None
    """A PAdES level by name: given or refused, never less. None: b-t where time stamps are to be had, else b-b.

    Of formats that carry time stamps: with None the stamp may follow, where nobody stamps at the moment.
    """
    also: str | None = None
    """A format for a second signature without a picture, for readers that cannot judge the first."""
    closes: bool = False
    """Let no later signature into the document."""
    amount: int | None = None
    """What the document is about, in fen; some grants have a limit."""
    use_request: str | None = None
    """The use request by which a second person approved just this; not part of what they approved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedDocument:
    """A finished sealing: the file, where it is kept, and what our own verifier says of it."""

    id: str
    serial: int
    document: bytes
    object_key: str
    """SM3 of the file, hexadecimal."""
    seal: SealId
    format: str
    media_type: str
    sealed_at: datetime
    report: Report
    level: str | None = None
    """The PAdES level it was given; None in formats that have none."""
    trusted_time: TrustedTime | None = None
    """How its time stands by now; None where that is older than such records."""
    stamped_key: str | None = None
    """SM3 of the file with the stamp that came later, once it did; ``document`` is the file as it was sealed."""
    replayed: bool = False
    """This is the answer of an earlier call with the same Idempotency-Key."""


def request_hash(request: SealRequest, document_sm3: str | None = None) -> str:
    """Identify what was asked for, document included: two requests with one hash are the same request."""
    return _hash(_words(request), request.seal, document_sm3 or sm3(request.document).hex())


def _words(request: SealRequest) -> dict[str, str | int | None]:
    """Give all that was asked for but document and seal."""
    place = request.placement
    words = {field.name: getattr(request, field.name) for field in fields(request) if field.name not in _APART}
    said = {name: value for name, value in words.items() if name not in _NEW or value is not None}
    return {**said, "placement": placement_text(place) if place else None}


def _hash(words: Mapping[str, str | int | None], seal: str, document_sm3: str) -> str:
    names = ("format", "placement", "closes", "reason", "case_number", "document_kind")
    asked = [seal, *(words[name] for name in names), document_sm3]
    # Requests that were kept before there were second signatures and levels keep their names.
    also = () if words["also"] is None and words["level"] is None else (words["also"],)
    level = () if words["level"] is None else (words["level"],)
    # What is no text stands for itself: it is taken for nothing else that may be left out.
    amount = () if words.get("amount") is None else ({"amount": words["amount"]},)
    return sm3(json.dumps([*asked, *also, *level, *amount]).encode()).hex()


def asked_text(request: SealRequest) -> str:
    """Write down all that was asked for but document and seal, so that it can be asked for again."""
    return json.dumps(_words(request), ensure_ascii=False, sort_keys=True)


def asked_hash(asked: str, *, seal: str, document_sm3: str) -> str:
    """Give the ``request_hash`` of a request that was written down: as it was written, to the letter."""
    return _hash(json.loads(asked), seal, document_sm3)


def asked_again(asked: str, *, document: bytes, seal: SealId, **changes: str) -> SealRequest:
    """Give the request that ``asked_text`` wrote down, but for ``changes``."""
    words = {**json.loads(asked), **changes}
    place = words.pop("placement")
    return SealRequest(document=document, seal=seal, placement=parse_placement(place) if place else None, **words)


def use_request_of(asked: str) -> str | None:
    """Give the use request by which was asked what ``asked_text`` wrote down."""
    name: str | None = json.loads(asked).get("use_request")
    return name


def check_texts(request: SealRequest) -> None:
    """Refuse texts that are longer than what is kept, and an amount that is none."""
    if request.amount is not None and not 0 <= request.amount <= _MOST_FEN:
        raise SealRefused("An amount is a whole number of fen, not below zero.")
    for words, most in (
        (request.reason, _TEXT_MAX),
        (request.case_number, _KEY_MAX),
        (request.document_kind, _KEY_MAX),
        (request.idempotency_key, _KEY_MAX),
        (request.use_request, _KEY_MAX),
    ):
        if words is not None and (len(words) > most or "\0" in words):
            raise SealRefused(f"A text of the request is longer than the {most} characters that are kept.")
