"""The HTTP API of affairs: parse, call one verb, render."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from starlette.requests import Request
from starlette.responses import Response

from kernel.clock import Clock
from kernel.guard import BearerGuard
from kernel.principal import Principal
from seal.affairs.api_models import (
    ASKING_PROBLEMS,
    DECIDING_PROBLEMS,
    KEEPING_PROBLEMS,
    PROPOSING_PROBLEMS,
    AffairAnswer,
    AffairsAnswer,
    CertificateAnswer,
    ChangeAnswer,
    DecisionShape,
    FilingAnswer,
    HistoryAnswer,
    KeptAnswer,
    ProposalShape,
    SealAnswer,
    VersionAnswer,
)
from seal.affairs.desk import SealDesk, SealFile
from seal.affairs.model import AffairRefused
from seal.affairs.service import AffairService
from seal.api_models import BINARY, KEPT_PROBLEM, REPLAYED, located, responses

PAPERS = re.compile(r"/api/seals/v1/papers")
"""The path that takes papers, whose bodies may be larger than others."""
MAX_PAPER = 16 * 1024 * 1024
_PRIVATE = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


async def _body(request: Request) -> bytes:
    content = await request.body()
    if not content:
        raise AffairRefused("The request has no paper: send it as the body.")
    return content


def affairs_router(*, affairs: AffairService, desk: SealDesk, guard: BearerGuard, clock: Clock) -> APIRouter:
    """Make the routes of affairs and of seals' files under ``/api/seals/v1``; all need a token."""
    router = APIRouter(prefix="/api/seals/v1", tags=["affairs"])
    caller = Annotated[Principal, Depends(guard)]

    @router.post(
        "/papers",
        status_code=201,
        operation_id="keepPaper",
        summary="Send a paper or a picture that an affair is to name",
        openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": BINARY}}},
        responses=responses(KEEPING_PROBLEMS),
    )
    def keep_paper(principal: caller, content: Annotated[bytes, Depends(_body)]) -> KeptAnswer:
        """Keep the body as it is, under the SM3 of its octets; needs a right to propose something."""
        return KeptAnswer(object_key=affairs.keep_for(content, principal), size=len(content))

    @router.post(
        "/affairs",
        status_code=201,
        operation_id="proposeAffair",
        summary="Propose what is to be done with a seal",
        responses=responses(PROPOSING_PROBLEMS, {201: {"headers": located("the affair") | REPLAYED}}),
    )
    def propose(
        body: ProposalShape,
        principal: caller,
        response: Response,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
    ) -> AffairAnswer:
        """Put an affair on record. Others decide it, but for `file` and `lose`, which are done at once.

        The same proposal under the same `Idempotency-Key` gives the same affair, as it stands by then.
        """
        affair, replayed = affairs.propose_once(body.proposal(), principal, idempotency_key)
        if replayed:
            response.headers["Idempotency-Replayed"] = "true"
        response.headers["Location"] = f"{router.prefix}/affairs/{affair.id}"
        return AffairAnswer.of(affair, clock.now())

    @router.get(
        "/affairs",
        operation_id="listAffairs",
        summary="List affairs, the newest first",
        responses=responses(ASKING_PROBLEMS),
    )
    def list_affairs(
        principal: caller,
        *,
        waiting: Annotated[bool, Query(description="only those that wait for the caller's word")] = False,
        seal: Annotated[str | None, Query(pattern="^[0-9]{14}$")] = None,
        after: Annotated[str | None, Query(max_length=26)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> AffairsAnswer:
        """List the affairs that concern the caller."""
        page = affairs.list(principal, waiting=waiting, seal=seal, after=after, limit=limit)
        told = tuple(AffairAnswer.of(each, clock.now()) for each in page)
        return AffairsAnswer(affairs=told, next=page[-1].id if len(page) == limit else None)

    @router.get(
        "/affairs/{affair}",
        operation_id="getAffair",
        summary="Look at an affair",
        responses=responses(ASKING_PROBLEMS),
    )
    def get_affair(affair: str, principal: caller) -> AffairAnswer:
        """Show an affair to those it concerns."""
        return AffairAnswer.of(affairs.find(affair, principal), clock.now())

    @router.get(
        "/affairs/{affair}/papers/{object_key}",
        operation_id="getAffairPaper",
        summary="Fetch a paper or a picture that an affair names",
        response_class=Response,
        responses=responses(
            {**ASKING_PROBLEMS, 503: KEPT_PROBLEM},
            {200: {"description": "The paper, as it was sent", "content": {"application/octet-stream": BINARY}}},
        ),
    )
    def get_paper(affair: str, object_key: str, principal: caller) -> Response:
        """Give a paper to those whom its affair concerns."""
        content = affairs.paper(affair, object_key, principal)
        headers = {**_PRIVATE, "Content-Disposition": f'attachment; filename="{object_key}"'}
        return Response(content, media_type="application/octet-stream", headers=headers)

    @router.post(
        "/affairs/{affair}/decisions",
        operation_id="decideAffair",
        summary="Review, approve, reject or withdraw an affair",
        responses=responses(DECIDING_PROBLEMS),
    )
    def decide(affair: str, body: DecisionShape, principal: caller) -> AffairAnswer:
        """Say a word about an affair; the approval that was missing carries it out at once, or is not given."""
        decided = affairs.decide(affair, body.verdict, principal, payload_sm3=body.payload_sm3, note=body.note)
        return AffairAnswer.of(decided, clock.now())

    @router.get("/seals/{seal}", operation_id="getSeal", summary="Look at a seal", responses=responses(ASKING_PROBLEMS))
    def get_seal(seal: str, principal: caller) -> SealAnswer:
        """Show a seal to its owner's systems and to whoever has a right to it."""
        return _seal(desk.file(seal, principal))

    @router.get(
        "/seals/{seal}/history",
        operation_id="getSealHistory",
        summary="Look at a seal's life",
        responses=responses(ASKING_PROBLEMS),
    )
    def get_history(seal: str, principal: caller) -> HistoryAnswer:
        """Tell of every change and every making of a seal, each with the affair it came from."""
        file = desk.file(seal, principal)
        return HistoryAnswer(
            seal=file.seal.id,
            changes=tuple(ChangeAnswer.model_validate(each, from_attributes=True) for each in file.changes),
            versions=tuple(VersionAnswer.model_validate(each, from_attributes=True) for each in file.versions),
        )

    return router


def _seal(file: SealFile) -> SealAnswer:
    seal = file.seal
    return SealAnswer(
        seal=seal.id,
        kind=seal.kind,
        name=seal.name,
        owner=seal.owner,
        owner_name=seal.owner_name,
        status=seal.status,
        version=seal.version,
        valid_from=seal.valid_from,
        valid_to=seal.valid_to,
        use_policy=file.policy,
        filing=FilingAnswer.model_validate(file.filing, from_attributes=True) if file.filing else None,
        certificates=tuple(
            CertificateAnswer(
                suite=each.credential.suite.name,
                subject=each.credential.certificate.subject_text,
                serial=f"{each.credential.certificate.serial:x}",
                not_before=each.credential.certificate.not_before,
                not_after=each.credential.certificate.not_after,
            )
            for each in file.credentials
        ),
        keys_to_destroy=file.keys_to_destroy,
    )
