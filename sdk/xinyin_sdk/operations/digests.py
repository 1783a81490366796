"""Digests: signatures over documents that were prepared elsewhere and may not be sent."""

from dataclasses import replace
from uuid import uuid4

from xinyin_sdk.calls import Answer, Call, Reader, Row, given
from xinyin_sdk.documents import confirm
from xinyin_sdk.errors import AnswerUnreadable
from xinyin_sdk.reading import parsed, record
from xinyin_sdk.shapes import SealedDigest


def _sealed(answer: Answer) -> SealedDigest:
    made = record(SealedDigest, parsed(answer.content))
    try:
        confirm(made.der, made.file_sm3)
    except ValueError as error:
        raise AnswerUnreadable("The service's answer cannot be read: its signature is no Base64.") from error
    return replace(made, replayed=answer.headers.get("idempotency-replayed") == "true")


SEAL = Row("POST", "/api/seals/v1/seals/{seal}/digests", Reader(_sealed, SealedDigest))


def seal(  # noqa: PLR0913 - what is asked for
    digest: bytes | str,
    *,
    seal: str,
    format: str,  # noqa: A002 - the service's word
    algorithm: str = "SM3",
    protects: str | None = None,
    room: int | None = None,
    reason: str | None = None,
    case_number: str | None = None,
    document_kind: str | None = None,
    idempotency_key: str | None = None,
) -> Call[SealedDigest]:
    """Sign the digest (32 octets, or hexadecimal) of a document that stays where it is; ``idempotency_key`` as ever.

    The answer's ``der`` goes into the document. The service answers for the digest alone: nobody there saw what the
    document says. ``protects`` and ``room`` as the HTTP API has them.
    """
    body = given(
        format=format,
        algorithm=algorithm,
        digest=digest.hex() if isinstance(digest, bytes) else digest,
        protects=protects,
        room=room,
        reason=reason,
        case_number=case_number,
        document_kind=document_kind,
    )
    return SEAL.call(seal, json=body, key=idempotency_key or str(uuid4()))
