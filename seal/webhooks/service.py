"""Webhooks: endpoints are registered, given secrets, told of events, and told again when they ask."""

import hmac
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

import sqlalchemy as sa
import structlog

from kernel.audit import AuditLog, Fact
from kernel.clock import Clock
from kernel.db import Database
from kernel.ids import new_id
from kernel.jobs import Job, Jobs, delay
from kernel.outbox import DELIVERY, Event, body_of, find_event
from kernel.principal import Principal, PrincipalKind
from seal.pki.http_post import HttpPost, PostFailed, is_public
from seal.webhooks import store
from seal.webhooks.model import Attempt, Endpoint, EventType, WebhookRefused, WebhookUnknown, is_success
from seal.webhooks.signing import signed_headers, written_secret

_log = structlog.get_logger("xinyin.webhooks")
TIMEOUT = timedelta(seconds=15)
PATIENCE = timedelta(hours=24)
LONGEST_DELAY = timedelta(hours=2)
OVERLAP = timedelta(hours=24)
"""How long the secret before the newest still signs."""
MOST_ENDPOINTS = 10
MOST_REPLAYED = 10_000
_LONGEST_URL = 500
_PORTS = frozenset({None, 443})


class Webhooks:
    """Tells clients what happened. ``key`` is the 32 octets that all endpoints' secrets are made from.

    ``hosts`` are hosts that the operator named: only they may have private addresses, other ports and plain HTTP.
    """

    def __init__(  # noqa: PLR0913 - its dependencies
        self,
        *,
        db: Database,
        audit: AuditLog,
        clock: Clock,
        key: Callable[[], bytes],
        hosts: Iterable[str] = (),
        timeout: timedelta = TIMEOUT,
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._key = key
        self._hosts = frozenset(host.lower() for host in hosts)
        self._timeout = timeout
        self._http = HttpPost(reachable=lambda host, address: host.lower() in self._hosts or is_public(address))
        self.handlers = {DELIVERY: self.deliver}

    # --- endpoints ---

    def register(self, url: str, events: Iterable[EventType], principal: Principal) -> tuple[Endpoint, str]:
        """Register an address of the caller's, and give its secret, shown this once; needs ``webhook.manage:*``."""
        principal.require("webhook.manage", "*")
        self._check_address(url)
        endpoint = Endpoint(
            id=new_id(),
            client=principal.subject,
            organisation=principal.organisation,
            url=url,
            events=frozenset(events) or frozenset(EventType),
            created_at=self._clock.now(),
        )
        with self._db.begin() as conn:
            if len(store.endpoints_of(conn, principal.subject)) >= MOST_ENDPOINTS:
                raise WebhookRefused(f"A client has {MOST_ENDPOINTS} endpoints at most: end one first.")
            store.add_endpoint(conn, endpoint)
            version = store.add_secret(conn, endpoint.id, endpoint.created_at)
            facts: dict[str, Fact] = {"events": " ".join(sorted(endpoint.events))}
            self._log(conn, principal, "seal.webhook.registered", endpoint.id, facts)
        return endpoint, self._secret(endpoint.id, version)

    def rotate(self, endpoint: str, principal: Principal) -> str:
        """Give the endpoint a new secret, shown this once; the one before signs beside it for a day."""
        with self._db.begin() as conn:
            self._mine(conn, endpoint, principal, lock=True)
            version = store.add_secret(conn, endpoint, self._clock.now())
            self._log(conn, principal, "seal.webhook.secret_renewed", endpoint, {"version": version})
        return self._secret(endpoint, version)

    def end(self, endpoint: str, principal: Principal) -> None:
        """Tell the endpoint nothing any more."""
        with self._db.begin() as conn:
            self._mine(conn, endpoint, principal, lock=True)
            store.end_endpoint(conn, endpoint, self._clock.now(), "by_client")
            self._log(conn, principal, "seal.webhook.ended", endpoint, {"why": "by_client"})

    def list(self, principal: Principal) -> tuple[Endpoint, ...]:
        """List the caller's endpoints."""
        principal.require("webhook.manage", "*")
        with self._db.read() as conn:
            return store.endpoints_of(conn, principal.subject)

    def deliveries(
        self, endpoint: str, principal: Principal, *, before: str | None = None, limit: int = 50
    ) -> tuple[tuple[Event, tuple[Attempt, ...]], ...]:
        """List what the endpoint was told, newest first, from the event after ``before`` on, with every try."""
        with self._db.read() as conn:
            self._mine(conn, endpoint, principal)
            last = find_event(conn, before) if before else None
            cursor = (last.at, last.id) if last else None
            return store.deliveries(conn, endpoint, before=cursor, limit=limit)

    def replay(
        self, endpoint: str, principal: Principal, *, since: datetime | None = None, event: str | None = None
    ) -> int:
        """Tell an endpoint again: one event, or all since an instant (10,000 at most); tell how many are due."""
        with self._db.begin() as conn:
            found = self._mine(conn, endpoint, principal, lock=True)
            moment = since or found.created_at
            events = store.events_since(conn, found, moment, event=event, limit=MOST_REPLAYED)
            if event is not None and not events:
                raise WebhookUnknown("There is no such event for this endpoint.")
            due = Jobs.put(conn, DELIVERY, [f"{each}:{endpoint}" for each in events])
            self._log(conn, principal, "seal.webhook.replay_requested", endpoint, {"events": len(events)})
        return due

    def _mine(self, conn: sa.Connection, endpoint: str, principal: Principal, *, lock: bool = False) -> Endpoint:
        principal.require("webhook.manage", "*")
        found = store.find_endpoint(conn, endpoint, lock=lock)
        if found is None or found.client != principal.subject:
            raise WebhookUnknown("There is no such endpoint.")
        return found

    def _check_address(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError as error:
            raise WebhookRefused("The address is none.") from error
        plain = not url.isascii() or not url.isprintable() or " " in url or len(url) > _LONGEST_URL
        if plain or not host or parts.username is not None or parts.fragment:
            raise WebhookRefused(f"An address has a host, no user, no fragment, and {_LONGEST_URL} characters at most.")
        usual = parts.scheme == "https" and port in _PORTS
        if not usual and not (parts.scheme in ("http", "https") and host in self._hosts):
            raise WebhookRefused("An address is https:// at port 443, unless the operator has named its host.")

    def _secret(self, endpoint: str, version: int) -> str:
        named = f"xinyin webhook secret\0{endpoint}\0{version}".encode()
        return written_secret(hmac.digest(self._key(), named, "sha256"))

    # --- telling ---

    def deliver(self, job: Job) -> timedelta | None:
        """Tell one endpoint of one event, once, and say after how long to try again."""
        event_id, _, endpoint_id = job.key.partition(":")
        now = self._clock.now()
        with self._db.read() as conn:
            event, endpoint = find_event(conn, event_id), store.find_endpoint(conn, endpoint_id)
            before = store.attempts_at(conn, endpoint_id, event_id)
            versions = store.secret_versions(conn, endpoint_id)
        if event is None or endpoint is None:
            return None  # The endpoint ended in the meantime.
        status, fault = self._tell(endpoint, event, versions, now)
        began = _began(before, job, now)
        wait = delay(job.attempt, longest=LONGEST_DELAY)
        gone = status == HTTPStatus.GONE
        last = is_success(status) or gone or now + wait - began > PATIENCE
        attempt = Attempt(
            endpoint=endpoint.id, event=event.id, number=len(before) + 1, at=now, status=status, fault=fault, last=last
        )
        self._record(attempt, gone=gone)
        return None if last else wait

    def _tell(
        self, endpoint: Endpoint, event: Event, versions: Iterable[tuple[int, datetime]], now: datetime
    ) -> tuple[int | None, str | None]:
        body = body_of(event)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "xinyin-webhooks/1",
            **signed_headers(self._signing(endpoint.id, tuple(versions), now), event.id, now, body),
        }
        try:
            self._check_address(endpoint.url)
            return self._http.tell(endpoint.url, body, headers=headers, timeout=self._timeout), None
        except PostFailed as failed:
            return None, f"{failed.fault.value}: {failed.detail}"[:200]
        except WebhookRefused:
            return None, "forbidden: the operator does not name this host any more"

    def _signing(self, endpoint: str, versions: tuple[tuple[int, datetime], ...], now: datetime) -> tuple[str, ...]:
        """Give the newest secret, and the one before it as long as the change is young."""
        young = len(versions) > 1 and now - versions[0][1] < OVERLAP
        return tuple(self._secret(endpoint, version) for version, _ in versions[: 2 if young else 1])

    def _record(self, attempt: Attempt, *, gone: bool) -> None:
        with self._db.begin() as conn:
            if gone and store.find_endpoint(conn, attempt.endpoint, lock=True):
                # Standard Webhooks: 410 means that the endpoint wants to hear nothing more.
                store.end_endpoint(conn, attempt.endpoint, attempt.at, "gone")
                self._audit.append(
                    conn,
                    at=attempt.at,
                    actor="worker",
                    action="seal.webhook.ended",
                    target=attempt.endpoint,
                    facts={"why": "gone"},
                )
            store.add_attempt(conn, attempt)
        if attempt.last and not attempt.heard:
            _log.warning("webhook_given_up", endpoint=attempt.endpoint, event_id=attempt.event, status=attempt.status)

    def _log(self, conn: sa.Connection, principal: Principal, action: str, target: str, facts: dict[str, Fact]) -> None:
        # An operator may act in a client's place: then the client is the subject, and the deed the operator's.
        acting = "operator" if principal.kind is PrincipalKind.OPERATOR else principal.subject
        self._audit.append(conn, at=self._clock.now(), actor=acting, action=action, target=target, facts=facts)


def _began(before: Iterable[Attempt], job: Job, now: datetime) -> datetime:
    """Tell when this run of tries began: a replay begins a new one, and its job counts from one again."""
    run = tuple(before)[-(job.attempt - 1) :] if job.attempt > 1 else ()
    return run[0].at if run else now
