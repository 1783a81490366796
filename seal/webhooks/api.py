"""The HTTP API of webhooks: endpoints, their secrets, what was delivered, and again."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from kernel.guard import BearerGuard
from kernel.outbox import Event
from kernel.principal import Principal
from seal.api_models import LINK, next_page, responses
from seal.upload import Instant
from seal.webhooks.model import Attempt, Endpoint, EventType
from seal.webhooks.service import Webhooks

_KNOWN = {401: "token_missing, token_refused", 403: "forbidden: the right webhook.manage:* is missing"}
_LOOKING = {**_KNOWN, 404: "webhook_unknown"}


class EndpointOrder(BaseModel):
    """Where to tell what."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(max_length=500, examples=["https://approval.example.gov.cn/hooks/seal"])
    events: list[EventType] = Field(default=[], max_length=20, description="all of them if left out")


class EndpointAnswer(BaseModel):
    """An endpoint."""

    id: str
    url: str
    events: list[EventType]
    created_at: datetime


class SecretAnswer(BaseModel):
    """A secret, shown this once."""

    secret: str = Field(examples=["whsec_…"])


class EndpointMade(EndpointAnswer, SecretAnswer):
    """A new endpoint with its secret, shown this once."""


class TryAnswer(BaseModel):
    """One try to deliver."""

    number: int
    at: datetime
    status: int | None = Field(description="HTTP status of the answer; null if none came")
    fault: str | None
    last: bool = Field(description="nothing more is tried by itself")


class DeliveryAnswer(BaseModel):
    """An event and the tries to deliver it."""

    event: str = Field(description="the webhook-id header")
    type: str
    at: datetime
    heard: bool
    tries: list[TryAnswer]


class ReplayOrder(BaseModel):
    """What to tell again: one event, or all since an instant."""

    model_config = ConfigDict(extra="forbid")

    event: str | None = Field(default=None, max_length=26)
    since: Instant | None = None


class ReplayAnswer(BaseModel):
    """How many deliveries are due now that were not."""

    due: int


def webhook_router(*, webhooks: Webhooks, guard: BearerGuard) -> APIRouter:
    """Make the routes under ``/api/seals/v1/webhooks``."""
    router = APIRouter(prefix="/api/seals/v1/webhooks", tags=["webhooks"])
    caller = Annotated[Principal, Depends(guard)]

    @router.post(
        "",
        status_code=201,
        operation_id="createWebhook",
        summary="Register an endpoint",
        responses=responses({**_KNOWN, 400: "webhook_refused", 422: "request_invalid"}),
    )
    def create(order: EndpointOrder, principal: caller) -> EndpointMade:
        """Tell this address of the caller's sealings and batches, and of changes to its organisation's seals."""
        made, secret = webhooks.register(order.url, order.events, principal)
        return EndpointMade(**_endpoint(made).model_dump(), secret=secret)

    @router.get("", operation_id="listWebhooks", summary="List endpoints", responses=responses(_KNOWN))
    def get_all(principal: caller) -> list[EndpointAnswer]:
        """List the caller's endpoints."""
        return [_endpoint(each) for each in webhooks.list(principal)]

    @router.delete(
        "/{webhook}",
        status_code=204,
        operation_id="endWebhook",
        summary="End an endpoint",
        responses=responses(_LOOKING),
    )
    def end(webhook: str, principal: caller) -> None:
        """Tell it nothing any more."""
        webhooks.end(webhook, principal)

    @router.post(
        "/{webhook}/secret",
        operation_id="renewWebhookSecret",
        summary="Renew the secret",
        responses=responses(_LOOKING),
    )
    def renew(webhook: str, principal: caller) -> SecretAnswer:
        """Give a new secret, shown this once; for a day messages bear a signature under each of the two."""
        return SecretAnswer(secret=webhooks.rotate(webhook, principal))

    @router.get(
        "/{webhook}/deliveries",
        operation_id="listDeliveries",
        summary="List deliveries",
        responses=responses(_LOOKING, {200: {"headers": LINK}}),
    )
    def deliveries(  # noqa: PLR0913, PLR0917 - one parameter a part of the request
        request: Request,
        response: Response,
        webhook: str,
        principal: caller,
        before: Annotated[str | None, Query(max_length=26, description="an event: list what came before it")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> list[DeliveryAnswer]:
        """List what was told, newest first, with every try."""
        told = [_delivery(*each) for each in webhooks.deliveries(webhook, principal, before=before, limit=limit)]
        if len(told) == limit:
            next_page(request, response, before=told[-1].event)
        return told

    @router.post(
        "/{webhook}/replay",
        status_code=202,
        operation_id="replayWebhook",
        summary="Tell again",
        responses=responses({**_LOOKING, 422: "request_invalid"}),
    )
    def replay(webhook: str, order: ReplayOrder, principal: caller) -> ReplayAnswer:
        """Tell one event again, or all since an instant; with neither all since the endpoint was registered."""
        return ReplayAnswer(due=webhooks.replay(webhook, principal, since=order.since, event=order.event))

    return router


def _endpoint(endpoint: Endpoint) -> EndpointAnswer:
    return EndpointAnswer(
        id=endpoint.id, url=endpoint.url, events=sorted(endpoint.events), created_at=endpoint.created_at
    )


def _delivery(event: Event, tries: tuple[Attempt, ...]) -> DeliveryAnswer:
    told = [TryAnswer(number=t.number, at=t.at, status=t.status, fault=t.fault, last=t.last) for t in tries]
    return DeliveryAnswer(
        event=event.id, type=event.type, at=event.at, heard=any(each.heard for each in tries), tries=told
    )
